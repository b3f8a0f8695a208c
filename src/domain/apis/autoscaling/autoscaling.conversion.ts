// autoscaling/v1 shows one number of what autoscaling/v2 stores: the CPU utilization.
import type { HorizontalPodAutoscaler as V1 } from "./autoscalingV1.types.js";
import type { HorizontalPodAutoscaler as V2 } from "./autoscalingV2.types.js";

type Metric = NonNullable<NonNullable<V2["spec"]>["metrics"]>[number];

export function autoscalerToV1(hpa: V2): V1 {
  const { spec, status, ...same } = hpa;
  const cpu = spec?.metrics?.find(isCpu)?.resource?.target?.averageUtilization;
  const current = status?.currentMetrics?.find((one) => one.resource?.name === "cpu")?.resource?.current;
  const { conditions: _conditions, currentMetrics: _metrics, ...shownStatus } = status ?? {};
  return {
    ...same,
    apiVersion: "autoscaling/v1",
    ...(spec === undefined
      ? {}
      : {
          spec: {
            scaleTargetRef: spec.scaleTargetRef,
            ...(spec.minReplicas === undefined ? {} : { minReplicas: spec.minReplicas }),
            maxReplicas: spec.maxReplicas,
            ...(cpu === undefined ? {} : { targetCPUUtilizationPercentage: cpu }),
          },
        }),
    ...(status === undefined
      ? {}
      : {
          status: {
            ...shownStatus,
            ...(current?.averageUtilization === undefined
              ? {}
              : { currentCPUUtilizationPercentage: current.averageUtilization }),
          },
        }),
  };
}

/** What v1 cannot show is kept from the stored object, when there is one. */
export function autoscalerFromV1(hpa: V1, old: V2 | undefined): V2 {
  const { spec, status: _status, ...same } = hpa;
  const converted = { ...same, apiVersion: "autoscaling/v2" };
  const stored = old?.status === undefined ? {} : { status: old.status };
  if (spec === undefined) return { ...converted, ...stored };
  const { targetCPUUtilizationPercentage: percentage, ...sameSpec } = spec;
  const others = (old?.spec?.metrics ?? []).filter((metric) => !isCpu(metric));
  const metrics = [...(percentage === undefined ? [] : [cpuMetric(percentage)]), ...others];
  const behavior = old?.spec?.behavior;
  return {
    ...converted,
    spec: {
      ...sameSpec,
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(behavior === undefined ? {} : { behavior }),
    },
    ...stored,
  };
}

function isCpu(metric: Metric): boolean {
  return metric.resource?.name === "cpu" && metric.resource.target?.type === "Utilization";
}

function cpuMetric(averageUtilization: number): Metric {
  return { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } };
}
