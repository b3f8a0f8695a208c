// autoscaling/v1 shows one number of what autoscaling/v2 stores: the CPU utilization.
import type { HorizontalPodAutoscaler as V1 } from "./autoscalingV1.types.js";
import type { HorizontalPodAutoscaler as V2 } from "./autoscalingV2.types.js";

type Metric = NonNullable<NonNullable<V2["spec"]>["metrics"]>[number];

export function autoscalerToV1(hpa: V2): V1 {
  const { spec, status, ...same } = hpa;
  const cpu = spec?.metrics?.find(isShare)?.resource?.target?.averageUtilization;
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
  const metrics = withShare(old?.spec?.metrics ?? [], percentage);
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

/** The one metric that v1 can say: a share of the CPU asked for. */
function isShare({ resource }: Metric): boolean {
  return resource?.name === "cpu" && resource.target?.averageUtilization !== undefined;
}

/** What v1 cannot say keeps its place, too. */
function withShare(before: readonly Metric[], percentage: number | undefined): readonly Metric[] {
  const place = before.findIndex(isShare);
  if (percentage !== undefined && before[place]?.resource?.target?.averageUtilization === percentage)
    return before;
  const others = before.filter((_metric, index) => index !== place);
  return percentage === undefined ? others : others.toSpliced(Math.max(place, 0), 0, cpuMetric(percentage));
}

function cpuMetric(averageUtilization: number): Metric {
  return { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } };
}
