/**
 * Lets what is only told wait for what somebody waits for. A pod that starts changes several times in a few
 * milliseconds, and each change would have everything above it judged anew, on the one processor that brings it up.
 */
import { hurryMs, letPassMs, newsLatestMs, newsRestMs } from "./limits.js";

export interface Quiet {
  /** A round begins, or ends. */
  enter(): void;
  leave(): void;
  /** Runs it a moment later, once no round is under way; late at the latest. */
  soon(run: () => void): void;
  /** Somebody began to wait for a pod: for a moment all that follows from its start, and does not bring it up, is news. */
  hurry(): void;
  isHurried(): boolean;
  /** Resolves when what somebody waits for has had its turn. */
  letPass(): Promise<void>;
  close(): void;
}

export function makeQuiet(): Quiet {
  let underWay = 0;
  let waiting: (() => void)[] = [];
  let sinceMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let hasRested = false;
  let hurriedUntilMs = 0;

  function release(): void {
    clearTimeout(timer);
    timer = undefined;
    hasRested = false;
    const due = waiting;
    waiting = [];
    for (const run of due) run();
  }

  function rested(): void {
    const nowMs = performance.now();
    const lateMs = nowMs - sinceMs;
    const hurriedMs = Math.min(hurriedUntilMs - nowMs, newsLatestMs - lateMs);
    if (hurriedMs > 0) {
      timer = setTimeout(rested, hurriedMs).unref();
      return;
    }
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
    hurry() {
      hurriedUntilMs = performance.now() + hurryMs;
    },
    isHurried: () => performance.now() < hurriedUntilMs,
    letPass: () => new Promise((resolve) => setTimeout(resolve, letPassMs)),
    close() {
      clearTimeout(timer);
      waiting = [];
    },
  };
}
