// What an earlier life of Drydock wrote about a pod's containers, as the facts this life begins with.
import type { Container, ContainerStatus } from "../../domain/apis/core/container.types.js";
import type { Pod } from "../../domain/apis/core/pod.types.js";
import { isoSeconds } from "../../domain/apis/meta/time.js";
import type { Survivor } from "../../ports/index.js";
import { type ContainerFacts, unstarted } from "./facts.js";
import { isEnded } from "./podStatus.js";

/** `leftOf` gives what is left of a container that outlived that life: it is what it was, and ready only if it runs. */
export function restoredFacts(
  pod: Pod,
  reason: string,
  nowMs: number,
  leftOf: (container: string) => Pick<Survivor, "isRunning"> | undefined = () => undefined,
): ReadonlyMap<string, ContainerFacts> {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return new Map(
    containers.map((container) => {
      const before = statuses.find((one) => one.name === container.name);
      const left = leftOf(container.name);
      return [
        container.name,
        before === undefined
          ? unstarted(reason)
          : before.state?.running !== undefined && left !== undefined
            ? asItWas(before, left.isRunning)
            : restored(pod, container, before, reason, nowMs),
      ];
    }),
  );
}

function restored(
  pod: Pod,
  container: Container,
  before: ContainerStatus,
  reason: string,
  nowMs: number,
): ContainerFacts {
  const { restartCount } = before;
  const common = {
    ...unstarted(reason),
    restartCount,
    imageID: before.imageID,
    containerID: before.containerID,
  };
  const lastState = isEmpty(before.lastState) ? undefined : before.lastState;
  if (isEnded(pod)) return { ...common, state: before.state ?? {}, lastState, isReady: before.ready };
  if (isInit(pod, container) && before.state?.terminated?.exitCode === 0) {
    return { ...common, state: before.state, lastState, isReady: true };
  }
  const { running, terminated } = before.state ?? {};
  if (running === undefined && terminated === undefined) return { ...common, lastState };

  const isFinal = pod.spec?.restartPolicy === "Never";
  const ended = terminated ?? {
    // Nobody saw how it ended. Where it is started again that is no failure of its own, and must not look like one.
    exitCode: isFinal ? 137 : 0,
    reason: "DrydockRestarted",
    message: "Drydock was restarted while this container was running",
    startedAt: running?.startedAt,
    finishedAt: isoSeconds(nowMs),
    containerID: before.containerID,
  };
  if (isFinal) return { ...common, state: { terminated: ended }, lastState };
  if (terminated?.exitCode === 0 && pod.spec?.restartPolicy === "OnFailure") {
    return { ...common, state: { terminated }, lastState };
  }
  return { ...common, lastState: { terminated: ended }, restartCount: restartCount + 1 };
}

function asItWas(
  { state = {}, lastState, restartCount, ...before }: ContainerStatus,
  isRunning: boolean,
): ContainerFacts {
  return {
    state,
    lastState: isEmpty(lastState) ? undefined : lastState,
    restartCount,
    imageID: before.imageID,
    containerID: before.containerID,
    isStarted: isRunning && (before.started ?? false),
    isReady: isRunning && before.ready,
  };
}

function isInit(pod: Pod, container: Container): boolean {
  return container.restartPolicy !== "Always" && (pod.spec?.initContainers ?? []).includes(container);
}

function isEmpty(state: ContainerStatus["lastState"]): boolean {
  return state === undefined || Object.keys(state).length === 0;
}
