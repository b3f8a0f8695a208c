// A step from nothing to a thousand requests a second and back, to the pod: what the decider does is worked out a second time.
import { describe, expect, it } from "vitest";
import { readServingConfig } from "../apis/config/index.js";
import { type PodModel, type ReplaySecond, replay } from "./replay.js";
import { scalingSettings } from "./settings.js";
import { replaySettings } from "./trace.js";

const model: PodModel = { serviceMs: 100, containerConcurrency: 10, startMs: 1_000 };
const shipped = scalingSettings(
  { metadata: { name: "cat-1" }, spec: { containerConcurrency: 10 } },
  readServingConfig(() => undefined).autoscaler,
);
const from = 200;
const until = 400;
const step = {
  unit: "rps",
  points: [
    { second: from, load: 1000 },
    { second: until, load: 0 },
  ],
} as const;

/** What was told in each second, as the reference has it: a poke, then reports that leave it out, then zeros. */
function told(seconds: readonly ReplaySecond[]): ReadonlyMap<number, number> {
  const heard = new Map<number, number>();
  const add = (second: number, value: number) => heard.set(second, (heard.get(second) ?? 0) + value);
  for (const { second, concurrency, ready } of seconds) {
    if (second === from) add(second, 1);
    if (concurrency > 0) add(second + 1, concurrency - (second === from ? 1 : 0));
    else if (ready > 0) add(second + 1, 0);
  }
  return heard;
}

/** Straight from the reference's section 5.4: sums over lists, no rings, no state but panic. */
function oracle(seconds: readonly ReplaySecond[]): ReadonlyMap<number, number> {
  const heard = told(seconds);
  const wished = new Map<number, number>();
  let panicSince: number | undefined;
  let floor = 0;
  for (let now = from + 2; now <= until + 60; now += 2) {
    // Nothing was heard for a whole window before, so both begin with the first request.
    const mean = (window: number): number =>
      [...heard]
        .filter(([second]) => second >= from && second > now - window && second <= now)
        .reduce((sum, [, value]) => sum + value, 0) / Math.min(window, now - from + 1);
    // What was wanted two seconds ago is ready by now.
    const ready = Math.max(1, seconds[now - 2]?.replicas ?? 0);
    const clamp = (wish: number) => Math.min(Math.max(wish, Math.floor(ready / 2)), 1000 * ready);
    const forStable = Math.ceil(round(mean(60)) / 7);
    const forPanic = Math.ceil(round(mean(6)) / 7);
    if (forPanic / ready >= 2) panicSince = now;
    else if (panicSince !== undefined && panicSince + 60 < now) {
      panicSince = undefined;
      floor = 0;
    }
    const stable = clamp(forStable);
    if (panicSince === undefined) wished.set(now, stable);
    else {
      floor = Math.max(floor, stable, clamp(forPanic));
      wished.set(now, floor);
    }
  }
  return wished;
}

const round = (value: number) => Math.round(value * 1e6) / 1e6;

describe("a step to 1,000 requests a second", () => {
  const seconds = replay(step, shipped, model, until + 200);
  const at = (second: number): ReplaySecond => seconds[second] as ReplaySecond;

  it("follows the arithmetic to the pod, every two seconds", () => {
    const wished = oracle(seconds);
    expect(wished.size).toBeGreaterThan(100);
    for (const [now, want] of wished) expect([now, at(now - 1).desired]).toEqual([now, want]);
  });

  it("begins asleep, is woken by the first request at once, and panics on what is held", () => {
    expect(at(from - 1)).toMatchObject({ replicas: 0, active: "False" });
    expect(at(from)).toMatchObject({ replicas: 1 });
    expect(at(from + 1)).toMatchObject({ panic: true });
    // All that was held is worked off within a few seconds.
    expect(at(from + 5).held).toBe(0);
  });

  it("takes no pod away in panic, then settles at 100 at once by 7 a pod, halving at most", () => {
    const panic = seconds.filter((one) => one.panic && one.second < until);
    for (const [index, one] of panic.entries()) {
      expect(one.replicas).toBeGreaterThanOrEqual(panic[index - 1]?.replicas ?? 0);
    }
    expect(at(until - 1)).toMatchObject({ concurrency: 100, replicas: 15, ready: 15, held: 0, panic: false });
  });

  it("goes to zero once nobody has asked for the whole window, and not sooner", () => {
    expect(at(until + 57).replicas).toBeGreaterThan(0);
    expect(at(until + 62)).toMatchObject({ replicas: 0, active: "False" });
    expect(seconds.at(-1)).toMatchObject({ replicas: 0 });
  });

  it("with a maximum has no more, and works the rest off later", () => {
    const bounded = replaySettings(["max-scale=12"], 10);
    if ("because" in bounded) throw new Error(bounded.because);
    const run = replay(step, bounded.value, model, until + 200);
    expect(Math.max(...run.map(({ replicas }) => replicas))).toBe(12);
    expect(run[until - 1]?.held).toBe(0);
  });

  it("is the same each time", () => {
    expect(replay(step, shipped, model, until + 200)).toEqual(seconds);
  });
});

it("counts requests a second where that is the metric", () => {
  const settings = replaySettings(["metric=rps", "target=100"], 10);
  if ("because" in settings) throw new Error(settings.because);
  const run = replay(step, settings.value, model, until);
  // 1,000 a second at 70 a pod.
  expect(run[until - 1]).toMatchObject({ replicas: 15, panic: false });
});
