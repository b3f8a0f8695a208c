// What a command ends with when it cannot do what was asked: one line, which says what to do next.
import { PortError } from "../ports/index.js";

export const exitCodes = { failure: 1, usage: 2, interrupted: 130 } as const;

export class CliError extends Error {
  override readonly name = "CliError";

  constructor(
    message: string,
    readonly exitCode: number = exitCodes.failure,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The command is understood, but was called wrongly. */
export function usageError(message: string): CliError {
  return new CliError(message, exitCodes.usage);
}

/** The command failed and has already said all there is to say. */
export class Quiet extends Error {
  override readonly name = "Quiet";

  constructor(readonly exitCode: number) {
    super("");
  }
}

/** In kubectl's words, since people know and search them. */
export function errorLine(error: unknown): string {
  if (error instanceof CliError) return `error: ${oneLine(error.message)}`;
  if (error instanceof PortError) {
    if (error.status === undefined) return `error: ${oneLine(error.message)}`;
    return error.reason === "Unknown"
      ? `Error from server: ${oneLine(error.message)}`
      : `Error from server (${error.reason}): ${oneLine(error.message)}`;
  }
  const message = error instanceof Error ? error.message : String(error);
  return `error: ${oneLine(message)} (set DRYDOCK_DEBUG=1 to see where)`;
}

export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
