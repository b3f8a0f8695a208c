// Which pods go first when there are too many, and which of the failed ones may be forgotten. Pure.
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import { isReady, msOf, readySinceMs } from "../pods.js";

const deletionCost = "controller.kubernetes.io/pod-deletion-cost";
const phases = ["Pending", "Unknown", "Running"];

/** The least useful pods: not placed, not running, not ready, cheap by their own word, then the newest. */
export function pickToDelete(pods: readonly Pod[], count: number): readonly Pod[] {
  return [...pods].sort(byUse).slice(0, Math.max(0, count));
}

export function pickToForget(failed: readonly Pod[], keep: number): readonly Pod[] {
  return [...failed].sort((a, b) => born(b) - born(a) || byName(a, b)).slice(keep);
}

function byUse(a: Pod, b: Pod): number {
  return (
    Number(isPlaced(a)) - Number(isPlaced(b)) ||
    phaseRank(a) - phaseRank(b) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    cost(a) - cost(b) ||
    (readySinceMs(b) ?? 0) - (readySinceMs(a) ?? 0) ||
    restarts(b) - restarts(a) ||
    born(b) - born(a) ||
    byName(a, b)
  );
}

function isPlaced({ spec }: Pod): boolean {
  return spec?.nodeName !== undefined && spec.nodeName !== "";
}

function phaseRank({ status }: Pod): number {
  return phases.indexOf(status?.phase ?? "Pending");
}

function cost({ metadata }: Pod): number {
  return Number(metadata.annotations?.[deletionCost] ?? 0) || 0;
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map((one) => one.restartCount ?? 0));
}

function born({ metadata }: Pod): number {
  return msOf(metadata.creationTimestamp) ?? 0;
}

function byName(a: Pod, b: Pod): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
