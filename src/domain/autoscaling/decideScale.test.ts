import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readServingConfig } from "../apis/config/index.js";
import {
  decideScale,
  firstBurstCapacity,
  firstMemory,
  type Observation,
  type ScaleMemory,
} from "./decideScale.js";
import { type ScalingSettings, scalingSettings } from "./settings.js";

const shipped = scalingSettings(
  { metadata: { name: "cat-1" }, spec: { containerConcurrency: 10 } },
  readServingConfig(() => undefined).autoscaler,
);
const calm: ScaleMemory = { panic: undefined, recent: undefined };
const nowMs = 1_000_000;

interface Row {
  readonly name: string;
  readonly settings?: Partial<ScalingSettings>;
  readonly seen: Partial<Observation>;
  readonly before?: ScaleMemory;
  readonly desired: number;
  readonly burst?: number;
  readonly panic?: boolean;
  readonly because?: string;
}

// Target 7 a pod, of a capacity of 10.
const rows: readonly Row[] = [
  { name: "nothing to do is nothing to have", seen: { stable: 0, readyPods: 1 }, desired: 0 },
  { name: "any request is a pod", seen: { stable: 0.1, panic: 0.1, readyPods: 0 }, desired: 1 },
  {
    name: "load by target, rounded up",
    seen: { stable: 14.1, panic: 14.1, readyPods: 2 },
    desired: 3,
    because: "concurrency 14.1 at target 7",
  },
  { name: "exactly full is not one more", seen: { stable: 14, panic: 14, readyPods: 2 }, desired: 2 },
  {
    name: "no more than the rate allows",
    settings: { maxScaleUpRate: 2 },
    seen: { stable: 700, panic: 7, readyPods: 3 },
    desired: 6,
    because: "concurrency 700 at target 7: no more than 6 at once",
  },
  {
    name: "the rate counts from one pod where there is none",
    settings: { maxScaleUpRate: 2 },
    seen: { stable: 700, panic: 0, readyPods: 0 },
    desired: 2,
  },
  {
    name: "no fewer than half at once",
    seen: { stable: 0, panic: 0, readyPods: 9 },
    desired: 4,
    because: "concurrency 0 at target 7: no fewer than 4 at once",
  },
  {
    name: "one that cannot be reached is let go whole",
    settings: { reachable: false },
    seen: { stable: 0, readyPods: 9 },
    desired: 0,
  },
  {
    name: "activation scale once anything is wanted",
    settings: { activationScale: 5 },
    seen: { stable: 1, panic: 1, readyPods: 0 },
    desired: 5,
    because: "concurrency 1 at target 7: activation scale",
  },
  {
    name: "activation scale wants nothing by itself",
    settings: { activationScale: 5 },
    seen: { stable: 0, readyPods: 0 },
    desired: 0,
  },
  {
    name: "twice what the pods can take is panic",
    seen: { stable: 7, panic: 140, readyPods: 10 },
    desired: 20,
    panic: true,
    because: "panic: concurrency 140 at target 7",
  },
  { name: "a little less is not", seen: { stable: 70, panic: 133, readyPods: 10 }, desired: 10 },
  { name: "one request at zero is no panic", seen: { stable: 1, panic: 1, readyPods: 0 }, desired: 1 },
  {
    name: "two pods' worth at zero is",
    seen: { stable: 8, panic: 8, readyPods: 0 },
    desired: 2,
    panic: true,
  },
  {
    name: "panic never takes away",
    seen: { stable: 7, panic: 7, readyPods: 20 },
    before: { panic: { sinceMs: nowMs - 30_000, floor: 20 }, recent: undefined },
    desired: 20,
    panic: true,
    because: "panic: concurrency 7 at target 7: not below 20 meanwhile",
  },
  {
    name: "panic lasts a stable window after its last alarm",
    seen: { stable: 7, panic: 7, readyPods: 20 },
    before: { panic: { sinceMs: nowMs - 60_000, floor: 20 }, recent: undefined },
    desired: 20,
    panic: true,
  },
  {
    name: "and no longer",
    seen: { stable: 77, panic: 7, readyPods: 20 },
    before: { panic: { sinceMs: nowMs - 60_001, floor: 20 }, recent: undefined },
    desired: 11,
  },
  { name: "room for a burst", seen: { stable: 0, panic: 3.5, readyPods: 30 }, desired: 15, burst: 85 },
  { name: "is missing at first", seen: { stable: 1, panic: 1, readyPods: 0 }, desired: 1, burst: -212 },
  {
    name: "is not asked for",
    settings: { burstCapacity: 0 },
    seen: { stable: 1, panic: 1 },
    desired: 1,
    burst: 0,
  },
  {
    name: "is never enough",
    settings: { burstCapacity: -1 },
    seen: { stable: 1, panic: 1, readyPods: 50 },
    desired: 25,
    burst: -1,
  },
  {
    name: "silence behind an activator is no traffic",
    settings: { burstCapacity: -1 },
    seen: { stable: undefined, readyPods: 1 },
    desired: 0,
  },
  {
    name: "a lower wish waits",
    settings: { scaleDownDelayMs: 10_000 },
    seen: { stable: 7, panic: 7, readyPods: 8 },
    before: { panic: undefined, recent: [{ slot: nowMs / 2000 - 4, value: 8 }] },
    desired: 8,
    because: "concurrency 7 at target 7: held at 8 by the scale-down delay",
  },
  {
    name: "and no longer than its delay",
    settings: { scaleDownDelayMs: 10_000 },
    seen: { stable: 7, panic: 7, readyPods: 2 },
    before: { panic: undefined, recent: [{ slot: nowMs / 2000 - 5, value: 8 }] },
    desired: 1,
  },
  {
    name: "a delay is only for those that can be reached",
    settings: { scaleDownDelayMs: 10_000, reachable: false },
    seen: { stable: 7, panic: 7, readyPods: 8 },
    before: { panic: undefined, recent: [{ slot: nowMs / 2000 - 1, value: 8 }] },
    desired: 1,
  },
];

