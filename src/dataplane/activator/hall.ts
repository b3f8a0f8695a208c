// Room to wait in, shared by all revisions.
import { type HoldLimits, mayHold } from "../../domain/balancing/index.js";
import type { RevisionThrottler } from "./revision.js";

export interface Hall {
  /** Whether one more may wait; another revision's newest may have to go for it. */
  admits(revision: RevisionThrottler, bytes: number): boolean;
}

/** A large body may take the place of several small ones, but not of hundreds. */
const giveUpAtMost = 16;

export function hall(revisions: () => Iterable<RevisionThrottler>, limits: HoldLimits): Hall {
  return {
    admits(revision, bytes) {
      const there: RevisionThrottler[] = [revision];
      for (const one of revisions()) if (one !== revision && one.queue.size > 0) there.push(one);
      for (let given = 0; given <= giveUpAtMost; given += 1) {
        const held = there.map((one) => ({ count: one.queue.size, bytes: one.heldBytes }));
        const verdict = mayHold({ index: 0, bytes }, held, limits);
        if (verdict.kind === "yes") return true;
        if (verdict.kind === "no") return false;
        there[verdict.of]?.giveUpNewest();
      }
      return false;
    },
  };
}
