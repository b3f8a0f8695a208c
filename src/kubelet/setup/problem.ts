import { isPortError } from "../../ports/index.js";

/** Why a container or volume cannot be set up: the user's to mend, so a value. The message names the exact missing thing. */
export interface SetupProblem {
  readonly problem: string;
}

export function isProblem(value: unknown): value is SetupProblem {
  return typeof value === "object" && value !== null && "problem" in value;
}

/** The world's trouble, which may pass: the API cannot be reached, the disk is full. Anything else is our own bug. */
export function isTrouble(error: unknown): error is Error {
  return isPortError(error) || (error instanceof Error && "syscall" in error);
}
