import type { HorizontalPodAutoscaler } from "../../../domain/apis/autoscaling/autoscalingV2.types.js";
import type { Metric } from "../../../domain/apis/autoscaling/metric.types.js";
import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import type { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { autoscaling } from "../../../domain/apis/serving/keys.js";
import type { ScalingSettings, ServeMode } from "../../../domain/autoscaling/index.js";
import type { Unsaved } from "../../../ports/index.js";
import { without } from "../names.js";

export function makeServerlessService(
  { metadata, spec }: PodAutoscaler,
  mode: ServeMode,
  numActivators: number,
): Unsaved<ServerlessService> {
  return {
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: metadata.labels,
      annotations: without(metadata.annotations, (key) => key === autoscaling.metric),
    },
    spec: {
      mode,
      objectRef: spec.scaleTargetRef,
      protocolType: spec.protocolType ?? "http1",
      numActivators,
    },
  };
}

/** Which counts the autoscaler looks at: a long window, a short one within it, and whom to ask (section 5.2). */
export function makeMetric(
  { metadata: { name, namespace, labels, annotations } }: PodAutoscaler,
  scrapeTarget: string,
  { stableWindowMs, panicWindowMs, burstCapacity }: ScalingSettings,
): Unsaved<Metric> {
  return {
    metadata: { name, namespace, labels, annotations },
    spec: {
      stableWindow: stableWindowMs * 1_000_000,
      panicWindow: panicWindowMs * 1_000_000,
      // With the activator always in the path its own counts say everything.
      scrapeTarget: burstCapacity === -1 ? "" : scrapeTarget,
    },
  };
}

/** The same wishes in Kubernetes' own words (section 5.6). */
export function makeHorizontalPodAutoscaler(
  { metadata: { name, namespace, labels, annotations = {} }, spec }: PodAutoscaler,
  { minScale, maxScale, stableWindowMs }: ScalingSettings,
): Unsaved<HorizontalPodAutoscaler> {
  const windowSeconds = annotations[autoscaling.window] === undefined ? undefined : stableWindowMs / 1000;
  const stabilized = { stabilizationWindowSeconds: windowSeconds };
  return {
    metadata: { name, namespace, labels, annotations },
    spec: {
      scaleTargetRef: spec.scaleTargetRef,
      ...(minScale > 0 ? { minReplicas: minScale } : {}),
      maxReplicas: Number.isFinite(maxScale) ? maxScale : mostReplicas,
      ...metricsOf(annotations),
      ...(windowSeconds === undefined ? {} : { behavior: { scaleDown: stabilized, scaleUp: stabilized } }),
    },
  } as Unsaved<HorizontalPodAutoscaler>;
}

const mostReplicas = 2_147_483_647;

/** Without a target Kubernetes' own default counts. */
function metricsOf(annotations: { readonly [key: string]: string }) {
  const target = Number(annotations[autoscaling.target]);
  if (!(target > 0)) return {};
  const name = annotations[autoscaling.metric] ?? "cpu";
  const whole = Math.ceil(target);
  if (name === "cpu")
    return { metrics: [resource(name, { type: "Utilization", averageUtilization: whole })] };
  if (name === "memory")
    return { metrics: [resource(name, { type: "AverageValue", averageValue: `${target}Mi` })] };
  const averageValue = { type: "AverageValue", averageValue: String(target) };
  return { metrics: [{ type: "Pods", pods: { metric: { name }, target: averageValue } }] };
}

function resource(name: string, target: object) {
  return { type: "Resource", resource: { name, target } };
}
