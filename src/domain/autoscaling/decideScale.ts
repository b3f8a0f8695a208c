/**
 * How many pods one Revision wants at one instant (knative-serving.md, section 5.4). Counts, the clock and the memory
 * of the decisions before come in as values; the new memory goes out with the decision.
 */
import type { ScalingSettings } from "./settings.js";
import { type Sample, slidingMax } from "./slidingMax.js";

/** What is seen at one instant. */
export interface Observation {
  /** Averages of the metric over both windows; undefined when nothing was heard in the long one. */
  readonly stable: number | undefined;
  readonly panic: number;
  readonly readyPods: number;
}

export interface Panic {
  readonly sinceMs: number;
  /** While it lasts the wish never falls below this. */
  readonly floor: number;
}

/** What a decision leaves for the next one. */
export interface ScaleMemory {
  readonly panic: Panic | undefined;
  /** Wishes of the last while, when lower ones must stand that long; undefined when they need not. */
  readonly recent: readonly Sample[] | undefined;
}

export interface ScaleDecision {
  readonly desired: number;
  /** Room for sudden requests beyond what is wanted; below zero the activator stays in their path. */
  readonly excessBurstCapacity: number;
  readonly memory: ScaleMemory;
  readonly because: string;
}

/** Wishes of one such span are one in the memory of lower ones that wait. */
export const tickMs = 2_000;

/** Whoever finds pods running was not there when they were wanted: it may take away none until it has looked long enough. */
export function firstMemory(
  { scaleDownDelayMs }: ScalingSettings,
  readyPods: number,
  nowMs: number,
): ScaleMemory {
  return {
    panic: readyPods > 1 ? { sinceMs: nowMs, floor: readyPods } : undefined,
    recent: scaleDownDelayMs > 0 ? [] : undefined,
  };
}

/** Before anything was decided. */
export function firstBurstCapacity({ burstCapacity, capacity, initialScale }: ScalingSettings): number {
  return burstCapacity <= 0 ? burstCapacity : Math.trunc(initialScale * capacity - burstCapacity);
}

/** Undefined when nothing was heard, so that nothing can be decided. */
export function decideScale(
  settings: ScalingSettings,
  seen: Observation,
  before: ScaleMemory,
  nowMs: number,
): ScaleDecision | undefined {
  // With the activator always in the path its own counts say everything: silence is no traffic.
  const stableAverage = seen.stable ?? (settings.burstCapacity === -1 ? 0 : undefined);
  if (stableAverage === undefined) return undefined;
  const { target, reachable } = settings;
  const ready = Math.max(1, seen.readyPods);
  const most = Math.ceil(settings.maxScaleUpRate * ready);
  const least = reachable ? Math.floor(ready / settings.maxScaleDownRate) : 0;
  const forStable = Math.ceil(stableAverage / target);
  const forPanic = Math.ceil(seen.panic / target);
  const within = (wish: number): number => {
    const bounded = Math.min(Math.max(wish, least), most);
    return wish > 0 ? Math.max(bounded, settings.activationScale) : bounded;
  };
  const stable = within(forStable);
  const panicking = within(forPanic);

  const alarm = forPanic / ready >= settings.panicThreshold;
  const panic = panicAfter(before.panic, alarm, settings, nowMs);
  const highest = Math.max(stable, panicking, panic?.floor ?? 0);
  const wish = panic === undefined ? stable : highest;
  const recent =
    before.recent === undefined || !reachable
      ? before.recent
      : slidingMax(before.recent, nowMs, wish, settings.scaleDownDelayMs, tickMs);
  const desired = recent === undefined || !reachable ? wish : Math.max(wish, recent[0]?.value ?? 0);
  return {
    desired,
    excessBurstCapacity: excessBurstCapacity(settings, seen),
    memory: { panic: panic === undefined ? undefined : { ...panic, floor: highest }, recent },
    because: because(),
  };

  function because(): string {
    const load = panic === undefined ? stableAverage : seen.panic;
    const asked = panic === undefined ? forStable : forPanic;
    const what = `${panic === undefined ? "" : "panic: "}${settings.metric} ${short(load ?? 0)} at target ${short(target)}`;
    if (desired > wish) return `${what}: held at ${desired} by the scale-down delay`;
    if (panic !== undefined && wish > Math.max(stable, panicking))
      return `${what}: not below ${wish} meanwhile`;
    if (wish === asked) return what;
    if (wish === most) return `${what}: no more than ${most} at once`;
    if (wish === settings.activationScale) return `${what}: activation scale`;
    return wish === least ? `${what}: no fewer than ${least} at once` : what;
  }
}

/** Begins with a sudden rise, is prolonged by each further one, and ends a whole long window after the last. */
function panicAfter(
  before: Panic | undefined,
  alarm: boolean,
  { stableWindowMs }: ScalingSettings,
  nowMs: number,
): Panic | undefined {
  if (alarm) return { sinceMs: nowMs, floor: before?.floor ?? 0 };
  return before !== undefined && before.sinceMs + stableWindowMs < nowMs ? undefined : before;
}

function excessBurstCapacity({ burstCapacity, capacity }: ScalingSettings, seen: Observation): number {
  if (burstCapacity <= 0) return burstCapacity;
  return Math.floor(seen.readyPods * capacity - burstCapacity - seen.panic);
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
