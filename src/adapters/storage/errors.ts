// Why a model could not be fetched, in the words people search for.

/** A known cause. The message is one line and carries no secret. */
export class StorageError extends Error {
  // Upstream raises RuntimeError for all of these, and the last line of its log begins so.
  override readonly name = "RuntimeError";
}

export function noModelFound(shownUri: string): StorageError {
  return new StorageError(`Failed to fetch model. No model found in ${shownUri}.`);
}

export function codeOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
