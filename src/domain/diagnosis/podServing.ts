// Whether a pod serves, and whether that is to be believed.
import type { ContainerStatus } from "../apis/core/container.types.js";
import type { Pod } from "../apis/core/pod.types.js";

/**
 * A container that fell over at once and was started again must stay up this long before it is called healthy:
 * a port that opens for a moment in each round of a crash loop is not a model that serves.
 */
const steadyMs = 10_000;

export function isServing(pod: Pod, nowMs: number): boolean {
  return isPodReady(pod) && (steadyAfterMs(pod, nowMs) ?? 0) === 0;
}

/** How long until a ready pod that was crashing may be believed; undefined when there is nothing to wait for. */
export function steadyAfterMs(pod: Pod, nowMs: number): number | undefined {
  if (!isPodReady(pod)) return undefined;
  const waits = (pod.status?.containerStatuses ?? [])
    .filter(fellAtOnce)
    .map((status) => ms(status.state?.running?.startedAt) + steadyMs - nowMs)
    .filter((left) => left > 0);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

export function isPodReady(pod: Pod): boolean {
  return readyConditionOf(pod)?.status === "True";
}

/** The first word on a pod that starts may be written this much after its containers are up. */
const firstWordMs = 10_000;

/**
 * Not ready now, and it must have been: its Revision was called healthy when it was there already, or it lost its
 * readiness long after its containers were up.
 */
export function wasReadyOnce(pod: Pod, healthySinceMs: number | undefined): boolean {
  const ready = readyConditionOf(pod);
  const started = (pod.status?.containerStatuses ?? []).map((one) => one.state?.running?.startedAt);
  if (ready?.status !== "False" || started.length === 0 || started.includes(undefined)) return false;
  if (healthySinceMs !== undefined && ms(pod.status?.startTime) <= healthySinceMs) return true;
  return ms(ready.lastTransitionTime) > Math.max(...started.map(ms)) + firstWordMs;
}

export function readyConditionOf(pod: Pod) {
  return pod.status?.conditions?.find((one) => one.type === "Ready");
}

/** Its last run ended badly, and sooner than a steady one would have. */
function fellAtOnce({ lastState, state }: ContainerStatus): boolean {
  const last = lastState?.terminated;
  if (last === undefined || last.exitCode === 0 || state?.running === undefined) return false;
  return ms(last.finishedAt) - ms(last.startedAt) < steadyMs;
}

export function ms(iso: string | undefined): number {
  return Date.parse(iso ?? "") || 0;
}
