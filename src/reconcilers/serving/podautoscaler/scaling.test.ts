// From zero to many and back, on a clock moved by hand: what is scaled, and what status says meanwhile.
import { afterEach, describe, expect, it } from "vitest";
import {
  minutes,
  type ServingWorld,
  type ServingWorldOptions,
  seconds,
  startServingWorld,
  told,
} from "../../../../test/world/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { HorizontalPodAutoscaler } from "../../../domain/apis/autoscaling/autoscalingV2.types.js";
import { Metric } from "../../../domain/apis/autoscaling/metric.types.js";
import { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { ConfigMap } from "../../../domain/apis/core/config.types.js";
import { Endpoints } from "../../../domain/apis/core/endpoints.types.js";
import { Namespace } from "../../../domain/apis/core/namespace.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { KnativeService } from "../../../domain/apis/serving/service.types.js";
import type { Unsaved } from "../../../ports/index.js";

const worlds: ServingWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const key = "default/cat-00001";
const noTraffic = "False NoTraffic: The target is not receiving traffic.";
const queued = "Unknown Queued: Requests to the target are being buffered as resources are provisioned.";

type Annotations = { readonly [key: string]: string };

function service(annotations: Annotations = {}, image = "cat:v1", spec: object = {}) {
  const whole = Object.entries(annotations).map(([name, value]) => [
    name.includes("/") ? name : `autoscaling.knative.dev/${name}`,
    value,
  ]);
  return {
    metadata: { name: "cat", namespace: "default" },
    spec: {
      template: {
        metadata: { annotations: Object.fromEntries(whole) },
        spec: { ...spec, containers: [{ image }] },
      },
    },
  } as unknown as Unsaved<KnativeService>;
}

interface Given extends ServingWorldOptions {
  readonly annotations?: Annotations;
  readonly config?: Annotations;
  readonly spec?: object;
}

async function running({ annotations, config, spec, ...options }: Given = {}): Promise<ServingWorld> {
  const world = await startServingWorld(options);
  worlds.push(world);
  if (config !== undefined) await configure(world, config);
  await world.apply(KnativeService, service(annotations, "cat:v1", spec));
  return world;
}

async function configure(world: ServingWorld, data: Annotations): Promise<void> {
  await world.apply(Namespace, { metadata: { name: "knative-serving" } } as never);
  const metadata = { name: "config-autoscaler", namespace: "knative-serving" };
  await world.apply(ConfigMap, { metadata, data } as never);
}

const see = (world: ServingWorld) => {
  const status = world.get(PodAutoscaler, key)?.status;
  return {
    active: told(world.get(PodAutoscaler, key), "Active"),
    revision: told(world.get(Revision, key)),
    replicas: world.get(Deployment, "default/cat-00001-deployment")?.spec?.replicas,
    desired: status?.desiredScale,
    actual: status?.actualScale,
    mode: world.get(ServerlessService, key)?.spec.mode,
  };
};

describe("scale to zero", () => {
  it("waits for a quiet stable window; then requests are held, and the Revision stays Ready", async () => {
    const world = await running();
    expect(see(world)).toMatchObject({ active: "True", replicas: 1, actual: 1, mode: "Proxy" });
    await world.advance(seconds(59));
    expect(see(world)).toMatchObject({ active: "True", replicas: 1 });
    await world.advance(seconds(4));
    expect(see(world)).toEqual({
      active: noTraffic,
      revision: "True",
      replicas: 0,
      desired: 0,
      actual: 0,
      mode: "Proxy",
    });
    const revision = world.get(Revision, key);
    expect(revision?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "Active", status: "False", severity: "Info", reason: "NoTraffic" }),
    );
    expect(told(world.get(KnativeService, "default/cat"))).toBe("True");
    expect(world.list(Pod, "default")).toEqual([]);
  });

  it("waits out the grace period where requests went to the pods themselves", async () => {
    const world = await running({ annotations: { "target-burst-capacity": "0" } });
    await world.traffic(key, 1);
    expect(see(world)).toMatchObject({ mode: "Serve" });
    expect(world.get(Endpoints, key)?.subsets?.[0]?.addresses?.[0]?.targetRef?.kind).toBe("Pod");
    await world.traffic(key, 0);
    await world.advance(seconds(62));
    // Nobody asks any more: the activator takes over, and has its time to do so.
    expect(see(world)).toMatchObject({ active: noTraffic, replicas: 1, mode: "Proxy" });
    await world.advance(seconds(26));
    expect(see(world).replicas).toBe(1);
    await world.advance(seconds(4));
    expect(see(world)).toMatchObject({ active: noTraffic, replicas: 0 });
  });

  it("keeps the last pod for its retention period", async () => {
    const world = await running({ annotations: { "scale-to-zero-pod-retention-period": "5m" } });
    await world.advance(minutes(5));
    expect(see(world)).toMatchObject({ active: noTraffic, replicas: 1 });
    await world.advance(minutes(2));
    expect(see(world).replicas).toBe(0);
  });

  it.each([
    ["min-scale", { "min-scale": "1" }, {}],
    ["enable-scale-to-zero", {}, { "enable-scale-to-zero": "false" }],
  ])("never happens with %s", async (_name, annotations, config) => {
    const world = await running({ annotations, config });
    await world.advance(minutes(60));
    expect(see(world)).toMatchObject({ active: "True", replicas: 1 });
  });

  it("costs nothing once it is reached: nothing is written, no timer is left", async () => {
    const world = await running();
    await world.advance(minutes(3));
    const writes = world.writes();
    const nextMs = world.clock.nextAtMs();
    await world.advance(minutes(60));
    expect(world.writes()).toBe(writes);
    expect(nextMs === undefined || nextMs - world.clock.now() !== 1000).toBe(true);
  });

  it("is at once for a Revision that no Route leads to any more", async () => {
    const world = await running();
    await world.traffic(key, 1);
    await world.traffic(key, 0);
    await world.advance(seconds(5));
    await world.apply(KnativeService, service({}, "cat:v2"));
    await world.advance(minutes(1));
    expect(see(world)).toMatchObject({ active: noTraffic, revision: "True", replicas: 0 });
  });
});

