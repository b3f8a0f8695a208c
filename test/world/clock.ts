// Time that stands still until a test moves it.
import type { Clock } from "../../src/ports/index.js";

/** When every world begins. */
export const worldStartMs = Date.UTC(2026, 0, 1);

export interface FakeClock extends Clock {
  /** Moves to a moment, running nothing. */
  moveTo(ms: number): void;
  /** Runs the timers that are due, oldest first; tells whether there were any. */
  runDue(): boolean;
  /** When the next timer is due. */
  nextAtMs(): number | undefined;
}

export function fakeClock(startMs: number = worldStartMs): FakeClock {
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  let nowMs = startMs;

  return {
    now: () => nowMs,
    after(ms, run) {
      const timer = { atMs: nowMs + Math.max(0, ms), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    moveTo(ms) {
      nowMs = Math.max(nowMs, ms);
    },
    runDue() {
      const due = [...timers].filter((timer) => timer.atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
      for (const timer of due) if (timers.delete(timer)) timer.run();
      return due.length > 0;
    },
    nextAtMs: () => (timers.size === 0 ? undefined : Math.min(...[...timers].map((timer) => timer.atMs))),
  };
}

export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => count * 60_000;
