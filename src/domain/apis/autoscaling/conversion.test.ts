import { describe, expect, it } from "vitest";
import { autoscalerFromV1, autoscalerToV1 } from "./autoscaling.conversion.js";

const metadata = { name: "a" };
const scaleTargetRef = { kind: "Deployment", name: "d" };
const cpu = (averageUtilization: number) => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});
const memory = {
  type: "Resource",
  resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } },
};

describe("HorizontalPodAutoscaler", () => {
  const stored = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata,
    spec: {
      scaleTargetRef,
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [cpu(50), memory],
      behavior: { scaleUp: { selectPolicy: "Min" } },
    },
    status: {
      currentReplicas: 1,
      desiredReplicas: 2,
      conditions: [{ type: "X", status: "True" }],
      currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 40 } } }],
    },
  };

  it("shows its CPU number in v1", () => {
    expect(autoscalerToV1(stored)).toEqual({
      apiVersion: "autoscaling/v1",
      kind: "HorizontalPodAutoscaler",
      metadata,
      spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 3, targetCPUUtilizationPercentage: 50 },
      status: { currentReplicas: 1, desiredReplicas: 2, currentCPUUtilizationPercentage: 40 },
    });
  });

  it("keeps what v1 cannot show", () => {
    expect(autoscalerFromV1(autoscalerToV1(stored), stored)).toEqual(stored);
    const seen = autoscalerToV1(stored);
    const changed = { ...seen, spec: { scaleTargetRef, maxReplicas: 9, targetCPUUtilizationPercentage: 60 } };
    expect(autoscalerFromV1(changed, stored).spec).toEqual({
      scaleTargetRef,
      maxReplicas: 9,
      metrics: [cpu(60), memory],
      behavior: stored.spec.behavior,
    });
  });
});

describe("HorizontalPodAutoscaler's metrics", () => {
  const amount = {
    type: "Resource",
    resource: { name: "cpu", target: { type: "AverageValue", averageValue: "500m" } },
  };
  it.each([
    ["an amount of CPU", [amount]],
    ["a share behind others", [memory, cpu(50)]],
    ["two shares", [cpu(50), memory, cpu(60)]],
  ])("are not touched by writing back what v1 shows: %s", (_what, metrics) => {
    const stored = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata,
      spec: { scaleTargetRef, maxReplicas: 3, metrics },
    };
    expect(autoscalerFromV1(autoscalerToV1(stored), stored)).toEqual(stored);
  });
});
