// What each autoscaling annotation may say, and the words for what it may not (knative-serving.md, section 5.7).
import { describe, expect, it } from "vitest";
import { shippedConfig } from "../../../../test/admission.js";
import type { AutoscalerConfig } from "../config/index.js";
import { lines } from "./knativeError.js";
import { validateScaling } from "./scaling.validation.js";

const said = (
  annotations: { readonly [name: string]: string },
  config: Partial<AutoscalerConfig> = {},
): string => {
  const full = Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value]),
  );
  const errors = validateScaling(full, { ...shippedConfig.autoscaler, ...config });
  return lines(errors).join("\n").replaceAll("autoscaling.knative.dev/", "");
};

const max = 2147483647;
const hpa = "hpa.autoscaling.knative.dev";
const kpa = "kpa.autoscaling.knative.dev";
const precision = "must be specified with at most second precision";

describe("autoscaling annotations", () => {
  it.each<[{ readonly [name: string]: string }, string]>([
    [{}, ""],
    [{ class: kpa }, ""],
    [{ class: "mine.example.com", metric: "anything" }, ""],
    [{ class: "zap.autoscaling.knative.dev" }, "invalid value: zap.autoscaling.knative.dev: class"],
    [{ metric: "rps" }, ""],
    [{ metric: "cpu" }, "invalid value: cpu: metric"],
    [{ class: hpa, metric: "cpu" }, ""],
    [{ class: hpa, metric: "" }, "invalid value: : metric"],
    [{ target: "0.01" }, ""],
    [{ target: "0.001" }, "target 0.001 should be at least 0.01: target"],
    [{ target: "many" }, "invalid value: many: target"],
    [{ "target-utilization-percentage": "100" }, ""],
    [{ "target-utilization-percentage": "101" }, "expected 1 <= 101 <= 100: target-utilization-percentage"],
    [{ targetUtilizationPercentage: "0" }, "expected 1 <= 0 <= 100: targetUtilizationPercentage"],
    [{ "target-burst-capacity": "-1" }, ""],
    [{ "target-burst-capacity": "-2" }, "invalid value: -2: target-burst-capacity"],
    [{ targetBurstCapacity: "x" }, "invalid value: x: targetBurstCapacity"],
    [{ "min-scale": "1", "max-scale": "0" }, ""],
    [{ "min-scale": "-1" }, `expected 0 <= -1 <= ${max}: min-scale`],
    [{ minScale: "2147483648" }, `expected 0 <= 2147483648 <= ${max}: minScale`],
    [{ maxScale: "1.5" }, "invalid value: 1.5: maxScale"],
    [{ "min-scale": "3", maxScale: "2" }, "max-scale=2 is less than min-scale=3: max-scale, min-scale"],
    [{ "min-scale": "1", minScale: "zap" }, ""],
    [{ "initial-scale": "2" }, ""],
    [{ "initial-scale": "x" }, "invalid value: x: initial-scale"],
    [{ "initial-scale": "-1" }, "invalid value: -1: initial-scale must be greater than 0"],
    [{ initialScale: "0" }, "invalid value: 0: initialScale=0 not allowed by cluster"],
    [{ "activation-scale": "2" }, ""],
    [{ "activation-scale": "x" }, "invalid value: x: activation-scale"],
    [{ "activation-scale": "1" }, "activation-scale=1 must be greater than 1: activation-scale"],
    [
      { "activation-scale": "2", "min-scale": "3" },
      "min-scale=3 is greater than activation-scale=2: activation-scale",
    ],
    [
      { "activation-scale": "4", "max-scale": "3" },
      "max-scale=3 is less than activation-scale=4: activation-scale",
    ],
    [{ window: "6s" }, ""],
    [{ window: "5s" }, "expected 6s <= 5s <= 1h0m0s: window"],
    [{ window: "2h" }, "expected 6s <= 2h <= 1h0m0s: window"],
    [{ window: "6.5s" }, `${precision}: window`],
    [{ window: "long" }, "invalid value: long: window"],
    [{ "panic-window-percentage": "0.5" }, "expected 1 <= 0.5 <= 100: panic-window-percentage"],
    [{ panicWindowPercentage: "x" }, "invalid value: x: panicWindowPercentage"],
    [{ "panic-threshold-percentage": "109" }, "expected 110 <= 109 <= 1000: panic-threshold-percentage"],
    [{ panicThresholdPercentage: "110" }, ""],
    [{ "scale-down-delay": "0s" }, ""],
    [{ "scale-down-delay": "61m" }, "expected 0s <= 61m <= 1h0m0s: scale-down-delay"],
    [{ scaleDownDelay: "20ms" }, `${precision}: scaleDownDelay`],
    [{ "scale-to-zero-pod-retention-period": "1500ms" }, ""],
    [{ scaleToZeroPodRetentionPeriod: "-1s" }, "expected 0s <= -1s <= 1h0m0s: scaleToZeroPodRetentionPeriod"],
    [{ class: kpa, "metric-aggregation-algorithm": "weightedExponential" }, ""],
    [{ class: kpa, metricAggregationAlgorithm: "mean" }, "invalid value: mean: metricAggregationAlgorithm"],
    [{ "metric-aggregation-algorithm": "mean" }, ""],
  ])("%j", (annotations, want) => {
    expect(said(annotations)).toBe(want);
  });

  it("may let the cluster's limit be exceeded by nobody", () => {
    const limited = { maxScaleLimit: 5 };
    expect(said({ "max-scale": "5" }, limited)).toBe("");
    expect(said({ "max-scale": "6" }, limited)).toBe("expected 1 <= 6 <= 5: max-scale");
    expect(said({ maxScale: "0" }, limited)).toBe("max-scale=0 (unlimited), must be less than 5: maxScale");
  });

  it("may begin at zero where the cluster lets them", () => {
    expect(said({ "initial-scale": "0" }, { allowZeroInitialScale: true })).toBe("");
  });
});
