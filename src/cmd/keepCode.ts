import { setFlagsFromString } from "node:v8";

/**
 * V8 forgets the compiled code of functions that nobody called for a few collections. What wakes a Revision is
 * called seldom and waited for, and would be compiled anew each time. For processes that are all ours.
 */
export function keepCode(): void {
  setFlagsFromString("--no-flush-bytecode");
}
