import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readServingConfig } from "../apis/config/index.js";
import { isoSeconds } from "../apis/meta/time.js";
import { numActivators, serveMode } from "./burst.js";
import { type ApplyInput, decideApply } from "./decideApply.js";
import { judgeActive, leastReady } from "./judgeActive.js";
import { type ScalingSettings, scalingSettings } from "./settings.js";

const shipped = scalingSettings(
  { metadata: { name: "cat-1" } },
  readServingConfig(() => undefined).autoscaler,
);
const nowMs = 1_000_000_000;

type Active = readonly ["True" | "False" | "Unknown", number];

function apply(active: Active, some: Partial<ApplyInput> = {}, settings: Partial<ScalingSettings> = {}) {
  const [status, forMs] = active;
  const input: ApplyInput = {
    desired: 0,
    active: { status, lastTransitionTime: isoSeconds(nowMs - forMs) },
    initialized: true,
    unrouted: false,
    giveUpAfterMs: undefined,
    proxySinceMs: undefined,
    activatorInPath: true,
    nowMs,
    ...some,
  };
  const { want, replicas, lookAgainInMs } = decideApply({ ...shipped, ...settings }, input);
  return [want, replicas, lookAgainInMs];
}

type Row = readonly [
  string,
  Active,
  Partial<ApplyInput>,
  Partial<ScalingSettings>,
  readonly (number | undefined)[],
];

describe("a wish", () => {
  it.each<Row>([
    ["is applied", ["True", 0], { desired: 3 }, {}, [3, 3, undefined]],
    ["is held up by the minimum", ["True", 0], { desired: 1 }, { minScale: 2 }, [2, 2, undefined]],
    ["is held down by the maximum", ["True", 0], { desired: 9 }, { maxScale: 5 }, [5, 5, undefined]],
    [
      "is held up by the initial scale at first",
      ["Unknown", 0],
      { desired: 1, initialized: false },
      { initialScale: 4 },
      [4, 4, undefined],
    ],
    ["is not held up by it later", ["True", 0], { desired: 1 }, { initialScale: 4 }, [1, 1, undefined]],
    [
      "of a pod that cannot be reached has no minimum",
      ["True", 0],
      { desired: 1 },
      { minScale: 4, reachable: false },
      [1, 1, undefined],
    ],
    [
      "that nobody has yet changes nothing",
      ["True", 0],
      { desired: -1 },
      { minScale: 2 },
      [-1, undefined, undefined],
    ],
    [
      "that nobody has yet is the minimum while it starts",
      ["Unknown", 0],
      { desired: -1 },
      { minScale: 2 },
      [2, 2, undefined],
    ],
    [
      "that nobody has yet leaves a start alone",
      ["Unknown", 0],
      { desired: -1 },
      {},
      [-1, undefined, undefined],
    ],
  ])("%s", (_name, active, input, settings, want) => expect(apply(active, input, settings)).toEqual(want));
});

describe("a wish for none", () => {
  it.each<Row>([
    ["is one pod without scale to zero", ["False", 1e6], {}, { enableScaleToZero: false }, [1, 1, undefined]],
    [
      "waits for a start to fail",
      ["Unknown", 100_000],
      { giveUpAfterMs: 150_000 },
      {},
      [-1, undefined, 50_000],
    ],
    [
      "ends a start that took too long",
      ["Unknown", 150_000],
      { giveUpAfterMs: 150_000 },
      {},
      [0, 0, undefined],
    ],
    [
      "never ends a start that is only slow",
      ["Unknown", 1e7],
      { giveUpAfterMs: undefined },
      {},
      [-1, undefined, undefined],
    ],
    ["keeps one pod through its stable window", ["True", 20_000], {}, {}, [1, 1, 40_000]],
    ["makes it inactive after that", ["True", 60_000], {}, {}, [0, undefined, undefined]],
    [
      "looks again where the mode will not change",
      ["True", 60_000],
      { proxySinceMs: nowMs - 5_000 },
      {},
      [0, undefined, 3_000],
    ],
    [
      "asks whether the activator answers",
      ["False", 1e6],
      { activatorInPath: false },
      {},
      [0, undefined, 1_000],
    ],
    [
      "need not ask where it is always there",
      ["False", 1e6],
      { activatorInPath: false },
      { burstCapacity: -1 },
      [0, 0, undefined],
    ],
    ["goes after the grace", ["False", 30_000], {}, {}, [0, 0, undefined]],
    [
      "goes sooner where the activator had it that long",
      ["False", 1_000],
      { proxySinceMs: nowMs - 30_000 },
      {},
      [0, 0, undefined],
    ],
    [
      "waits the rest of the grace",
      ["False", 1_000],
      { proxySinceMs: nowMs - 10_000 },
      {},
      [0, undefined, 20_000],
    ],
    ["waits all of it where the activator is not there", ["False", 1_000], {}, {}, [0, undefined, 30_000]],
    [
      "waits for the retention",
      ["False", 40_000],
      { proxySinceMs: nowMs - 90_000 },
      { retentionMs: 60_000 },
      [0, undefined, 20_000],
    ],
    ["goes after the retention", ["False", 60_000], {}, { retentionMs: 60_000 }, [0, 0, undefined]],
    [
      "retains nothing that cannot be reached",
      ["False", 30_000],
      {},
      { retentionMs: 60_000, reachable: false },
      [0, 0, undefined],
    ],
    [
      "is granted at once where no Route leads",
      ["True", 1_000],
      { unrouted: true, desired: -1 },
      { reachable: false },
      [0, 0, undefined],
    ],
  ])("%s", (_name, active, input, settings, want) => expect(apply(active, input, settings)).toEqual(want));
});

