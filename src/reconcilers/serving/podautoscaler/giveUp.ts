import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { parseDuration } from "../../../domain/apis/config/goText.js";
import type { ServingConfig } from "../../../domain/apis/config/index.js";
import { conditionOf } from "../../../domain/apis/meta/judgement.js";
import { serving } from "../../../domain/apis/serving/keys.js";

/** After the deadline a pod that failed is kept this much longer, for whoever wants to read its logs. */
const readingMs = 30_000;

/**
 * How long until a Revision that failed before it ever served is given up and scaled to zero; 0 once it is.
 * Undefined while nothing says that it failed: a slow start is not given up (knative-serving.md, section 5.5).
 */
export function activationLeftMs(
  autoscaler: PodAutoscaler,
  initialized: boolean,
  config: ServingConfig,
  nowMs: number,
): number | undefined {
  if (initialized || autoscaler.spec.reachability !== "Unreachable") return undefined;
  const active = conditionOf(autoscaler, "Active");
  if (active?.status === "False" && active.reason === "TimedOut") return 0;
  const sinceMs = Date.parse(active?.lastTransitionTime ?? autoscaler.metadata.creationTimestamp ?? "");
  return Math.max(0, sinceMs + deadlineMs(autoscaler, config) + readingMs - nowMs);
}

function deadlineMs({ metadata }: PodAutoscaler, { deployment }: ServingConfig): number {
  const own = parseDuration(metadata.annotations?.[serving.progressDeadline] ?? "");
  return "value" in own ? Number(own.value / 1_000_000n) : deployment.progressDeadlineSeconds * 1000;
}
