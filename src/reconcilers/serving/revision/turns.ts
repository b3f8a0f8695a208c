// Who may ask registries now: a few at once, and begun no faster than a bucket of tokens refills.
import type { Clock } from "../../../ports/index.js";
import { digestBurst, digestErrands, digestsPerSecond } from "../limits.js";

export type TakeTurn = <T>(work: () => Promise<T>) => Promise<T>;

export function turns(clock: Clock): TakeTurn {
  const waiting: (() => void)[] = [];
  let underway = 0;
  let tokens = digestBurst;
  let filledMs = clock.now();
  let isWaking = false;

  function refill(): void {
    const nowMs = clock.now();
    tokens = Math.min(digestBurst, tokens + ((nowMs - filledMs) / 1000) * digestsPerSecond);
    filledMs = nowMs;
  }

  function letIn(): void {
    refill();
    while (waiting.length > 0 && underway < digestErrands && tokens >= 1) {
      tokens -= 1;
      underway += 1;
      waiting.shift()?.();
    }
    if (waiting.length === 0 || underway >= digestErrands || isWaking) return;
    isWaking = true;
    clock.after(Math.ceil(((1 - tokens) / digestsPerSecond) * 1000), () => {
      isWaking = false;
      letIn();
    });
  }

  return async (work) => {
    await new Promise<void>((resolve) => {
      // As many wait as there are Revisions without digests: each waits once.
      waiting.push(resolve);
      letIn();
    });
    try {
      return await work();
    } finally {
      underway -= 1;
      letIn();
    }
  };
}
