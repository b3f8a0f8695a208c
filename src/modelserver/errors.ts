// What a request can be told, and what ends the process before it serves.

/** A request that gets an error answer: the status and text are part of the protocol. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The model cannot be served. The message is one line that a person can act on. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}

export const invalidInput = (message: string) => new RequestError(400, message);
export const inferenceError = (message: string) => new RequestError(500, message);
export const modelNotFound = (name: string) =>
  new RequestError(404, `Model with name ${name} does not exist.`);
export const modelNotReady = (name: string) => new RequestError(503, `Model with name ${name} is not ready.`);

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Only the first line of a message: a status or a log's last line holds no more. */
export function firstLine(text: string): string {
  const trimmed = text.trim();
  const end = trimmed.indexOf("\n");
  return end === -1 ? trimmed : trimmed.slice(0, end).trimEnd();
}
