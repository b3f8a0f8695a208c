import { describe, expect, it } from "vitest";
import { admitted, shippedConfig } from "../../../../test/admission.js";
import { Metric } from "./metric.types.js";
import { PodAutoscaler } from "./podAutoscaler.types.js";

type Part = { readonly [name: string]: unknown };

const target = { apiVersion: "apps/v1", kind: "Deployment", name: "cat-1-deployment" };
const scaler = (spec: Part = {}, annotations: Part = {}) => ({
  metadata: { name: "cat-1", annotations },
  spec: { scaleTargetRef: target, protocolType: "http1", ...spec },
});
const hpa = "hpa.autoscaling.knative.dev";
const key = (name: string) => `autoscaling.knative.dev/${name}`;

describe("PodAutoscaler", () => {
  it.each<[string, Part, Part]>([
    [
      "the cluster's class and its metric",
      {},
      { class: "kpa.autoscaling.knative.dev", metric: "concurrency" },
    ],
    ["cpu for an HPA", { [key("class")]: hpa }, { class: hpa, metric: "cpu" }],
    ["nothing more for others", { [key("class")]: "mine" }, { class: "mine" }],
    ["what is said", { [key("metric")]: "rps" }, { class: "kpa.autoscaling.knative.dev", metric: "rps" }],
  ])("has %s", (_name, annotations, want) => {
    const { object, denied } = admitted(PodAutoscaler, scaler({}, annotations));
    expect(denied).toBeUndefined();
    const named = Object.fromEntries(Object.entries(want).map(([name, value]) => [key(name), value]));
    expect(object.metadata.annotations).toEqual(named);
  });

  it.each<[string, object, string]>([
    ["an empty spec", { ...scaler(), spec: {} }, "missing field(s): spec"],
    [
      "no target",
      scaler({ scaleTargetRef: {} }),
      "missing field(s): spec.scaleTargetRef.apiVersion, spec.scaleTargetRef.kind, spec.scaleTargetRef.name",
    ],
    [
      "a target that cannot be",
      scaler({ scaleTargetRef: { ...target, kind: "a-b" } }),
      "invalid value: a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*'): spec.scaleTargetRef.kind",
    ],
    [
      "too much concurrency",
      scaler({ containerConcurrency: 1001 }),
      "expected 0 <= 1001 <= 1000: spec.containerConcurrency",
    ],
    [
      "an annotation that makes no sense",
      scaler({}, { [key("min-scale")]: "few" }),
      "invalid value: few: metadata.annotations.autoscaling.knative.dev/min-scale",
    ],
  ])("%s", (_name, given, want) => {
    expect(admitted(PodAutoscaler, given).denied).toBe(`validation failed: ${want}`);
  });

  it("has the class that config-autoscaler names", () => {
    const config = {
      ...shippedConfig,
      autoscaler: { ...shippedConfig.autoscaler, podAutoscalerClass: hpa },
    };
    const { object } = admitted(PodAutoscaler, scaler(), { config });
    expect(object.metadata.annotations?.[key("class")]).toBe(hpa);
  });
});

describe("Metric", () => {
  const metric = (annotations: Part = {}) => ({
    metadata: { name: "cat-1", annotations },
    spec: { stableWindow: 60_000_000_000, panicWindow: 6_000_000_000, scrapeTarget: "cat-1-private" },
  });

  it("is admitted, its annotations judged like a template's", () => {
    expect(admitted(Metric, metric()).denied).toBeUndefined();
    expect(admitted(Metric, metric({ [key("window")]: "1s" })).denied).toBe(
      "validation failed: expected 6s <= 1s <= 1h0m0s: metadata.annotations.autoscaling.knative.dev/window",
    );
  });

  it("says something", () => {
    const nothing = { stableWindow: 0, panicWindow: 0, scrapeTarget: "" };
    expect(admitted(Metric, { ...metric(), spec: nothing }).denied).toBe(
      "validation failed: missing field(s): spec",
    );
    expect(admitted(Metric, { ...metric(), spec: {} }).invalid).toContain(
      "spec.stableWindow: Required value",
    );
  });
});
