// A HorizontalPodAutoscaler on a clock moved by hand, over pods whose use of the machine a test says.
import { afterEach, describe, expect, it } from "vitest";
import { minutes, type RunningWorld, seconds, startWorld } from "../../../../test/world/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { HorizontalPodAutoscaler } from "../../../domain/apis/autoscaling/autoscalingV2.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import type { PodUsage, Unsaved } from "../../../ports/index.js";
import { workloadReconcilers } from "../index.js";

const worlds: RunningWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const key = "default/cat";

interface Load {
  milliCores: number;
  mebibytes: number;
}

async function world(load: Load): Promise<RunningWorld> {
  const made = await startWorld({
    reconcilers: (deps, inner) =>
      workloadReconcilers(deps, {
        caCertificate: "PEM",
        kinds: () => [],
        finalizeNamespace: async () => {},
        usage: () =>
          inner.list(Pod, "default").map(
            ({ metadata }): PodUsage => ({
              pod: { namespace: "default", name: metadata.name, uid: metadata.uid ?? "" },
              containers: [
                {
                  name: "model",
                  cpuNanoCores: load.milliCores * 1e6,
                  memoryBytes: load.mebibytes * 1024 * 1024,
                },
              ],
              atMs: inner.clock.now(),
              windowMs: 1_000,
            }),
          ),
      }),
  });
  worlds.push(made);
  const labels = { app: "cat" };
  const resources = { requests: { cpu: "100m", memory: "64Mi" } };
  await made.apply(Deployment, {
    metadata: { name: "cat", namespace: "default" },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "model", image: "cat:v1", resources }] },
      },
    },
  } as unknown as Unsaved<Deployment>);
  return made;
}

const hpa = (spec: object = {}) =>
  ({
    metadata: { name: "cat", namespace: "default" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "cat" },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
      ...spec,
    },
  }) as unknown as Unsaved<HorizontalPodAutoscaler>;

const replicas = (made: RunningWorld) => made.get(Deployment, key)?.spec?.replicas;
const told = (made: RunningWorld, type: string): string => {
  const found = made.get(HorizontalPodAutoscaler, key)?.status?.conditions?.find((one) => one.type === type);
  return `${found?.status} ${found?.reason}`;
};

describe("a HorizontalPodAutoscaler", () => {
  it("follows what pods use, and says so", async () => {
    const load = { milliCores: 90, mebibytes: 10 };
    const made = await world(load);
    await made.advance(seconds(5));
    await made.apply(HorizontalPodAutoscaler, hpa());
    // 90 % of what is asked for, at half: 2 x 1.8.
    expect(replicas(made)).toBe(4);
    expect(made.get(HorizontalPodAutoscaler, key)?.status).toMatchObject({
      desiredReplicas: 4,
      currentMetrics: [
        {
          type: "Resource",
          resource: { name: "cpu", current: { averageUtilization: 90, averageValue: "90m" } },
        },
      ],
    });
    expect(told(made, "AbleToScale")).toBe("True SucceededRescale");
    expect(told(made, "ScalingActive")).toBe("True ValidMetricFound");
    expect(told(made, "ScalingLimited")).toBe("False DesiredWithinRange");
    expect(made.events).toContain(
      "HorizontalPodAutoscaler/cat Normal SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target",
    );
    load.milliCores = 52;
    await made.advance(seconds(15));
    expect(replicas(made)).toBe(4);
    expect(told(made, "AbleToScale")).toBe("True ReadyForNewScale");
  });

  it("goes down after five minutes, and never below its minimum", async () => {
    const load = { milliCores: 100, mebibytes: 10 };
    const made = await world(load);
    await made.advance(seconds(5));
    await made.apply(HorizontalPodAutoscaler, hpa());
    await made.advance(seconds(60));
    expect(replicas(made)).toBe(10);
    expect(told(made, "ScalingLimited")).toBe("True TooManyReplicas");
    load.milliCores = 1;
    await made.advance(minutes(4));
    expect(replicas(made)).toBe(10);
    expect(told(made, "AbleToScale")).toBe("True ScaleDownStabilized");
    await made.advance(minutes(2));
    expect(replicas(made)).toBe(1);
  });

  it("takes the most that any metric asks for", async () => {
    const made = await world({ milliCores: 10, mebibytes: 100 });
    await made.advance(seconds(5));
    const memory = { name: "memory", target: { type: "AverageValue", averageValue: "50Mi" } };
    const { metrics = [] } = hpa().spec ?? {};
    await made.apply(
      HorizontalPodAutoscaler,
      hpa({ metrics: [...metrics, { type: "Resource", resource: memory }] }),
    );
    expect(replicas(made)).toBe(4);
    expect(made.get(HorizontalPodAutoscaler, key)?.status?.currentMetrics?.[1]).toEqual({
      type: "Resource",
      resource: { name: "memory", current: { averageValue: "100Mi" } },
    });
  });

  it("keeps its bounds at once, whatever is measured", async () => {
    const made = await world({ milliCores: 50, mebibytes: 10 });
    await made.apply(HorizontalPodAutoscaler, hpa({ minReplicas: 5 }));
    expect(replicas(made)).toBe(5);
  });

  it("says what it cannot measure, and changes nothing", async () => {
    const made = await world({ milliCores: 90, mebibytes: 10 });
    await made.advance(seconds(5));
    const pods = { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "1" } };
    await made.apply(HorizontalPodAutoscaler, hpa({ metrics: [{ type: "Pods", pods }] }));
    expect(replicas(made)).toBe(2);
    expect(told(made, "ScalingActive")).toBe("False FailedGetPodsMetric");
  });

  it("rests where its target is scaled to zero, and says when there is none", async () => {
    const made = await world({ milliCores: 90, mebibytes: 10 });
    await made.change(
      Deployment,
      key,
      (one) => ({ ...one, spec: { ...one.spec, replicas: 0 } }) as Deployment,
    );
    await made.apply(HorizontalPodAutoscaler, hpa());
    expect(told(made, "ScalingActive")).toBe("False ScalingDisabled");
    await made.remove(Deployment, key);
    await made.advance(seconds(15));
    expect(told(made, "AbleToScale")).toBe("False FailedGetScale");
  });
});
