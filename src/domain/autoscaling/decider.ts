// One Revision's counts, and what was last decided from them.
import { decideScale, firstBurstCapacity, firstMemory, type ScaleMemory, tickMs } from "./decideScale.js";
import type { ScalingSettings } from "./settings.js";
import type { RevisionStat } from "./stat.types.js";
import { makeWindow, type Window } from "./window.js";

type Counts = Pick<
  RevisionStat,
  "averageConcurrentRequests" | "averageProxiedConcurrentRequests" | "requestCount" | "proxiedRequestCount"
>;

interface Windows {
  readonly stable: Window;
  readonly panic: Window;
}

export interface Decider {
  readonly wish: {
    /** -1 before anything could be decided. */
    readonly desiredScale: number;
    readonly excessBurstCapacity: number;
    readonly because: string;
  };
  readonly settings: ScalingSettings;
  readonly inPanic: boolean;
  update(settings: ScalingSettings): void;
  record(stat: Counts, nowMs: number): void;
  /** Pods that nobody reported of are known to be idle. */
  recordIdle(nowMs: number): void;
  isDue(nowMs: number): boolean;
  /** Decides; true when whoever applies it must look. */
  tick(readyPods: number, nowMs: number): boolean;
  averages(nowMs: number): { readonly stable: number; readonly panic: number };
  isSilent(nowMs: number): boolean;
  /** Requests came until the last word: there must be another, so silence now is a word that is late. */
  expectsMore(nowMs: number): boolean;
}

export function makeDecider(first: ScalingSettings, readyPods: number, nowMs: number): Decider {
  let settings = first;
  let windows = both(settings);
  let memory: ScaleMemory = firstMemory(settings, readyPods, nowMs);
  let nextTickMs = nowMs + tickMs;
  let busy = false;
  let wish: Decider["wish"] = {
    desiredScale: -1,
    excessBurstCapacity: firstBurstCapacity(settings),
    because: "no counts yet",
  };

  const seen = (): Windows => windows[settings.metric];

  function add(concurrency: number, rps: number, atMs: number): void {
    const seconds = atMs / 1000;
    for (const window of Object.values(windows.concurrency) as Window[]) window.record(seconds, concurrency);
    for (const window of Object.values(windows.rps) as Window[]) window.record(seconds, rps);
  }

  return {
    get wish() {
      return wish;
    },
    get settings() {
      return settings;
    },
    get inPanic() {
      return memory.panic !== undefined;
    },
    update(next) {
      if (next.aggregation !== settings.aggregation) windows = both(next);
      for (const { stable, panic } of Object.values(windows)) {
        stable.resize(next.stableWindowMs / 1000);
        panic.resize(next.panicWindowMs / 1000);
      }
      settings = next;
    },
    record(stat, atMs) {
      busy = stat.requestCount > 0;
      add(
        stat.averageConcurrentRequests - stat.averageProxiedConcurrentRequests,
        stat.requestCount - stat.proxiedRequestCount,
        atMs,
      );
    },
    recordIdle: (atMs) => add(0, 0, atMs),
    isDue: (atMs) => atMs >= nextTickMs,
    tick(ready, atMs) {
      // A tick out of turn leaves the others their time.
      while (nextTickMs <= atMs) nextTickMs += tickMs;
      const seconds = atMs / 1000;
      const { stable, panic } = seen();
      const decision = decideScale(
        settings,
        {
          stable: stable.isEmpty(seconds) ? undefined : stable.average(seconds),
          panic: panic.average(seconds),
          readyPods: ready,
        },
        memory,
        atMs,
      );
      if (decision === undefined) return false;
      memory = decision.memory;
      const before = wish;
      wish = {
        desiredScale: decision.desired,
        excessBurstCapacity: decision.excessBurstCapacity,
        because: decision.because,
      };
      return (
        before.desiredScale !== wish.desiredScale ||
        before.excessBurstCapacity < 0 !== wish.excessBurstCapacity < 0
      );
    },
    averages(atMs) {
      const { stable, panic } = seen();
      return { stable: stable.average(atMs / 1000), panic: panic.average(atMs / 1000) };
    },
    isSilent: (atMs) => seen().stable.isEmpty(atMs / 1000),
    expectsMore: (atMs) => busy && !seen().stable.isEmpty(atMs / 1000),
  };
}

function both({ stableWindowMs, panicWindowMs, aggregation }: ScalingSettings) {
  const pair = (): Windows => ({
    stable: makeWindow(stableWindowMs / 1000, aggregation),
    panic: makeWindow(panicWindowMs / 1000, aggregation),
  });
  return { concurrency: pair(), rps: pair() };
}
