// What the installer needs to know of one runtime.

export type RuntimeName = "onnx" | "sklearn";

export interface FillOptions {
  /** A folder or file to install from instead of a registry. */
  readonly from: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (line: string) => void;
}

export interface Plan {
  /** The folder's name below `<home>/runtimes`. */
  readonly folder: string;
  /** Fills an empty folder; what it leaves there is renamed into place. */
  fill(staging: string, options: FillOptions): Promise<void>;
}

export interface Recipe {
  readonly name: RuntimeName;
  readonly title: string;
  readonly version: string;
  /** The folders that may hold an installation start so. */
  readonly prefix: string;
  /** The environment a model server gets, or `undefined` when the folder does not hold a working installation. */
  envOf(folder: string): Readonly<Record<string, string>> | undefined;
  plan(options: Pick<FillOptions, "signal">): Promise<Plan>;
}

/** An installation failed. The message says what happened and what to do next, one sentence each. */
export class InstallError extends Error {
  override readonly name = "InstallError";
}

const offline =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|NewConnectionError|name resolution|Max retries|Read timed out/i;

/** The next step that fits what a package client said. */
export function nextStep(name: RuntimeName, output: string): string {
  if (/ENOSPC|No space left/i.test(output)) return "Free some disk space, then try again.";
  if (/EINTEGRITY|do not match the hashes|HASHES/i.test(output)) {
    return "The download differs from the pinned one: check the proxy or mirror it came through.";
  }
  if (offline.test(output)) {
    return `Check the network, or install from files with \`drydock runtimes install ${name} --from FOLDER\`.`;
  }
  return "Fix that, then try again.";
}
