/**
 * What a Deployment reports: counts of its ReplicaSets, and three conditions. Available says whether enough
 * pods serve, Progressing whether the rollout moves, ReplicaFailure why pods could not be had. Pure.
 */
import type { Deployment, DeploymentCondition, ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { msOf } from "../pods.js";
import { boundsOf } from "./bounds.js";
import { total } from "./rollout.js";

/** A verdict on one condition, as a ReplicaSet's story makes it. */
export interface Verdict {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** What this round did, or tried to do, about the present ReplicaSet. */
export type NewSetNews =
  | { readonly outcome: "created" | "found"; readonly name: string }
  | { readonly outcome: "failed"; readonly name: string; readonly because: string }
  | { readonly outcome: "none" };

interface Counts {
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
}

export interface DeploymentReport {
  readonly fields: { readonly [field: string]: unknown };
  readonly isComplete: boolean;
  /** When the deadline for progress passes, should nothing happen. */
  readonly lookAgainInMs: number | undefined;
}

// Upstream's way to say that no deadline is meant: the largest int32.
const noDeadline = 2 ** 31 - 1;

// No deadline runs once one of these is said.
const settledReasons: ReadonlySet<string> = new Set([
  "NewReplicaSetAvailable",
  "ProgressDeadlineExceeded",
  "ReplicaSetCreateError",
]);

export function reportDeployment(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
  news: NewSetNews,
  nowMs: number,
): DeploymentReport {
  const counts = countsOf(newSet, oldSets);
  const progress = judgeProgress(deployment, newSet, counts, news, nowMs);
  const standing = conditionOf(deployment, "Progressing");
  const progressing =
    progress === undefined ? undefined : renewed(standing, "Progressing", progress.verdict, nowMs);
  const refreshed = progress?.moved === true && progressing !== undefined;
  const conditions = [
    renewed(conditionOf(deployment, "Available"), "Available", judgeAvailable(deployment, counts), nowMs),
    refreshed ? { ...progressing, lastUpdateTime: isoSeconds(nowMs) } : progressing,
    failureOf(newSet, oldSets),
  ];
  return {
    fields: {
      observedGeneration: deployment.metadata.generation,
      replicas: counted(counts.replicas),
      updatedReplicas: counted(counts.updatedReplicas),
      readyReplicas: counted(counts.readyReplicas),
      availableReplicas: counted(counts.availableReplicas),
      unavailableReplicas: counted(counts.unavailableReplicas),
      conditions: conditions.filter((one) => one !== undefined),
    },
    isComplete: isComplete(deployment, counts),
    lookAgainInMs: untilDeadline(deployment, conditions[1], nowMs),
  };
}

/** Undefined when the Deployment has no deadline and so no such condition. */
function judgeProgress(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  counts: Counts,
  news: NewSetNews,
  nowMs: number,
): { readonly verdict: Verdict; readonly moved: boolean } | undefined {
  if (deadlineMs(deployment) === undefined) return undefined;
  const { name } = deployment.metadata;
  const standing = conditionOf(deployment, "Progressing");
  const still = (verdict: Verdict) => ({ verdict, moved: false });

  if (news.outcome === "failed") {
    const message = `Failed to create new replica set ${JSON.stringify(news.name)}: ${news.because}`;
    return still({ status: "False", reason: "ReplicaSetCreateError", message });
  }
  if (deployment.spec?.paused === true) {
    // The last word on a rollout that failed must not be lost in a pause.
    if (standing?.reason === "ProgressDeadlineExceeded") return still(asVerdict(standing));
    return still({ status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" });
  }

  const story = beginning(standing, news);
  const subject = newSet === undefined ? `Deployment "${name}"` : `ReplicaSet "${newSet.metadata.name}"`;
  const wasDone = story?.reason === "NewReplicaSetAvailable" && counts.replicas === counts.updatedReplicas;
  if (!wasDone && isComplete(deployment, counts)) {
    const message = `${subject} has successfully progressed.`;
    return still({ status: "True", reason: "NewReplicaSetAvailable", message });
  }
  if (!wasDone && hasMoved(deployment, counts) && news.outcome !== "created") {
    const message = `${subject} is progressing.`;
    return { verdict: { status: "True", reason: "ReplicaSetUpdated", message }, moved: true };
  }
  if (!wasDone && isOverdue(deployment, standing, story, nowMs)) {
    const message = `${subject} has timed out progressing.`;
    return still({ status: "False", reason: "ProgressDeadlineExceeded", message });
  }
  return story === undefined ? undefined : still(story);
}

/** How the story of the present ReplicaSet stands before its pods are looked at. */
function beginning(standing: DeploymentCondition | undefined, news: NewSetNews): Verdict | undefined {
  if (news.outcome === "created") {
    const message = `Created new replica set "${news.name}"`;
    return { status: "True", reason: "NewReplicaSetCreated", message };
  }
  if (standing?.reason === "DeploymentPaused") {
    return { status: "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed" };
  }
  // Success told of another ReplicaSet is no success of this one; its deadline starts now.
  const isOthers =
    standing?.reason === "NewReplicaSetAvailable" &&
    news.outcome === "found" &&
    standing.message?.includes(`"${news.name}"`) === false;
  const isFresh = standing === undefined || isOthers || standing.reason === "ReplicaSetCreateError";
  if (isFresh && news.outcome === "found") {
    return { status: "True", reason: "FoundNewReplicaSet", message: `Found new replica set "${news.name}"` };
  }
  return standing === undefined ? undefined : asVerdict(standing);
}

function isOverdue(
  deployment: Deployment,
  standing: DeploymentCondition | undefined,
  story: Verdict | undefined,
  nowMs: number,
): boolean {
  if (story === undefined || story.reason === "NewReplicaSetAvailable") return false;
  if (story.reason === "ProgressDeadlineExceeded") return true;
  if (standing?.reason !== story.reason) return false;
  return (untilDeadline(deployment, standing, nowMs) ?? 1) <= 0;
}

/** Time left to make progress; undefined when no deadline applies. */
function untilDeadline(
  deployment: Deployment,
  progressing: DeploymentCondition | undefined,
  nowMs: number,
): number | undefined {
  const deadline = deadlineMs(deployment);
  if (deadline === undefined || progressing === undefined || deployment.spec?.paused === true) {
    return undefined;
  }
  if (settledReasons.has(progressing.reason ?? "")) return undefined;
  return Math.max(0, (msOf(progressing.lastUpdateTime) ?? nowMs) + deadline - nowMs);
}

function deadlineMs({ spec }: Deployment): number | undefined {
  const seconds = spec?.progressDeadlineSeconds;
  return seconds === undefined || seconds === noDeadline ? undefined : seconds * 1000;
}

function judgeAvailable(deployment: Deployment, { availableReplicas }: Counts): Verdict {
  return availableReplicas >= boundsOf(deployment).least
    ? {
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

function isComplete({ spec }: Deployment, counts: Counts): boolean {
  const wished = spec?.replicas ?? 1;
  return (
    counts.updatedReplicas === wished && counts.replicas === wished && counts.availableReplicas === wished
  );
}

/** More new pods, fewer old ones, or more of them up than at the last look. */
function hasMoved({ status }: Deployment, counts: Counts): boolean {
  const oldBefore = (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    counts.updatedReplicas > (status?.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < oldBefore ||
    counts.readyReplicas > (status?.readyReplicas ?? 0) ||
    counts.availableReplicas > (status?.availableReplicas ?? 0)
  );
}

function countsOf(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): Counts {
  const all = newSet === undefined ? oldSets : [newSet, ...oldSets];
  const sum = (field: "replicas" | "readyReplicas" | "availableReplicas") =>
    all.reduce((so, set) => so + (set.status?.[field] ?? 0), 0);
  const availableReplicas = sum("availableReplicas");
  return {
    replicas: sum("replicas"),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum("readyReplicas"),
    availableReplicas,
    unavailableReplicas: Math.max(0, total(all) - availableReplicas),
  };
}

/** The present ReplicaSet's failure first: it is the one the user waits for. */
function failureOf(
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
): DeploymentCondition | undefined {
  for (const set of newSet === undefined ? oldSets : [newSet, ...oldSets]) {
    const failure = set.status?.conditions?.find((one) => one.type === "ReplicaFailure");
    if (failure === undefined) continue;
    const { type, status, reason, message, lastTransitionTime } = failure;
    return { type, status, reason, message, lastTransitionTime, lastUpdateTime: lastTransitionTime };
  }
  return undefined;
}

/** Times move only with what they tell of: the update with status or reason, the transition with status. */
function renewed(
  old: DeploymentCondition | undefined,
  type: string,
  verdict: Verdict,
  nowMs: number,
): DeploymentCondition {
  const now = isoSeconds(nowMs);
  const sameStatus = old?.status === verdict.status;
  const isOld = sameStatus && old?.reason === verdict.reason;
  return {
    type,
    ...verdict,
    lastUpdateTime: isOld ? (old.lastUpdateTime ?? now) : now,
    lastTransitionTime: sameStatus ? (old.lastTransitionTime ?? now) : now,
  };
}

function conditionOf({ status }: Deployment, type: string): DeploymentCondition | undefined {
  return status?.conditions?.find((one) => one.type === type);
}

function asVerdict({ status, reason, message }: DeploymentCondition): Verdict {
  return { status: status as Verdict["status"], reason: reason ?? "", message: message ?? "" };
}

function counted(count: number): number | undefined {
  return count === 0 ? undefined : count;
}
