// A name that somebody else has, and other refusals whose end sends no event.
import type { Outcome } from "../../controller/index.js";
import { type Judgement, no } from "../../domain/apis/meta/judgement.js";
import { refusedAgainMs } from "./limits.js";

export function notOwned(kind: string, name: string): Judgement {
  return no("NotOwned", `There is an existing ${kind} "${name}" that we do not own.`);
}

/** Nobody tells us when a stranger's object goes away, or when what was refused would be granted. */
export const askAgain: Outcome = { requeueAfterMs: refusedAgainMs };
