import type { Clock, Random } from "../../ports/index.js";

/** The machine's own time. Timers do not keep the process alive by themselves. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

/** The machine's own dice. */
export const systemRandom: Random = () => Math.random();
