import { describe, expect, it } from "vitest";
import { readServingConfig } from "../apis/config/index.js";
import { type ScalingSettings, scalingSettings } from "./settings.js";

type Texts = { readonly [key: string]: string };

function settingsOf(annotations: Texts = {}, limit = 0, config: Texts = {}): ScalingSettings {
  const named = Object.entries(annotations).map(([key, value]) => [`autoscaling.knative.dev/${key}`, value]);
  return scalingSettings(
    {
      metadata: { name: "cat-1", annotations: Object.fromEntries(named) },
      spec: { containerConcurrency: limit },
    },
    readServingConfig((name) => (name === "config-autoscaler" ? config : undefined)).autoscaler,
  );
}

describe("what one pod is aimed at", () => {
  it.each<[string, Texts, number, Texts, [capacity: number, target: number]]>([
    ["without a word", {}, 0, {}, [100, 70]],
    ["with a limit of the container", {}, 10, {}, [10, 7]],
    ["with a target", { target: "50" }, 0, {}, [50, 35]],
    ["with a target above the limit", { target: "50" }, 10, {}, [10, 7]],
    ["with a target below the limit", { target: "5" }, 10, {}, [5, 3.5]],
    ["with a utilization", { "target-utilization-percentage": "90" }, 10, {}, [10, 9]],
    ["by requests a second", { metric: "rps" }, 10, {}, [200, 140]],
    ["by a target of requests a second", { metric: "rps", target: "10" }, 1, {}, [10, 7]],
    ["by the cluster", {}, 0, { "container-concurrency-target-default": "40" }, [40, 28]],
    ["by the cluster's share", {}, 10, { "container-concurrency-target-percentage": "0.5" }, [10, 5]],
    [
      "that is never less than a hundredth",
      { target: "0.01", "target-utilization-percentage": "1" },
      0,
      {},
      [0.01, 0.01],
    ],
  ])("%s", (_name, annotations, limit, config, [capacity, target]) => {
    const settings = settingsOf(annotations, limit, config);
    expect([settings.capacity, settings.target]).toEqual([capacity, expect.closeTo(target, 9)]);
  });

  it("leaves requests a second their own share, whatever concurrency has", () => {
    expect(
      settingsOf({ metric: "rps" }, 0, { "container-concurrency-target-percentage": "10" }).target,
    ).toBeCloseTo(140);
  });
});

describe("each setting", () => {
  it.each<[string, string, Partial<ScalingSettings>]>([
    ["max-scale-up-rate", "3", { maxScaleUpRate: 3 }],
    ["max-scale-down-rate", "4", { maxScaleDownRate: 4 }],
    ["requests-per-second-target-default", "50", { capacity: 50, target: 35 }],
    ["target-burst-capacity", "5", { burstCapacity: 5 }],
    ["activator-capacity", "7", { activatorCapacity: 7 }],
    ["panic-window-percentage", "50", { panicWindowMs: 30_000 }],
    ["panic-threshold-percentage", "300", { panicThreshold: 3 }],
    ["scale-down-delay", "15s", { scaleDownDelayMs: 15_000 }],
    ["scale-to-zero-pod-retention-period", "9s", { retentionMs: 9_000 }],
    ["scale-to-zero-grace-period", "8s", { graceMs: 8_000 }],
    ["initial-scale", "6", { initialScale: 6 }],
  ])("of the cluster: %s", (key, value, want) => {
    const metric = key.startsWith("requests") ? { metric: "rps" } : {};
    expect(settingsOf(metric, 0, { [key]: value })).toMatchObject(want);
  });

  it.each<[string, Texts, Texts, Partial<ScalingSettings>]>([
    [
      "as shipped",
      {},
      {},
      {
        burstCapacity: 211,
        stableWindowMs: 60_000,
        panicWindowMs: 6_000,
        panicThreshold: 2,
        maxScaleUpRate: 1000,
        maxScaleDownRate: 2,
        activationScale: 1,
        initialScale: 1,
        minScale: 0,
        maxScale: Number.POSITIVE_INFINITY,
        scaleDownDelayMs: 0,
        enableScaleToZero: true,
        graceMs: 30_000,
        retentionMs: 0,
        aggregation: "linear",
        activatorCapacity: 100,
        metric: "concurrency",
        reachable: true,
      },
    ],
    [
      "a window and its panic share",
      { window: "30s", "panic-window-percentage": "15" },
      {},
      { stableWindowMs: 30_000, panicWindowMs: 5_000 },
    ],
    [
      "a panic window of at least a second",
      { window: "6s", "panic-window-percentage": "1" },
      {},
      { panicWindowMs: 1_000 },
    ],
    [
      "the old spellings",
      { minScale: "2", maxScale: "5", targetBurstCapacity: "-1", scaleDownDelay: "10s" },
      {},
      { minScale: 2, maxScale: 5, burstCapacity: -1, scaleDownDelayMs: 10_000 },
    ],
    ["the first spelling where both are there", { "min-scale": "3", minScale: "2" }, {}, { minScale: 3 }],
    ["a threshold", { "panic-threshold-percentage": "110.5" }, {}, { panicThreshold: 1.105 }],
    [
      "the weighted average by either name",
      { metricAggregationAlgorithm: "weightedExponential" },
      {},
      { aggregation: "weighted-exponential" },
    ],
    [
      "retention and activation",
      { "scale-to-zero-pod-retention-period": "1m5s", "activation-scale": "4" },
      {},
      { retentionMs: 65_000, activationScale: 4 },
    ],
    [
      "an initial scale of none, where it is allowed",
      { "initial-scale": "0" },
      { "allow-zero-initial-scale": "true" },
      { initialScale: 0 },
    ],
    ["an initial scale of none, where it is not", { "initial-scale": "0" }, {}, { initialScale: 1 }],
    [
      "no limit by an annotation of 0",
      { "max-scale": "0" },
      { "max-scale": "7" },
      { maxScale: Number.POSITIVE_INFINITY },
    ],
    [
      "the cluster's own",
      {},
      {
        "min-scale": "1",
        "max-scale": "9",
        "stable-window": "6s",
        "scale-to-zero-grace-period": "1s",
        "enable-scale-to-zero": "false",
      },
      { minScale: 1, maxScale: 9, stableWindowMs: 6_000, graceMs: 1_000, enableScaleToZero: false },
    ],
    [
      "nonsense is as if it were not there",
      { "min-scale": "few", window: "soon", target: "much" },
      {},
      { minScale: 0, stableWindowMs: 60_000, target: 70 },
    ],
  ])("%s", (_name, annotations, config, want) => {
    expect(settingsOf(annotations, 0, config)).toMatchObject(want);
  });
});
