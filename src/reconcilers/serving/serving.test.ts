// The serving chain as a whole, on a clock that only moves when told: what users see at each level.
import { afterEach, describe, expect, it } from "vitest";
import {
  type Answers,
  failOnce,
  minutes,
  type RunningWorld,
  type ServingWorldOptions,
  told as said,
  seconds,
  startServingWorld,
} from "../../../test/world/index.js";
import { Deployment } from "../../domain/apis/apps/apps.types.js";
import { ConfigMap } from "../../domain/apis/core/config.types.js";
import { Namespace } from "../../domain/apis/core/namespace.types.js";
import { Pod } from "../../domain/apis/core/pod.types.js";
import { Service } from "../../domain/apis/core/service.types.js";
import { VirtualService } from "../../domain/apis/istio/virtualService.types.js";
import { InferenceService } from "../../domain/apis/kserve/inferenceService.types.js";
import { ClusterServingRuntime } from "../../domain/apis/kserve/runtime.types.js";
import { KnativeIngress } from "../../domain/apis/networking/ingress.types.js";
import { Configuration } from "../../domain/apis/serving/configuration.types.js";
import { Revision } from "../../domain/apis/serving/revision.types.js";
import { Route } from "../../domain/apis/serving/route.types.js";
import { KnativeService } from "../../domain/apis/serving/service.types.js";

const worlds: RunningWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function cluster(
  options: { readonly answers?: Answers; readonly faults?: ServingWorldOptions["faults"] } = {},
) {
  const world = await startServingWorld({
    missing: (image) => (image.startsWith("missing/") ? `${image}: not found` : undefined),
    ...(options.answers === undefined ? {} : { answers: options.answers }),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  });
  worlds.push(world);
  return world;
}

const iris = (storageUri = "file:///models/iris") => ({
  metadata: { name: "iris", namespace: "default" },
  spec: { predictor: { model: { modelFormat: { name: "onnx" }, storageUri } } },
});

