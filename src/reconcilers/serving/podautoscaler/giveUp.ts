import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { parseDuration } from "../../../domain/apis/config/goText.js";
import type { ServingConfig } from "../../../domain/apis/config/index.js";
import { conditionOf } from "../../../domain/apis/meta/judgement.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import type { Revision } from "../../../domain/apis/serving/revision.types.js";

/** After the deadline a pod that failed is kept this much longer, for whoever wants to read its logs. */
const readingMs = 30_000;

/**
 * How long after a start began it is given up and scaled to zero, so that the next request begins anew; undefined while
 * nothing says that it failed: a slow start is not given up (knative-serving.md, section 5.5).
 */
export function giveUpAfterMs(
  autoscaler: PodAutoscaler,
  revision: Revision | undefined,
  initialized: boolean,
  config: ServingConfig,
): number | undefined {
  // One that never served is unreachable once it is hopeless: what is refused or missing may come any time.
  const failed = initialized ? hasFailed(revision) : autoscaler.spec.reachability === "Unreachable";
  return failed ? deadlineMs(autoscaler, config) + readingMs : undefined;
}

/** Its pods say why they do not serve. */
export function hasFailed(revision: Revision | undefined): boolean {
  return ["ContainerHealthy", "ResourcesAvailable"].some(
    (type) => revision !== undefined && conditionOf(revision, type)?.status === "False",
  );
}

function deadlineMs(autoscaler: PodAutoscaler, { deployment }: ServingConfig): number {
  const own = parseDuration(autoscaler.metadata.annotations?.[serving.progressDeadline] ?? "");
  return "value" in own ? Number(own.value / 1_000_000n) : deployment.progressDeadlineSeconds * 1000;
}