describe("scale from zero", () => {
  it("is begun by the first request at once, says Queued while it starts, and is Active then", async () => {
    const world = await running();
    await world.advance(minutes(2));
    expect(see(world).replicas).toBe(0);
    world.kubelet.decide(() => ({ is: "running" }));
    await world.traffic(key, 1);
    expect(see(world)).toMatchObject({
      active: queued,
      revision: "True",
      replicas: 1,
      desired: 1,
      actual: 0,
    });
    expect(world.get(Endpoints, key)?.subsets).toMatchObject([
      { addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "http", port: 18081 }] },
    ]);
    expect(told(world.get(ServerlessService, key), "ActivatorEndpointsPopulated")).toBe(
      "True ActivatorEndpointsPopulated: Revision is backed by Activator",
    );
    world.kubelet.decide(() => ({ is: "ready" }));
    await world.settle();
    expect(see(world)).toMatchObject({ active: "True", actual: 1 });
  });

  it("starts as many as activation-scale says", async () => {
    const world = await running({ annotations: { "activation-scale": "3" } });
    await world.advance(minutes(2));
    await world.traffic(key, 1);
    expect(see(world)).toMatchObject({ active: "True", replicas: 3 });
  });

  it("that fails is given up, keeps its cause, and is tried again by the next request", async () => {
    const world = await running();
    await world.advance(minutes(2));
    world.kubelet.decide(() => ({ is: "crashing", exitCode: 3, message: "no such model" }));
    await world.traffic(key, 1);
    const cause = "False ExitCode3: Container failed with: no such model";
    expect(see(world)).toMatchObject({ active: queued, revision: cause, replicas: 1 });
    // The request timed out at the gateway, and nobody asks again.
    await world.traffic(key, 0);
    await world.advance(minutes(5));
    expect(see(world)).toMatchObject({
      active: "False TimedOut: The target could not be activated.",
      revision: cause,
      replicas: 0,
    });
    await world.advance(minutes(60));
    expect(see(world)).toMatchObject({ active: "False TimedOut: The target could not be activated." });

    await world.traffic(key, 1);
    expect(see(world)).toMatchObject({ active: queued, replicas: 1 });
    world.kubelet.decide(() => ({ is: "ready" }));
    await world.settle();
    expect(see(world)).toMatchObject({ active: "True", revision: "True", actual: 1 });
  });

  it("is not given up while it is merely slow", async () => {
    const world = await running({ annotations: { "serving.knative.dev/progress-deadline": "30s" } });
    await world.advance(minutes(2));
    for (let minute = 0; minute < 10; minute++) {
      world.kubelet.decide(() => ({ is: "running", moving: true }));
      await world.traffic(key, minute === 0 ? 1 : 0);
      await world.advance(seconds(20));
    }
    expect(see(world)).toMatchObject({ replicas: 1, revision: "True" });
  });

  it("is not given up while somebody still asks", async () => {
    const world = await running({ annotations: { "serving.knative.dev/progress-deadline": "30s" } });
    await world.advance(minutes(2));
    world.kubelet.decide(() => ({ is: "crashing", exitCode: 3 }));
    await world.traffic(key, 1);
    await world.advance(minutes(10));
    expect(see(world)).toMatchObject({ active: queued, replicas: 1 });
  });

  it("works for one that began asleep", async () => {
    const world = await running({
      annotations: { "initial-scale": "0" },
      config: { "allow-zero-initial-scale": "true" },
    });
    expect(see(world)).toMatchObject({ active: noTraffic, replicas: 0 });
    await world.traffic(key, 1);
    expect(see(world)).toMatchObject({ active: "True", revision: "True", replicas: 1 });
  });
});