describe("how many pods", () => {
  it.each(rows.map((row) => [row.name, row] as const))("%s", (_name, row) => {
    const seen = { stable: 0, panic: 0, readyPods: 1, ...row.seen };
    const decision = decideScale({ ...shipped, ...row.settings }, seen, row.before ?? calm, nowMs);
    expect(decision?.desired).toBe(row.desired);
    expect(decision?.memory.panic !== undefined).toBe(row.panic ?? false);
    if (row.burst !== undefined) expect(decision?.excessBurstCapacity).toBe(row.burst);
    if (row.because !== undefined) expect(decision?.because).toBe(row.because);
  });

  it("cannot be said when nothing was heard", () => {
    expect(decideScale(shipped, { stable: undefined, panic: 0, readyPods: 0 }, calm, nowMs)).toBeUndefined();
  });

  it("begins in panic where pods run already, so that a restart takes none away", () => {
    expect(firstMemory(shipped, 8, nowMs).panic).toEqual({ sinceMs: nowMs, floor: 8 });
    expect(firstMemory(shipped, 1, nowMs).panic).toBeUndefined();
    const decision = decideScale(
      shipped,
      { stable: 0, panic: 0, readyPods: 8 },
      firstMemory(shipped, 8, nowMs),
      nowMs,
    );
    expect(decision?.desired).toBe(8);
  });

  it("has a first burst capacity before anything is heard", () => {
    expect(firstBurstCapacity(shipped)).toBe(-201);
    expect(firstBurstCapacity({ ...shipped, burstCapacity: 0 })).toBe(0);
    expect(firstBurstCapacity({ ...shipped, burstCapacity: -1 })).toBe(-1);
  });
});

const observation = fc.record({
  stable: fc.double({ min: 0, max: 5000, noNaN: true }),
  panic: fc.double({ min: 0, max: 5000, noNaN: true }),
  readyPods: fc.integer({ min: 0, max: 300 }),
});
const changed = fc.record({
  maxScaleUpRate: fc.double({ min: 1.1, max: 1000, noNaN: true }),
  maxScaleDownRate: fc.double({ min: 1.1, max: 10, noNaN: true }),
  activationScale: fc.integer({ min: 1, max: 10 }),
  reachable: fc.boolean(),
  scaleDownDelayMs: fc.constantFrom(0, 6_000, 60_000),
});

describe("over any course of things", () => {
  it("panic never decreases, rates hold, and the same input is the same answer", () => {
    fc.assert(
      fc.property(changed, fc.array(observation, { minLength: 1, maxLength: 60 }), (some, course) => {
        const settings = { ...shipped, ...some };
        let memory = firstMemory(settings, course[0]?.readyPods ?? 0, nowMs);
        let floor = 0;
        for (const [index, seen] of course.entries()) {
          const atMs = nowMs + index * 2_000;
          const decision = decideScale(settings, seen, memory, atMs);
          expect(decision).toEqual(decideScale(settings, seen, memory, atMs));
          if (decision === undefined) throw new Error("something was heard");
          const { desired, memory: next } = decision;
          if (next.panic === undefined) floor = 0;
          else {
            expect(desired).toBeGreaterThanOrEqual(floor);
            floor = next.panic.floor;
          }
          const ready = Math.max(1, seen.readyPods);
          if (next.panic === undefined && next.recent === undefined) {
            const most = Math.max(Math.ceil(settings.maxScaleUpRate * ready), settings.activationScale);
            expect(desired).toBeLessThanOrEqual(most);
            if (settings.reachable)
              expect(desired).toBeGreaterThanOrEqual(Math.floor(ready / settings.maxScaleDownRate));
          }
          expect(desired).toBeGreaterThanOrEqual(0);
          expect(decision.because).not.toBe("");
          memory = next;
        }
      }),
    );
  });

  it("a delayed wish is the highest of the last while", () => {
    const settings = { ...shipped, scaleDownDelayMs: 10_000, maxScaleDownRate: 1e9, panicThreshold: 1e9 };
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 40 }), (wishes) => {
        let memory = firstMemory(settings, 0, 0);
        for (const [index, wish] of wishes.entries()) {
          const seen = { stable: wish * 7, panic: 0, readyPods: 0 };
          const decision = decideScale(settings, seen, memory, index * 2_000);
          expect(decision?.desired).toBe(Math.max(...wishes.slice(Math.max(0, index - 4), index + 1)));
          memory = decision?.memory ?? memory;
        }
      }),
    );
  });
});
