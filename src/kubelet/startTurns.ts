/**
 * Pods start a few at a time. A hundred that start at once share the processors so evenly that each of them is ready when
 * all are; one after the other they take no longer together, and half of them answer in half the time. Where starts
 * wait for something else than a processor, such as a download, others begin meanwhile.
 */
import { cpus } from "node:os";
import type { Clock } from "../ports/index.js";
import { startIdleShare, startLookMs, startTurnMs } from "./limits.js";

export interface StartTurns {
  /**
   * Resolves when a pod may start, in the order of asking, or when it need not any more. What it gives back is called
   * when the pod is up, or has ended.
   */
  take(noMore: AbortSignal): Promise<() => void>;
}

export interface StartTurnsOptions {
  readonly clock: Clock;
  readonly atOnce: number;
  /** How much of the processors nobody used since it was last asked: 0 to 1. */
  readonly idleShare: () => number;
}

export function startTurns({ clock, atOnce, idleShare }: StartTurnsOptions): StartTurns {
  const waiting = new Set<() => void>();
  let starting = 0;
  let isLooking = false;

  function next(): void {
    const [begin] = waiting;
    begin?.();
  }

  function look(): void {
    if (isLooking || waiting.size === 0) return;
    isLooking = true;
    idleShare();
    clock.after(startLookMs, () => {
      isLooking = false;
      if (idleShare() >= startIdleShare) next();
      look();
    });
  }

  return {
    take: (noMore) =>
      new Promise((resolve) => {
        const onAbort = () => {
          waiting.delete(begin);
          resolve(() => {});
        };
        function begin(): void {
          waiting.delete(begin);
          noMore.removeEventListener("abort", onAbort);
          starting += 1;
          let isOver = false;
          const over = () => {
            if (isOver) return;
            isOver = true;
            cancel();
            starting -= 1;
            if (starting < atOnce) next();
          };
          const cancel = clock.after(startTurnMs, over);
          resolve(over);
        }
        if (noMore.aborted) onAbort();
        else if (starting < atOnce) begin();
        else {
          noMore.addEventListener("abort", onAbort, { once: true });
          waiting.add(begin);
          look();
        }
      }),
  };
}

/** Of all processors of this machine. */
export function idleShareOfMachine(): () => number {
  let before = { idle: 0, all: 0 };
  return () => {
    const now = { idle: 0, all: 0 };
    for (const { times } of cpus()) {
      now.idle += times.idle;
      now.all += times.user + times.nice + times.sys + times.irq + times.idle;
    }
    const all = now.all - before.all;
    const share = all > 0 ? (now.idle - before.idle) / all : 1;
    before = now;
    return share;
  };
}
