// Why one pod does not serve, in its own words.
import type { ContainerStatus } from "../apis/core/container.types.js";
import type { Pod } from "../apis/core/pod.types.js";
import { type Judgement, no } from "../apis/meta/judgement.js";

export interface Cause {
  /** Which of a Revision's conditions it speaks to. */
  readonly about: "container" | "resources";
  readonly judgement: Judgement;
}

/** Waiting reasons that mean the image cannot be had (error-conditions document: ContainerMissing). */
const imageReasons = new Set(["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"]);

/** Waiting reasons that mean the container cannot even be made. */
const configReasons = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);

/** Undefined while the pod still may come to serve. */
export function causeOf(pod: Pod): Cause | undefined {
  const scheduled = pod.status?.conditions?.find(
    (one) => one.type === "PodScheduled" && one.status === "False",
  );
  if (scheduled !== undefined) {
    return {
      about: "resources",
      judgement: no(scheduled.reason || "Unschedulable", scheduled.message ?? ""),
    };
  }
  // The pod itself was ended, by an eviction or its own deadline, whatever its containers say.
  if (pod.status?.phase === "Failed" && pod.status.reason !== undefined) {
    return { about: "container", judgement: no(pod.status.reason, pod.status.message ?? pod.status.reason) };
  }
  for (const status of pod.status?.initContainerStatuses ?? []) {
    const judgement = causeOfContainer(pod, status, "init");
    if (judgement !== undefined) return { about: "container", judgement };
  }
  for (const status of pod.status?.containerStatuses ?? []) {
    if (status.name === "queue-proxy") continue;
    const judgement = causeOfContainer(pod, status, "main");
    if (judgement !== undefined) return { about: "container", judgement };
  }
  return undefined;
}

function causeOfContainer(pod: Pod, status: ContainerStatus, role: "init" | "main"): Judgement | undefined {
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
  if (ended.exitCode === 0 && (role === "init" || status.state?.running !== undefined)) return undefined;
  const said =
    (ended.message ?? "").trim() ||
    (ended.exitCode === 0 ? "container exited with no error" : `exit code ${ended.exitCode}`);
  const prefix = role === "init" ? `Init container ${status.name} failed with: ` : "Container failed with: ";
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
export function progressOf(pods: readonly Pod[]): string {
  for (const pod of pods) {
    for (const status of [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
    ]) {
      if (status.state?.waiting?.message) return status.state.waiting.message;
    }
  }
  return "";
}

export function newestFirst(pods: readonly Pod[]): readonly Pod[] {
  return [...pods].sort((a, b) =>
    (b.metadata.creationTimestamp ?? "") < (a.metadata.creationTimestamp ?? "") ? -1 : 1,
  );
}
