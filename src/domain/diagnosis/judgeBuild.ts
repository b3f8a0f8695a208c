/**
 * What a Build's pod says about the Build, and what the Build says about the Revision that waits for it
 * (error-conditions document, "Build failed").
 */
import { stepContainer, stepOf } from "../apis/build/build.names.js";
import type { Build } from "../apis/build/build.types.js";
import type { ContainerStatus } from "../apis/core/container.types.js";
import type { Pod } from "../apis/core/pod.types.js";
import { conditionOf, type Judgement, no, unknown, yes } from "../apis/meta/judgement.js";

export interface BuildVerdict {
  readonly succeeded: Judgement;
  /** Nothing runs any more, and nothing will. */
  readonly isOver: boolean;
  /** The container whose log tells most: the step that failed, the one that runs, or the last that ran. */
  readonly told: string | undefined;
}

/** Waiting reasons that mean the image cannot be had. */
const imageReasons = new Set(["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"]);
const configReasons = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);

/** `source` is the step that fetches, if there is one; `timedOut` how a Build that ran out of time is judged. */
export function judgeBuildPod(pod: Pod, source: string | undefined, timedOut: Judgement): BuildVerdict {
  const { phase, reason, message } = pod.status ?? {};
  const steps = pod.status?.initContainerStatuses ?? [];
  const told = latest(steps);
  if (phase === "Succeeded") return { succeeded: yes, isOver: true, told };

  const missing = [...steps, ...(pod.status?.containerStatuses ?? [])]
    .map(cannotStart)
    .find((one) => one !== undefined);
  // The node's own stop at the deadline ends a step as if it had failed by itself.
  if (reason === "DeadlineExceeded") return { succeeded: missing ?? timedOut, isOver: true, told };
  // Nor does a pod that is being taken away prove anything about its steps.
  if (pod.metadata.deletionTimestamp !== undefined && phase !== "Failed") {
    return { succeeded: unknown("Building", "The Build's pod is being deleted."), isOver: false, told };
  }

  const failed = steps.find((step) => (step.state?.terminated?.exitCode ?? 0) !== 0);
  if (failed !== undefined) {
    const isSource = source !== undefined && failed.name === stepContainer(source);
    const words = `Step ${stepOf(failed.name)} failed with error message: ${lastWords(failed)}`;
    return {
      succeeded: no(isSource ? "SourceMissing" : "BuildStepFailed", words),
      isOver: true,
      told: failed.name,
    };
  }
  if (phase === "Failed") {
    return { succeeded: no(reason || "PodFailed", message || "The Build's pod failed."), isOver: true, told };
  }
  return { succeeded: missing ?? unknown("Building", progress(pod, steps)), isOver: false, told };
}

export function judgeTimeout(pod: Pod | undefined, timeout: string): Judgement {
  const steps = pod?.status?.initContainerStatuses ?? [];
  const running = steps.find((step) => step.state?.running !== undefined);
  // By the time we look, the node may have ended the one that ran.
  const stopped = running ?? steps.find((step) => (step.state?.terminated?.exitCode ?? 0) !== 0);
  const what = stopped === undefined ? "The Build" : `Step ${stepOf(stopped.name)}`;
  return no("BuildTimeout", `${what} did not finish within ${timeout}, the Build's timeout.`);
}

export interface BuildJudgement {
  /** The Revision's BuildSucceeded; it carries how Ready tells it. */
  readonly condition: Judgement;
  readonly ready: Judgement;
}

/** Of the Build that a Revision names; there may be none (yet). */
export function judgeBuild(build: Build | undefined, name: string): BuildJudgement {
  if (build === undefined) {
    return alike(unknown("BuildMissing", `Build '${name}' referenced by buildName not found.`));
  }
  const succeeded = conditionOf(build, "Succeeded");
  if (succeeded?.status === "True") return alike(yes);
  if (succeeded?.status !== "False") {
    return alike(unknown("Building", succeeded?.message || `Build '${name}' is not finished yet.`));
  }
  const message = succeeded.message ?? "";
  const inReady = {
    reason: "BuildFailed",
    message: message.startsWith("Step ") ? `Build ${message}` : `Build failed: ${message}`,
  };
  return {
    condition: { ...no(succeeded.reason ?? "", message), inReady } as Judgement,
    ready: no(inReady.reason, inReady.message),
  };
}

function alike(judged: Judgement): BuildJudgement {
  return { condition: judged, ready: judged };
}

function cannotStart(status: ContainerStatus): Judgement | undefined {
  const { reason, message } = status.state?.waiting ?? {};
  if (reason === undefined) return undefined;
  if (imageReasons.has(reason)) {
    return no("ContainerMissing", `Unable to fetch image '${status.image}': ${message ?? reason}`);
  }
  return configReasons.has(reason) ? no(reason, message ?? reason) : undefined;
}

/** The last line of the log, which the node keeps as the container's last words. */
function lastWords({ state }: ContainerStatus): string {
  const { message = "", reason, exitCode = 0 } = state?.terminated ?? {};
  const line = message.trim().split("\n").at(-1)?.trim();
  if (line) return line;
  return reason === "OOMKilled" ? "killed for want of memory" : `exit code ${exitCode}`;
}

function latest(steps: readonly ContainerStatus[]): string | undefined {
  return steps.findLast(
    ({ state }) => state?.running !== undefined || state?.terminated?.containerID !== undefined,
  )?.name;
}

function progress(pod: Pod, steps: readonly ContainerStatus[]): string {
  const unscheduled = pod.status?.conditions?.find(
    (one) => one.type === "PodScheduled" && one.status === "False",
  );
  if (unscheduled?.message) return unscheduled.message;
  const running = steps.find((step) => step.state?.running !== undefined);
  if (running !== undefined) return `Step ${stepOf(running.name)} is running.`;
  return steps.find((step) => step.state?.waiting?.message)?.state?.waiting?.message ?? "";
}