describe("an InferenceService", () => {
  it("becomes ready, level by level, with the names and URLs the field expects", async () => {
    const world = await cluster();
    const service = await world.apply(InferenceService, iris());
    expect(said(service)).toBe("True");
    expect(service.status?.url).toBe("http://iris.default.localhost:18080");
    expect(service.status?.address?.url).toBe("http://iris.default.svc.cluster.local");
    expect(service.status?.clusterServingRuntimeName).toBe("kserve-onnxserver");
    expect(service.status?.modelStatus).toMatchObject({
      transitionStatus: "UpToDate",
      copies: { totalCopies: 1 },
    });
    expect(service.status?.components?.["predictor"]).toMatchObject({
      latestReadyRevision: "iris-predictor-00001",
      latestCreatedRevision: "iris-predictor-00001",
      latestRolledoutRevision: "iris-predictor-00001",
      traffic: [{ revisionName: "iris-predictor-00001", latestRevision: true, percent: 100 }],
    });
    for (const kind of [KnativeService, Configuration, Route] as const) {
      expect(said(world.get(kind as never, "default/iris-predictor"))).toBe("True");
    }
    expect(said(world.get(Revision, "default/iris-predictor-00001"))).toBe("True");
    expect(said(world.get(KnativeIngress, "default/iris-predictor"))).toBe("True");
    expect(
      world.get(VirtualService, "default/iris")?.spec?.http?.[0]?.route?.[0]?.headers?.request?.set?.["Host"],
    ).toBe("iris-predictor.default.svc.cluster.local");
    const pod = world.list(Pod, "default")[0];
    expect(pod?.metadata.labels).toMatchObject({
      model: "iris",
      "serving.kserve.io/inferenceservice": "iris",
      component: "predictor",
    });
    expect(pod?.spec?.initContainers?.[0]).toMatchObject({
      name: "storage-initializer",
      args: ["file:///models/iris", "/mnt/models"],
    });
    expect(pod?.spec?.containers[0]?.args).toEqual(["--model_name=iris"]);
  });

  it("comes to rest: nothing is written once it is ready", async () => {
    const world = await cluster();
    await world.apply(InferenceService, iris());
    const before = world.writes();
    await world.advance(minutes(5));
    expect(world.writes()).toBe(before);
  });

  it("says why the model cannot be had, in the exception's own words, at every level", async () => {
    const world = await cluster();
    const cause =
      "RuntimeError: Failed to fetch model. The path or model file:///models/iris does not exist.";
    world.kubelet.decide(() => ({ is: "crashing", exitCode: 1, message: cause, init: true }));
    const service = await world.apply(InferenceService, iris());
    expect(said(service)).toBe(`False ExitCode1: Init container storage-initializer failed with: ${cause}`);
    expect(service.status?.modelStatus?.lastFailureInfo).toMatchObject({
      reason: "ModelLoadFailed",
      message: cause,
      exitCode: 1,
    });
    const words = said(service);
    expect(said(world.get(KnativeService, "default/iris-predictor"))).toBe(words);
    expect(said(world.get(KnativeService, "default/iris-predictor"), "ConfigurationsReady")).toBe(words);
    expect(said(world.get(KnativeService, "default/iris-predictor"), "RoutesReady")).toMatch(
      /^False RevisionMissing/,
    );
    expect(said(world.get(Configuration, "default/iris-predictor"))).toBe(words);
    expect(said(world.get(Revision, "default/iris-predictor-00001"))).toBe(words);
    expect(service.status?.modelStatus).toMatchObject({
      transitionStatus: "BlockedByFailedLoad",
      states: { targetModelState: "FailedToLoad" },
    });
  });

  it("heals when the pod does", async () => {
    const world = await cluster();
    world.kubelet.decide(() => ({ is: "crashing", exitCode: 1 }));
    await world.apply(InferenceService, iris());
    world.kubelet.decide(() => ({ is: "ready" }));
    await world.advance(minutes(1));
    expect(said(world.get(InferenceService, "default/iris"))).toBe("True");
  });

  it("names the runtimes it considered when none fits", async () => {
    const world = await cluster();
    const service = await world.apply(InferenceService, {
      metadata: { name: "iris", namespace: "default" },
      spec: { predictor: { model: { modelFormat: { name: "tensorflow" }, storageUri: "file:///m" } } },
    });
    expect(said(service)).toBe(
      "False NoSupportingRuntime: no runtime found to support predictor with model type: tensorflow (kserve-onnxserver serves onnx 1)",
    );
    expect(service.status?.modelStatus?.transitionStatus).toBe("InvalidSpec");
  });

  it("is picked up when the runtime it waited for appears", async () => {
    const world = await cluster();
    await world.apply(InferenceService, {
      metadata: { name: "iris", namespace: "default" },
      spec: { predictor: { model: { modelFormat: { name: "tensorflow" }, storageUri: "file:///m" } } },
    });
    await world.apply(ClusterServingRuntime, {
      metadata: { name: "tf" },
      spec: {
        supportedModelFormats: [{ name: "tensorflow", autoSelect: true }],
        containers: [{ name: "kserve-container", image: "drydock/host" }],
      },
    });
    expect(said(world.get(InferenceService, "default/iris"))).toBe("True");
  });

  it("an image that cannot run here is ContainerMissing, all the way up", async () => {
    const world = await cluster();
    const service = await world.apply(InferenceService, {
      metadata: { name: "iris", namespace: "default" },
      spec: { predictor: { containers: [{ name: "mine", image: "missing/mine:v1" }] } },
    });
    expect(said(service)).toBe(
      "False ContainerMissing: Unable to fetch image 'missing/mine:v1': failed to resolve image to digest: missing/mine:v1: not found",
    );
  });

  it("is not ready before the gateway serves it", async () => {
    let open = false;
    const world = await cluster({
      answers: () => (open ? undefined : { status: 404 }),
    });
    const service = await world.apply(InferenceService, iris());
    expect(said(service)).toMatch(/^Unknown (Uninitialized|IngressNotConfigured)/);
    open = true;
    await world.advance(seconds(10));
    expect(said(world.get(InferenceService, "default/iris"))).toBe("True");
  });

  it("takes everything below with it when deleted", async () => {
    const world = await cluster();
    await world.apply(InferenceService, iris());
    await world.remove(InferenceService, "default/iris");
    await world.advance(seconds(5));
    for (const kind of [
      KnativeService,
      Configuration,
      Route,
      Revision,
      KnativeIngress,
      VirtualService,
      Deployment,
      Pod,
      Service,
    ]) {
      expect([kind.kind, world.list(kind as never, "default")]).toEqual([kind.kind, []]);
    }
  });

  it("rolls a new model out behind the old one, and lets the old one go after", async () => {
    const world = await cluster();
    await world.apply(InferenceService, iris("file:///models/a"));
    world.kubelet.decide((pod) => (uriOf(pod) === "file:///models/b" ? { is: "running" } : { is: "ready" }));
    await world.change(InferenceService, "default/iris", (service) => ({
      ...service,
      ...{ spec: iris("file:///models/b").spec },
    }));
    // Not ready yet: the old revision keeps all the traffic and its pod.
    expect(targetsOf(world)).toEqual(["iris-predictor-00001"]);
    expect(world.list(Pod, "default").map(uriOf).sort()).toEqual(["file:///models/a", "file:///models/b"]);
    world.kubelet.decide(() => ({ is: "ready" }));
    await world.settle();
    expect(targetsOf(world)).toEqual(["iris-predictor-00002"]);
    await world.advance(seconds(30));
    expect(world.list(Pod, "default").map(uriOf)).toEqual(["file:///models/b"]);
    expect(said(world.get(InferenceService, "default/iris"))).toBe("True");
    // The one that sleeps is still a good revision to go back to.
    expect(said(world.get(Revision, "default/iris-predictor-00001"))).toBe("True");
    expect(said(world.get(Revision, "default/iris-predictor-00001"), "Active")).toMatch(/^False NoTraffic/);
  });

  it("keeps the old revision serving when the new one fails, and says both", async () => {
    const world = await cluster();
    await world.apply(InferenceService, iris("file:///models/a"));
    world.kubelet.decide((pod) =>
      uriOf(pod) === "file:///models/b" ? { is: "crashing", exitCode: 3 } : { is: "ready" },
    );
    await world.change(InferenceService, "default/iris", (service) => ({
      ...service,
      ...{ spec: iris("file:///models/b").spec },
    }));
    const service = world.get(InferenceService, "default/iris");
    expect(said(service)).toMatch(/^False ExitCode3/);
    expect(service?.status?.components?.["predictor"]).toMatchObject({
      latestReadyRevision: "iris-predictor-00001",
      latestCreatedRevision: "iris-predictor-00002",
      traffic: [{ revisionName: "iris-predictor-00001", percent: 100 }],
    });
    expect(service?.status?.modelStatus?.states).toEqual({
      activeModelState: "Loaded",
      targetModelState: "FailedToLoad",
    });
    expect(said(world.get(Route, "default/iris-predictor"))).toBe("True");
  });

  it("splits traffic for a canary and remembers what it came from", async () => {
    const world = await cluster();
    await world.apply(InferenceService, iris("file:///models/a"));
    await world.change(InferenceService, "default/iris", (service) => ({
      ...service,
      spec: { predictor: { ...iris("file:///models/b").spec.predictor, canaryTrafficPercent: 10 } },
    }));
    const traffic = world.get(InferenceService, "default/iris")?.status?.components?.["predictor"]?.traffic;
    expect(traffic?.map(({ revisionName, percent, tag }) => [revisionName, percent, tag])).toEqual([
      ["iris-predictor-00002", 10, undefined],
      ["iris-predictor-00001", 90, "prev"],
    ]);
  });

  it("says what Knative refuses of it in Knative's words, and goes on once that is allowed", async () => {
    const world = await cluster();
    const { metadata, spec } = iris();
    const tolerations = [{ operator: "Exists" }];
    const service = await world.apply(InferenceService, {
      metadata,
      spec: { predictor: { ...spec.predictor, tolerations } },
    });
    expect(said(service, "PredictorReady")).toBe(
      'False ServiceFailed: Service creation failed with message: admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: must not set the field(s): spec.template.spec.tolerations.',
    );
    await world.apply(Namespace, { metadata: { name: "knative-serving" } } as never);
    await world.apply(ConfigMap, {
      metadata: { name: "config-features", namespace: "knative-serving" },
      data: { "kubernetes.podspec-tolerations": "enabled" },
    } as never);
    expect(said(world.get(InferenceService, "default/iris"))).toBe("True");
  });

  it("a stumbling API delays it, and no more", async () => {
    const world = await cluster({
      faults: [
        failOnce("create", Deployment, "ServerTimeout"),
        failOnce("create", KnativeIngress, "ServerTimeout"),
      ],
    });
    await world.apply(InferenceService, iris()).catch(() => undefined);
    await world.advance(seconds(10));
    expect(said(world.get(InferenceService, "default/iris"))).toBe("True");
  });
});

function uriOf(pod: Pod): string | undefined {
  return pod.spec?.initContainers?.[0]?.args?.[0];
}

function targetsOf(world: RunningWorld): readonly (string | undefined)[] {
  return (world.get(Route, "default/iris-predictor")?.status?.traffic ?? []).map(
    (target) => target.revisionName,
  );
}
