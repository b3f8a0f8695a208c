// What a ReplicaSet reports of its pods. Pure.
import type { ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { availableInMs, isReady } from "../pods.js";

/** Why the last attempt at the wished number of pods fell short. */
export interface Shortfall {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

export interface SetReport {
  /** Members of status; undefined leaves one out, as the API does with zero. */
  readonly fields: { readonly [field: string]: unknown };
  /** When the next ready pod counts as available. */
  readonly lookAgainInMs: number | undefined;
}

/** `shortfall` is undefined when nothing was attempted that failed. */
export function reportSet(
  set: ReplicaSet,
  active: readonly Pod[],
  shortfall: Shortfall | undefined,
  nowMs: number,
): SetReport {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const labels = Object.entries(set.spec?.template?.metadata?.labels ?? {});
  const waits = active.map((pod) => availableInMs(pod, minReadySeconds, nowMs));
  const later = waits.filter((ms) => ms !== undefined && ms > 0) as number[];
  return {
    fields: {
      replicas: active.length,
      fullyLabeledReplicas: counted(
        active.filter((pod) => labels.every(([key, value]) => pod.metadata.labels?.[key] === value)).length,
      ),
      readyReplicas: counted(active.filter(isReady).length),
      availableReplicas: counted(waits.filter((ms) => ms === 0).length),
      observedGeneration: set.metadata.generation,
      conditions: conditionsOf(set, shortfall, nowMs),
    },
    lookAgainInMs: later.length === 0 ? undefined : Math.min(...later),
  };
}

/** Since when pods are refused; undefined when they are not. */
export function refusedSince(set: ReplicaSet): string | undefined {
  return failureOf(set)?.lastTransitionTime;
}

function conditionsOf(set: ReplicaSet, shortfall: Shortfall | undefined, nowMs: number) {
  const others = (set.status?.conditions ?? []).filter((one) => one.type !== "ReplicaFailure");
  const old = failureOf(set);
  if (shortfall === undefined) return others.length === 0 ? undefined : others;
  const { reason, message } = shortfall;
  const isOldNews = old?.reason === reason && plain(set, old.message) === plain(set, message);
  const condition = isOldNews
    ? old
    : {
        type: "ReplicaFailure",
        status: "True",
        lastTransitionTime: old?.lastTransitionTime ?? isoSeconds(nowMs),
        reason,
        message,
      };
  return [...others, condition];
}

function failureOf(set: ReplicaSet) {
  return set.status?.conditions?.find((one) => one.type === "ReplicaFailure" && one.status === "True");
}

// Each try has a new pod name: the same refusal of another name is no news, and must not cost a write.
function plain(set: ReplicaSet, message: string | undefined): string {
  const prefix = set.metadata.name.replace(/[.]/g, "\\.");
  return (message ?? "").replace(new RegExp(`${prefix}-[a-z0-9]{5}`, "g"), prefix);
}

function counted(count: number): number | undefined {
  return count === 0 ? undefined : count;
}
