/** Why a container or volume cannot be set up: the user's to mend, so a value. The message names the exact missing thing. */
export interface SetupProblem {
  readonly problem: string;
}

export function isProblem(value: unknown): value is SetupProblem {
  return typeof value === "object" && value !== null && "problem" in value;
}