it("no wish is applied below the minimum or above the maximum", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1, max: 50 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 0, max: 20 }),
      fc.constantFrom("True", "False", "Unknown") as fc.Arbitrary<Active[0]>,
      fc.integer({ min: 0, max: 300_000 }),
      (desired, minScale, more, status, forMs) => {
        const maxScale = minScale + more;
        const [, replicas] = apply([status, forMs], { desired }, { minScale, maxScale });
        if (replicas === undefined) return;
        expect(replicas).toBeGreaterThanOrEqual(minScale);
        expect(replicas).toBeLessThanOrEqual(maxScale);
      },
    ),
  );
});

describe("Active", () => {
  const texts = {
    NoTraffic: "False NoTraffic",
    TimedOut: "False TimedOut",
    Queued: "Unknown Queued",
    True: "True",
  } as const;
  const judged = (status: string) => ({ status, reason: "", message: "" }) as never;
  // As the reference has them: what is wanted, ready of how many, and what was.
  it.each<[number, number, number, string, keyof typeof texts]>([
    [0, 0, 1, "Unknown", "TimedOut"],
    [0, 0, 1, "True", "NoTraffic"],
    [0, 0, 1, "False", "NoTraffic"],
    [0, 1, 1, "True", "NoTraffic"],
    [3, 0, 0, "Unknown", "NoTraffic"],
    [-1, 0, 0, "Unknown", "NoTraffic"],
    [1, 0, 1, "True", "Queued"],
    [1, 0, 1, "False", "Queued"],
    [3, 2, 3, "True", "Queued"],
    [-1, 0, 1, "True", "Queued"],
    [-1, 0, 1, "Unknown", "Queued"],
    [-1, 0, 1, "False", "NoTraffic"],
    [1, 1, 1, "False", "True"],
    [2, 1, 1, "Unknown", "True"],
    [-1, 1, 1, "True", "True"],
    [-1, 1, 1, "Unknown", "True"],
    [-1, 1, 1, "False", "NoTraffic"],
  ])("of a wish for %i, with %i ready of %i, after %s is %s", (want, ready, least, before, verdict) => {
    const was = before === "False" ? judgeActive(0, 0, 1, judged("True")) : judged(before);
    const { status, reason = "" } = judgeActive(want, ready, least, was);
    expect([status, reason].filter(Boolean).join(" ")).toBe(texts[verdict]);
  });

  it("stays TimedOut until somebody asks", () => {
    const given = judgeActive(0, 0, 1, judged("Unknown"));
    expect(judgeActive(0, 0, 1, given)).toEqual(given);
    expect(judgeActive(-1, 0, 1, given)).toEqual(given);
    expect(judgeActive(1, 0, 1, given).status).toBe("Unknown");
  });

  it.each<[string, Partial<ScalingSettings>, boolean, number]>([
    ["the initial scale at first", { initialScale: 3 }, false, 3],
    ["the minimum where it is more", { initialScale: 3, minScale: 5 }, false, 5],
    ["one later", { initialScale: 3 }, true, 1],
    ["the minimum later", { minScale: 2 }, true, 2],
    ["no more than the maximum", { initialScale: 3, maxScale: 2 }, false, 2],
    ["none for one that begins asleep", { initialScale: 0 }, false, 0],
  ])("needs %s", (_name, settings, initialized, want) => {
    expect(leastReady({ ...shipped, ...settings }, initialized)).toBe(want);
  });
});

describe("the way of requests", () => {
  it.each([
    [0, 100, "Proxy"],
    [-1, 100, "Proxy"],
    [1, -1, "Proxy"],
    [1, 0, "Serve"],
    [1, 5, "Serve"],
  ])("with %i wanted and room for %i is %s", (want, room, mode) => expect(serveMode(want, room)).toBe(mode));

  it.each<[Partial<ScalingSettings>, number, number]>([
    [{ burstCapacity: 0 }, 100, 2],
    [{}, 0, 3],
    [{}, 3, 6],
    [{ burstCapacity: -1 }, 1, 2],
    [{ burstCapacity: -1 }, 5, 5],
    [{ activatorCapacity: 1000 }, 3, 2],
  ])("%o with %i pods has %i activators", (settings, ready, want) => {
    expect(numActivators({ ...shipped, ...settings }, ready)).toBe(want);
  });
});
