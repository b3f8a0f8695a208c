/**
 * What a Revision's Deployment and pods say about it: are there resources, is the container healthy.
 * All pods are heard, not the first; a cause outlives the pod that showed it, and is believed gone only when
 * something has disproved it; a deadline speaks only when nobody knows better.
 */
import type { Deployment } from "../apis/apps/apps.types.js";
import type { Pod } from "../apis/core/pod.types.js";
import { progressCondition } from "../apis/core/progress.js";
import { type Judgement, no, unknown, yes } from "../apis/meta/judgement.js";
import { causeOf, newestFirst, progressOf } from "./podCause.js";
import { isServing, ms, readyConditionOf, steadyAfterMs, wasReadyOnce } from "./podServing.js";

export interface PodsSeen {
  readonly deployment: Deployment;
  readonly pods: readonly Pod[];
  /** Whether this Revision has ever had as many ready pods as it was to start with. */
  readonly hasServed: boolean;
  /** No pod of it was ready at the last look. */
  readonly wasAsleep: boolean;
  readonly before: { readonly resources: Judgement | undefined; readonly container: Judgement | undefined };
  /** Since when its containers were called healthy; undefined when at the last look they were not. */
  readonly healthySinceMs: number | undefined;
  readonly nowMs: number;
}

export interface PodsVerdict {
  readonly resources: Judgement;
  readonly container: Judgement;
  /** When a moment that merely passes may change the verdict. */
  readonly lookAgainInMs?: number | undefined;
}

export function judgePods(seen: PodsSeen): PodsVerdict {
  const { deployment, nowMs, before } = seen;
  const pods = newestFirst(seen.pods.filter((pod) => pod.metadata.deletionTimestamp === undefined));
  const refused = conditionOf(deployment, "ReplicaFailure", "True");
  const refusal =
    refused === undefined ? undefined : no(refused.reason || "FailedCreate", refused.message ?? "");

  if (pods.some((pod) => isServing(pod, nowMs))) return { resources: refusal ?? yes, container: yes };

  // One that wakes is as good as it was when it went to sleep, until something says otherwise.
  const waking = seen.hasServed && seen.wasAsleep;
  const asleep = (deployment.spec?.replicas ?? 0) === 0;
  if (asleep) return { resources: rest(before.resources, seen), container: rest(before.container, seen) };

  const causes = pods.map(causeOf).filter((cause) => cause !== undefined);
  const ofContainer = causes.find((cause) => cause.about === "container")?.judgement;
  const ofResources = refusal ?? causes.find((cause) => cause.about === "resources")?.judgement;
  const container =
    ofContainer ?? (waking && isYes(before.container) ? yes : waitingForContainer(pods, seen));
  const overdue = ofResources === undefined && container.status !== "False" ? judgeDeadline(seen, pods) : {};
  const resources =
    ofResources ??
    overdue.verdict ??
    stillTerminal(before.resources) ??
    (waking && isYes(before.resources) ? yes : unknown("Deploying"));
  return {
    resources,
    container,
    lookAgainInMs: soonest(overdue.lookAgainInMs, ...pods.map((pod) => steadyAfterMs(pod, nowMs))),
  };
}

function isYes(judged: Judgement | undefined): boolean {
  return judged?.status === "True";
}

/** Nothing runs: what was known stays known. One that served well and was let go is a good Revision still. */
function rest(before: Judgement | undefined, { hasServed }: PodsSeen): Judgement {
  if (before?.status === "False") return before;
  return hasServed ? yes : unknown("Deploying");
}

/**
 * No container says why, and none serves. While it starts that is work under way, unless an earlier try showed a cause:
 * a fresh pod has disproved nothing yet. A pod that was ready and no longer is, is a failure in its own words.
 */
function waitingForContainer(pods: readonly Pod[], { before, healthySinceMs }: PodsSeen): Judgement {
  if (before.container?.status === "False") return before.container;
  const ailing = pods
    .filter((pod) => wasReadyOnce(pod, healthySinceMs))
    .flatMap((pod) => readyConditionOf(pod) ?? []);
  const told = ailing.find((condition) => condition.reason !== undefined);
  return told === undefined
    ? unknown("Deploying", progressOf(pods))
    : no(told.reason ?? "", told.message ?? "");
}

/**
 * The deadline counts time without progress: a download whose bytes still flow is not stuck. A Deployment forgets its
 * deadline once it has been available, so for a Revision that has served the age of its newest pod counts.
 */
function judgeDeadline(
  { deployment, nowMs, hasServed }: PodsSeen,
  pods: readonly Pod[],
): { readonly verdict?: Judgement; readonly lookAgainInMs?: number | undefined } {
  const stuck = conditionOf(deployment, "Progressing", "False") !== undefined;
  if (!stuck && !(hasServed && pods.length > 0)) return {};
  const seconds = deployment.spec?.progressDeadlineSeconds ?? 120;
  const since = stuck ? 0 : Math.max(...pods.map((pod) => ms(pod.metadata.creationTimestamp)));
  const leftMs = Math.max(since, ...pods.map(lastProgressMs)) + seconds * 1000 - nowMs;
  if (leftMs > 0) return { lookAgainInMs: leftMs };
  return {
    verdict: no("ProgressDeadlineExceeded", `Did not pass readiness checks in ${seconds} seconds.`),
  };
}

/** A deadline that passed is final until a pod serves (error-conditions document); a refusal ends when it is no longer said. */
function stillTerminal(before: Judgement | undefined): Judgement | undefined {
  return before?.status === "False" && before.reason === "ProgressDeadlineExceeded" ? before : undefined;
}

function lastProgressMs(pod: Pod): number {
  const moved = pod.status?.conditions?.find((one) => one.type === progressCondition);
  return ms(moved?.lastProbeTime);
}

function conditionOf(deployment: Deployment, type: string, status: "True" | "False") {
  return deployment.status?.conditions?.find((one) => one.type === type && one.status === status);
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
