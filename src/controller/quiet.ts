/**
 * Lets what is only told wait for what somebody waits for. A pod that starts changes several times in a few
 * milliseconds, and each change would have everything above it judged anew, on the one processor that brings it up.
 */
import { newsLatestMs, newsRestMs } from "./limits.js";

export interface Quiet {
  /** A round begins, or ends. */
  enter(): void;
  leave(): void;
  /** Runs it a moment later, once no round is under way; late at the latest. */
  soon(run: () => void): void;
  close(): void;
}

export function makeQuiet(): Quiet {
  let underWay = 0;
  let waiting: (() => void)[] = [];
  let sinceMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let hasRested = false;

  function release(): void {
    clearTimeout(timer);
    timer = undefined;
    hasRested = false;
    const due = waiting;
    waiting = [];
    for (const run of due) run();
  }

  function rested(): void {
    const lateMs = performance.now() - sinceMs;
    hasRested = underWay > 0 && lateMs < newsLatestMs;
    if (hasRested) timer = setTimeout(release, newsLatestMs - lateMs).unref();
    else release();
  }

  return {
    enter() {
      underWay += 1;
    },
    leave() {
      underWay -= 1;
      if (underWay === 0 && hasRested) release();
    },
    soon(run) {
      waiting.push(run);
      if (timer !== undefined) return;
      sinceMs = performance.now();
      timer = setTimeout(rested, newsRestMs).unref();
    },
    close() {
      clearTimeout(timer);
      waiting = [];
    },
  };
}
