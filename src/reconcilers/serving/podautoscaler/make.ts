import type { Metric } from "../../../domain/apis/autoscaling/metric.types.js";
import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { parseDuration } from "../../../domain/apis/config/goText.js";
import type { AutoscalerConfig } from "../../../domain/apis/config/index.js";
import type { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { autoscaling } from "../../../domain/apis/serving/keys.js";
import type { Unsaved } from "../../../ports/index.js";
import { without } from "../names.js";

export function makeServerlessService({ metadata, spec }: PodAutoscaler): Unsaved<ServerlessService> {
  return {
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: metadata.labels,
      annotations: without(metadata.annotations, (key) => key === autoscaling.metric),
    },
    spec: {
      mode: "Serve",
      objectRef: spec.scaleTargetRef,
      protocolType: spec.protocolType ?? "http1",
      numActivators: 0,
    },
  };
}

/** Which counts the autoscaler looks at: a long window, a short one within it, and whom to ask (section 5.2). */
export function makeMetric(
  { metadata }: PodAutoscaler,
  scrapeTarget: string,
  { stableWindowMs, panicWindowPercentage, targetBurstCapacity }: AutoscalerConfig,
): Unsaved<Metric> {
  const { annotations } = metadata;
  const own = parseDuration(annotations?.[autoscaling.window] ?? "");
  const stable = "value" in own ? own.value : BigInt(stableWindowMs) * 1_000_000n;
  const share = Number(annotations?.[autoscaling.panicWindowPercentage] ?? panicWindowPercentage);
  const panicSeconds = Math.max(1, Math.round((Number(stable) / 1e9) * (share / 100)));
  const burst = Number(annotations?.[autoscaling.targetBurstCapacity] ?? targetBurstCapacity);
  return {
    metadata: { name: metadata.name, namespace: metadata.namespace, labels: metadata.labels, annotations },
    spec: {
      stableWindow: Number(stable),
      panicWindow: panicSeconds * 1_000_000_000,
      // With the activator always in the path its own counts say everything.
      scrapeTarget: burst === -1 ? "" : scrapeTarget,
    },
  };
}
