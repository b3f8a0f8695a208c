import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowReplicas, type BehaviorMemory, noMemory } from "./behavior.js";
import { type PodSample, proposeByUsage, type UsageTarget } from "./usage.js";

const pod = (used: number | undefined, more: Partial<PodSample> = {}): PodSample => ({
  name: "a",
  used,
  requested: 1000,
  unready: false,
  ...more,
});
const young = (used: number | undefined) => pod(used, { unready: true });
const half: UsageTarget = { type: "Utilization", percent: 50 };

describe("what one metric asks for", () => {
  it.each<[string, number, readonly PodSample[], UsageTarget, number]>([
    ["by its ratio, rounded up", 2, [pod(800), pod(800)], half, 4],
    ["by less", 4, [pod(100), pod(100), pod(100), pod(100)], half, 1],
    ["nothing within the tolerance", 2, [pod(545), pod(545)], half, 2],
    ["something just beyond it", 2, [pod(560), pod(560)], half, 3],
    ["by a value", 2, [pod(900), pod(900)], { type: "AverageValue", milli: 600 }, 3],
    [
      "with a silent pod taken for idle when pods would come",
      3,
      [pod(900), pod(900), pod(undefined)],
      half,
      4,
    ],
    ["with a silent pod taken for busy when pods would go", 3, [pod(100), pod(100), pod(undefined)], half, 3],
    ["with young pods left out when pods would go", 3, [pod(100), pod(100), young(900)], half, 1],
    ["with young pods taken for idle when pods would come", 2, [pod(900), young(undefined)], half, 2],
    [
      "nothing where the guess would turn it around",
      2,
      [pod(450), pod(undefined)],
      { type: "Utilization", percent: 50 },
      2,
    ],
  ])("%s", (_name, current, pods, target, want) => {
    expect(proposeByUsage(current, pods, target, "cpu")).toMatchObject({
      outcome: "proposed",
      replicas: want,
    });
  });

  it("tells what it saw", () => {
    expect(proposeByUsage(2, [pod(251), pod(250)], half, "cpu")).toMatchObject({
      percent: 25,
      averageMilli: 250.5,
    });
  });

  it.each<[string, readonly PodSample[], string]>([
    ["no pod was measured", [pod(undefined)], "failed to get cpu utilization: no metrics returned"],
    ["all are young", [young(5)], "failed to get cpu utilization: no metrics returned"],
    [
      "a container asked for nothing",
      [pod(5, { requested: undefined })],
      "failed to get cpu utilization: missing request for cpu in a container of Pod a",
    ],
  ])("is unknown where %s", (_name, pods, because) => {
    expect(proposeByUsage(1, pods, half, "cpu")).toEqual({
      outcome: "unknown",
      because: expect.stringContaining(because),
    });
  });
});

describe("what is allowed", () => {
  const bounds = { min: 1, max: 100 };
  const minute = 60_000;

  it("doubles at most in a period, or four", () => {
    expect(allowReplicas(bounds, undefined, 1, 50, noMemory, 0)).toMatchObject({
      replicas: 5,
      limited: { reason: "ScaleUpLimit" },
    });
    expect(allowReplicas(bounds, undefined, 20, 50, noMemory, 0)).toMatchObject({ replicas: 40 });
  });

  it("counts from where the period began", () => {
    const memory: BehaviorMemory = { recommendations: [], events: [{ atMs: 0, change: 4 }] };
    expect(allowReplicas(bounds, undefined, 5, 50, memory, 10_000).replicas).toBe(5);
    expect(allowReplicas(bounds, undefined, 5, 50, memory, 15_000).replicas).toBe(10);
  });

  it("goes down only by what was wished all through five minutes", () => {
    const memory: BehaviorMemory = { recommendations: [{ atMs: 0, replicas: 8 }], events: [] };
    expect(allowReplicas(bounds, undefined, 10, 2, memory, 4 * minute)).toMatchObject({
      replicas: 8,
      stabilized: "ScaleDownStabilized",
    });
    expect(allowReplicas(bounds, undefined, 10, 2, memory, 5 * minute)).toMatchObject({
      replicas: 2,
      stabilized: undefined,
    });
  });

  it("keeps the policies that are given, and the least of them where that is asked", () => {
    const scaleDown = {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Min",
      policies: [
        { type: "Pods", value: 2, periodSeconds: 60 },
        { type: "Percent", value: 50, periodSeconds: 60 },
      ],
    };
    expect(allowReplicas(bounds, { scaleDown }, 10, 1, noMemory, 0)).toMatchObject({
      replicas: 8,
      limited: { reason: "ScaleDownLimit" },
    });
    expect(
      allowReplicas(bounds, { scaleDown: { ...scaleDown, selectPolicy: "Disabled" } }, 10, 1, noMemory, 0)
        .replicas,
    ).toBe(10);
  });

  it.each([
    [3, 0, 1, "TooFewReplicas"],
    [90, 200, 100, "TooManyReplicas"],
  ])("from %i wished %i is %i: %s", (current, wished, replicas, reason) => {
    const scaleDown = { stabilizationWindowSeconds: 0 };
    expect(allowReplicas(bounds, { scaleDown }, current, wished, noMemory, 0)).toMatchObject({
      replicas,
      limited: { reason },
    });
  });

  it("is never out of bounds, whatever was before", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 30 }),
        (min, wishes) => {
          const within = { min, max: min + 30 };
          let current = min;
          let memory = noMemory;
          for (const [index, wish] of wishes.entries()) {
            const allowed = allowReplicas(within, undefined, current, wish, memory, index * 15_000);
            expect(allowed.replicas).toBeGreaterThanOrEqual(within.min);
            expect(allowed.replicas).toBeLessThanOrEqual(within.max);
            ({ memory } = allowed);
            current = allowed.replicas;
          }
        },
      ),
    );
  });
});
