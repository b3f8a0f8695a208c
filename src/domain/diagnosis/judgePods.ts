/**
 * What a Revision's Deployment and pods say about it: are there resources, is the container healthy.
 * All pods are heard, not the first; the deepest live cause wins over "still deploying" and over a deadline.
 */
import type { Deployment } from "../apis/apps/apps.types.js";
import type { ContainerStatus } from "../apis/core/container.types.js";
import type { Pod } from "../apis/core/pod.types.js";
import { type Judgement, no, unknown, yes } from "../apis/meta/judgement.js";

export interface PodsVerdict {
  readonly resources: Judgement;
  readonly container: Judgement;
}

/** Waiting reasons that mean the image cannot be had (error-conditions document: ContainerMissing). */
const imageReasons = new Set(["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"]);

/** Waiting reasons that mean the container cannot even be made. */
const configReasons = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);

export function judgePods(deployment: Deployment, pods: readonly Pod[]): PodsVerdict {
  if ((deployment.status?.readyReplicas ?? 0) > 0) return { resources: yes, container: yes };
  const cause = newestFirst(pods)
    .map(causeOf)
    .find((one) => one !== undefined);
  const refused = deployment.status?.conditions?.find(
    (one) => one.type === "ReplicaFailure" && one.status === "True",
  );
  const stuck = deployment.status?.conditions?.find(
    (one) => one.type === "Progressing" && one.status === "False",
  );

  const resources =
    refused !== undefined
      ? no(refused.reason ?? "FailedCreate", refused.message ?? "")
      : // A deadline is only the cause when nothing better is known.
        stuck !== undefined && cause === undefined
        ? no(
            "ProgressDeadlineExceeded",
            `Did not pass readiness checks in ${deployment.spec?.progressDeadlineSeconds ?? 120} seconds.`,
          )
        : unknown("Deploying");
  return { resources, container: cause ?? unknown("Deploying", progressOf(pods)) };
}

/** The reason this pod cannot serve, in its own words, or undefined while it still may. */
function causeOf(pod: Pod): Judgement | undefined {
  const init = pod.status?.initContainerStatuses ?? [];
  const main = pod.status?.containerStatuses ?? [];
  const scheduled = pod.status?.conditions?.find(
    (one) => one.type === "PodScheduled" && one.status === "False",
  );
  if (scheduled !== undefined) return no(scheduled.reason ?? "Unschedulable", scheduled.message ?? "");
  for (const status of init) {
    const cause = causeOfContainer(pod, status, `Init container ${status.name} failed with: `);
    if (cause !== undefined) return cause;
  }
  for (const status of main) {
    if (status.name === "queue-proxy") continue;
    const cause = causeOfContainer(pod, status, "Container failed with: ");
    if (cause !== undefined) return cause;
  }
  return undefined;
}

function causeOfContainer(pod: Pod, status: ContainerStatus, prefix: string): Judgement | undefined {
  const waiting = status.state?.waiting;
  if (waiting?.reason !== undefined && imageReasons.has(waiting.reason)) {
    return no(
      "ContainerMissing",
      `Unable to fetch image '${status.image}': ${waiting.message ?? waiting.reason}`,
    );
  }
  if (waiting?.reason !== undefined && configReasons.has(waiting.reason)) {
    return no(waiting.reason, waiting.message ?? waiting.reason);
  }
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  if (ended === undefined || status.ready) return undefined;
  // An init container that ended well is done; a server that ended well is not serving.
  if (ended.exitCode === 0 && (prefix.startsWith("Init") || status.state?.running !== undefined))
    return undefined;
  const said =
    (ended.message ?? "").trim() ||
    (ended.exitCode === 0 ? "container exited with no error" : `exit code ${ended.exitCode}`);
  return no(
    `ExitCode${ended.exitCode}`,
    `${prefix}${ended.exitCode === 137 ? outOfMemory(pod, status.name, said) : said}`,
  );
}

function outOfMemory(pod: Pod, name: string, said: string): string {
  const container = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find(
    (one) => one.name === name,
  );
  const limit = container?.resources?.limits?.["memory"];
  return limit === undefined
    ? `${said} (killed; often for want of memory)`
    : `${said} (killed; its memory limit is ${limit})`;
}

/** What a pod that is still starting waits for, such as a runtime being installed. */
function progressOf(pods: readonly Pod[]): string {
  for (const pod of newestFirst(pods)) {
    for (const status of [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
    ]) {
      if (status.state?.waiting?.message) return status.state.waiting.message;
    }
  }
  return "";
}

function newestFirst(pods: readonly Pod[]): readonly Pod[] {
  return [...pods].sort((a, b) =>
    (b.metadata.creationTimestamp ?? "") < (a.metadata.creationTimestamp ?? "") ? -1 : 1,
  );
}
