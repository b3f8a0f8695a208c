import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { InferenceService } from "../inferenceService.types.js";
import { fromV1alpha2, toV1alpha2 } from "./convert.js";
import type { InferenceServiceV1alpha2, Predictor } from "./inferenceService.types.js";

const rounds = Number(process.env["DRYDOCK_ROUNDS"] ?? 500);

const framework = fc.record(
  {
    storageUri: fc.constantFrom("gs://bucket/iris", "file:///models/iris"),
    runtimeVersion: fc.constantFrom("0.24", "v1"),
    resources: fc.constant({ requests: { cpu: "1" }, limits: { memory: "2Gi" } }),
  },
  { requiredKeys: [] },
);
const common = {
  serviceAccountName: fc.constant("reader"),
  minReplicas: fc.nat(3),
  maxReplicas: fc.nat(9),
  parallelism: fc.nat(5),
  logger: fc.constant({ url: "http://log", mode: "all" }),
  batcher: fc.constant({ maxBatchSize: 8, maxLatency: 100, timeout: 5 }),
};
const optional = fc.record(common, { requiredKeys: [] });
const block = fc.oneof(
  fc
    .constantFrom("sklearn", "tensorflow", "onnx", "triton")
    .chain((name) => framework.map((one) => ({ [name]: one }))),
  framework.chain((one) => fc.nat(8).map((nthread) => ({ xgboost: { ...one, nthread } }))),
  framework.map((one) => ({ pytorch: { ...one, modelClassName: "Net" } })),
  fc.constant({ custom: { container: { name: "kfserving-container", image: "mine:v1" } } }),
);
const predictor: fc.Arbitrary<Predictor> = fc
  .tuple(optional, block)
  .map(([more, one]) => ({ ...more, ...one }) as Predictor);

const service = (spec: InferenceServiceV1alpha2["spec"]): InferenceServiceV1alpha2 => ({
  apiVersion: "serving.kubeflow.org/v1alpha2",
  kind: "InferenceService",
  metadata: { name: "iris", namespace: "default" },
  spec,
});

describe("InferenceService v1alpha2", () => {
  it("comes back as it was written, with and without a canary", () => {
    fc.assert(
      fc.property(predictor, fc.option(predictor), fc.nat(100), (usual, canary, percent) => {
        const written = service({
          default: { predictor: usual },
          ...(canary === null ? {} : { canary: { predictor: canary }, canaryTrafficPercent: percent }),
        });
        const stored = JSON.parse(JSON.stringify(fromV1alpha2(written, undefined))) as InferenceService;
        expect(toV1alpha2(stored).spec).toEqual(written.spec);
      }),
      { numRuns: rounds },
    );
  });

  it("keeps what today's version says and this one cannot", () => {
    const stored: InferenceService = {
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { name: "iris", namespace: "default" },
      spec: {
        predictor: {
          model: {
            modelFormat: { name: "onnx", version: "1" },
            protocolVersion: "v2",
            runtime: "kserve-onnxserver",
            storageUri: "file:///a",
          } as NonNullable<InferenceService["spec"]["predictor"]["model"]>,
        },
      },
    };
    const shown = toV1alpha2(stored);
    const written = { ...shown, spec: { default: { predictor: { onnx: { storageUri: "file:///b" } } } } };
    expect(fromV1alpha2(written, stored).spec.predictor.model).toEqual({
      modelFormat: { name: "onnx", version: "1" },
      protocolVersion: "v2",
      runtime: "kserve-onnxserver",
      storageUri: "file:///b",
    });
  });

  it.each<[string, InferenceService["spec"]["predictor"], Record<string, string>]>([
    ["a format that came later", { model: { modelFormat: { name: "huggingface" } } }, {}],
    ["several containers", { containers: [{ name: "a" }, { name: "b" }] as never }, {}],
    ["a share without a canary", { minReplicas: 1, canaryTrafficPercent: 20 }, {}],
    ["a strange annotation", { minReplicas: 1 }, { "serving.kubeflow.org/default-predictor": "{" }],
    [
      "an annotation that is no predictor",
      { minReplicas: 1 },
      { "serving.kubeflow.org/default-predictor": "7" },
    ],
  ])("leaves %s alone when nothing is changed", (_what, predictor, annotations) => {
    const stored: InferenceService = {
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { name: "iris", namespace: "default", annotations: { ...annotations, a: "b" } },
      spec: { predictor },
    };
    expect(fromV1alpha2(toV1alpha2(stored), stored)).toEqual(stored);
  });

  it("shows the traffic of both, and the cause under its own names", () => {
    const cause = {
      status: "False" as const,
      reason: "ExitCode137",
      message: "Container failed with: Killed",
    };
    const stored = fromV1alpha2(
      service({
        default: { predictor: { sklearn: { storageUri: "file:///a" } } },
        canary: { predictor: { sklearn: { storageUri: "file:///b" } } },
        canaryTrafficPercent: 10,
      }),
      undefined,
    );
    const { status } = toV1alpha2({
      ...stored,
      status: {
        url: "http://iris.default.localhost",
        conditions: [
          { type: "IngressReady", status: "True" },
          { type: "PredictorReady", ...cause },
          { type: "Ready", ...cause },
        ],
        components: {
          predictor: {
            latestCreatedRevision: "iris-predictor-00002",
            traffic: [
              { latestRevision: true, percent: 10, revisionName: "iris-predictor-00002" },
              { latestRevision: false, percent: 90, revisionName: "iris-predictor-00001", tag: "prev" },
            ],
          },
        },
      },
    });
    expect(status).toMatchObject({
      traffic: 90,
      canaryTraffic: 10,
      default: { predictor: { name: "iris-predictor-00001" } },
      canary: { predictor: { name: "iris-predictor-00002" } },
      conditions: [
        { type: "CanaryPredictorReady", ...cause },
        { type: "Ready", ...cause },
        { type: "RoutesReady", status: "True" },
      ],
    });
  });
});