describe("between them", () => {
  it("counts decide, within the bounds", async () => {
    const world = await running({
      annotations: { "max-scale": "20", window: "10s" },
      spec: { containerConcurrency: 10 },
    });
    // 100 at once, 7 for each pod.
    await world.traffic(key, 100);
    await world.advance(seconds(2));
    expect(see(world)).toMatchObject({ active: "True", replicas: 15, actual: 15, desired: 15 });
    await world.traffic(key, 1000);
    await world.advance(seconds(2));
    expect(see(world).replicas).toBe(20);
    await world.traffic(key, 0);
    await world.advance(minutes(3));
    expect(see(world).replicas).toBe(0);
  });

  it("a Revision needs its initial scale once to be ready, and less later", async () => {
    const world = await startServingWorld();
    worlds.push(world);
    let up = 0;
    world.kubelet.decide((pod) => ({ is: Number(podIndex(world, pod)) < up ? "ready" : "running" }));
    await world.apply(KnativeService, service({ "initial-scale": "3" }));
    up = 2;
    await world.settle();
    expect(see(world)).toMatchObject({ replicas: 3 });
    expect(told(world.get(PodAutoscaler, key), "ScaleTargetInitialized")).toBe("Unknown");
    world.kubelet.decide(() => ({ is: "ready" }));
    await world.settle();
    expect(told(world.get(PodAutoscaler, key), "ScaleTargetInitialized")).toBe("True");
    await world.traffic(key, 1);
    await world.advance(minutes(4));
    expect(see(world)).toMatchObject({ active: "True", replicas: 1 });
    expect(told(world.get(PodAutoscaler, key), "ScaleTargetInitialized")).toBe("True");
  });

  it("room for a burst decides whether requests pass the activator, and how many of it there are", async () => {
    const world = await running({ annotations: { "min-scale": "3" } });
    await world.traffic(key, 1);
    await world.advance(seconds(4));
    const services = world.get(ServerlessService, key);
    // 3 x 100 - 211 - 1 is room enough.
    expect([services?.spec.mode, services?.spec.numActivators]).toEqual(["Serve", 6]);
    expect(told(services, "ActivatorEndpointsPopulated")).toMatch(/^False/);
    await world.traffic(key, 200);
    await world.advance(seconds(8));
    expect(see(world).mode).toBe("Proxy");
  });

  it("a Metric says over what windows, and that there is somebody to ask", async () => {
    const world = await running({ annotations: { window: "30s", "panic-window-percentage": "20" } });
    const metric = world.get(Metric, key);
    expect(metric?.spec).toEqual({
      stableWindow: 30e9,
      panicWindow: 6e9,
      scrapeTarget: "cat-00001-private",
    });
    expect(told(metric)).toBe("True");
  });

  it("what an annotation says of a live Revision counts at once, and what it no longer says is forgotten", async () => {
    const world = await running();
    await world.change(Revision, key, (revision) => ({
      ...revision,
      metadata: {
        ...revision.metadata,
        annotations: { ...revision.metadata.annotations, "autoscaling.knative.dev/min-scale": "2" },
      },
    }));
    await world.advance(seconds(2));
    expect(see(world).replicas).toBe(2);
    await world.change(Revision, key, (revision) => {
      const { "autoscaling.knative.dev/min-scale": _gone, ...annotations } =
        revision.metadata.annotations ?? {};
      return { ...revision, metadata: { ...revision.metadata, annotations } };
    });
    expect(world.get(PodAutoscaler, key)?.metadata.annotations).not.toHaveProperty([
      "autoscaling.knative.dev/min-scale",
    ]);
  });
});

describe("other classes", () => {
  it("hpa is Kubernetes' own, in its own words", async () => {
    const world = await running({
      annotations: {
        class: "hpa.autoscaling.knative.dev",
        metric: "cpu",
        target: "70.5",
        "max-scale": "4",
        window: "30s",
      },
    });
    expect(world.get(HorizontalPodAutoscaler, key)?.spec).toMatchObject({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "cat-00001-deployment" },
      maxReplicas: 4,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 71 } },
        },
      ],
      behavior: {
        scaleDown: { stabilizationWindowSeconds: 30 },
        scaleUp: { stabilizationWindowSeconds: 30 },
      },
    });
    expect(world.get(Metric, key)).toBeUndefined();
    expect(see(world)).toMatchObject({ active: "True", mode: "Serve" });
  });

  it("those of others are left alone, status and all", async () => {
    const world = await running({ annotations: { class: "somebody.example.com" } });
    expect(world.get(PodAutoscaler, key)?.status?.conditions).toBeUndefined();
    expect(world.get(ServerlessService, key)).toBeUndefined();
  });
});

function podIndex(world: ServingWorld, pod: Pod): number {
  const names = world.list(Pod, "default").map(({ metadata }) => metadata.name);
  return names.sort().indexOf(pod.metadata.name);
}
