// How a queue-proxy goes: it says no to probes, serves what still comes, and is done when nothing has come for a while.
import type { Clock } from "../../ports/index.js";
import { quietMs, termAfterStopMs } from "./limits.js";

export interface Drainer {
  readonly draining: boolean;
  /** An ordinary request: whoever sends them has not heard yet. */
  touch(): void;
  /** SIGTERM. Resolves when it has been quiet for long enough. */
  term(): Promise<void>;
  /** The user container's preStop. Resolves then too, or at once when only that container is started again. */
  preStop(): Promise<void>;
}

export function makeDrainer(clock: Clock, quietForMs = quietMs): Drainer {
  let draining = false;
  let termed = false;
  let isQuiet = false;
  let stopQuiet: (() => void) | undefined;
  let waiting: (() => void)[] = [];

  const quiet = () => {
    isQuiet = true;
    wake();
  };
  const wake = () => {
    const all = waiting;
    waiting = [];
    for (const one of all) one();
  };
  const begin = () => {
    if (draining) return;
    draining = true;
    stopQuiet = clock.after(quietForMs, quiet);
  };
  const drained = () => (isQuiet ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve)));

  return {
    get draining() {
      return draining;
    },
    touch() {
      if (!draining || isQuiet) return;
      stopQuiet?.();
      stopQuiet = clock.after(quietForMs, quiet);
    },
    term() {
      termed = true;
      begin();
      return drained();
    },
    preStop() {
      begin();
      clock.after(termAfterStopMs, () => {
        if (termed || isQuiet) return;
        draining = false;
        stopQuiet?.();
        wake();
      });
      return drained();
    },
  };
}
