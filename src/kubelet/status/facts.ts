// What the kubelet knows about a pod. Its status is made from this and nothing else.
import type { ContainerState } from "../../domain/apis/core/container.types.js";
import type { Pod, PodCondition } from "../../domain/apis/core/pod.types.js";
import type { StartTimes } from "../../domain/apis/core/started.js";

export type Waiting = NonNullable<ContainerState["waiting"]>;
export type Terminated = NonNullable<ContainerState["terminated"]>;

export interface ContainerFacts {
  readonly state: ContainerState;
  readonly lastState: ContainerState | undefined;
  readonly restartCount: number;
  readonly isStarted: boolean;
  readonly isReady: boolean;
  readonly imageID: string;
  readonly containerID: string | undefined;
}

export interface PodFacts {
  readonly pod: Pod;
  readonly containers: ReadonlyMap<string, ContainerFacts>;
  /** The conditions as last written, ours and others'. */
  readonly conditions: readonly PodCondition[];
  readonly startedAtMs: number;
  /** Volumes and ports are there. */
  readonly isPrepared: boolean;
  /** Every init container has done its part. */
  readonly isInitialized: boolean;
  readonly isTerminating: boolean;
  /** No container runs or will run again. */
  readonly isOver: boolean;
  /** When something was last seen to move towards readiness, such as the bytes of a download. */
  readonly progressedAtMs: number | undefined;
  /** How long each step of the first start took, once the pod was ready. */
  readonly started: StartTimes | undefined;
  /** Why nothing can be said of its containers for now. */
  readonly away: string | undefined;
  /** Why the pod as a whole failed, when no container says it. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
}

/** A start in which nothing has gone wrong and nothing is ready yet: all that can be said is that it goes on. */
export function isWellUnderWay({
  containers,
  isTerminating,
  isOver,
  failure,
}: Omit<PodFacts, "pod" | "conditions">) {
  if (isTerminating || isOver || failure !== undefined) return false;
  return [...containers.values()].every(({ state, lastState, restartCount, isReady }) => {
    if (lastState !== undefined || restartCount > 0) return false;
    if (state.terminated !== undefined) return state.terminated.exitCode === 0 && isReady;
    return !isReady && (state.running !== undefined || state.waiting?.message === undefined);
  });
}

export function waiting(reason: string, message?: string): ContainerState {
  return { waiting: message === undefined ? { reason } : { reason, message } };
}

export function unstarted(reason: string): ContainerFacts {
  return {
    state: waiting(reason),
    lastState: undefined,
    restartCount: 0,
    isStarted: false,
    isReady: false,
    imageID: "",
    containerID: undefined,
  };
}
