// What the pods of a scale target use of one resource, beside what they asked for. Pure.
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import { asMilli } from "../../../domain/apis/quantity/index.js";
import type { PodSample } from "../../../domain/autoscaling/index.js";
import type { PodUsage } from "../../../ports/index.js";
import { cpuStartMs, firstReadyMs } from "../limits.js";
import { msOf } from "../pods.js";

/** `container` narrows it to one of each pod's. */
export function samplesOf(
  pods: readonly Pod[],
  usage: readonly PodUsage[],
  resource: string,
  container: string | undefined,
  nowMs: number,
): readonly PodSample[] {
  const used = new Map(usage.map((one) => [one.pod.uid, one]));
  return pods
    .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase !== "Failed")
    .map((pod) => {
      const measured = used.get(pod.metadata.uid ?? "");
      return {
        name: pod.metadata.name,
        used: usedOf(measured, resource, container),
        requested: requestedOf(pod, resource, container),
        unready: isUnready(pod, measured, resource, nowMs),
      };
    });
}

function usedOf(measured: PodUsage | undefined, resource: string, container: string | undefined) {
  const parts = (measured?.containers ?? []).filter(
    ({ name }) => container === undefined || name === container,
  );
  if (parts.length === 0) return undefined;
  return parts.reduce(
    (sum, one) => sum + (resource === "cpu" ? one.cpuNanoCores / 1e6 : one.memoryBytes * 1000),
    0,
  );
}

/** Undefined as soon as one container asked for nothing: there is no share of nothing. */
function requestedOf({ spec }: Pod, resource: string, container: string | undefined): number | undefined {
  let sum = 0;
  for (const one of spec?.containers ?? []) {
    if (container !== undefined && one.name !== container) continue;
    const amount = one.resources?.requests?.[resource];
    if (amount === undefined) return undefined;
    sum += asMilli(amount);
  }
  return sum;
}

function isUnready(
  { status }: Pod,
  measured: PodUsage | undefined,
  resource: string,
  nowMs: number,
): boolean {
  if (status?.phase === "Pending") return true;
  // Memory is there from the first moment; only processor time is misleading at first.
  if (resource !== "cpu" || measured === undefined) return false;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const startedMs = msOf(status?.startTime);
  if (ready === undefined || startedMs === undefined) return true;
  const sinceMs = msOf(ready.lastTransitionTime) ?? 0;
  if (startedMs + cpuStartMs > nowMs)
    return ready.status === "False" || measured.atMs < sinceMs + measured.windowMs;
  return ready.status === "False" && startedMs + firstReadyMs > sinceMs;
}
