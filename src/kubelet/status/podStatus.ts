// A pod's status as the real kubelet words it, from what is known. A pure function: same facts, same status.
import type { Container, ContainerStatus } from "../../domain/apis/core/container.types.js";
import type { Pod, PodCondition, PodStatus } from "../../domain/apis/core/pod.types.js";
import { progressCondition } from "../../domain/apis/core/progress.js";
import { startedCondition, startedMessage } from "../../domain/apis/core/started.js";
import { isoSeconds } from "../../domain/apis/meta/time.js";
import { podIP } from "../setup/downward.js";
import { type ContainerFacts, type PodFacts, unstarted } from "./facts.js";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

interface Known {
  readonly container: Container;
  readonly facts: ContainerFacts;
}

export function makePodStatus(facts: PodFacts, nowMs: number): PodStatus {
  const init = known(facts, facts.pod.spec?.initContainers);
  const main = known(facts, facts.pod.spec?.containers);
  const phase = phaseOf(facts, init, main);
  return {
    phase,
    ...(facts.failure ?? {}),
    conditions: conditionsOf(facts, phase, init, main, nowMs),
    hostIP: podIP,
    hostIPs: [{ ip: podIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: isoSeconds(facts.startedAtMs),
    ...(init.length > 0 && {
      initContainerStatuses: init.map((one) => containerStatus(one, facts.isTerminating)),
    }),
    containerStatuses: main.map((one) => containerStatus(one, facts.isTerminating)),
  };
}

function known({ containers }: PodFacts, wanted: readonly Container[] | undefined): readonly Known[] {
  return (wanted ?? []).map((container) => ({
    container,
    facts: containers.get(container.name) ?? unstarted("PodInitializing"),
  }));
}

function containerStatus({ container, facts }: Known, isTerminating: boolean): ContainerStatus {
  const { state, lastState, restartCount, imageID, containerID } = facts;
  return {
    name: container.name,
    state,
    lastState: lastState ?? {},
    ready: facts.isReady && !(isTerminating && state.terminated === undefined),
    restartCount,
    image: container.image,
    imageID,
    ...(containerID && { containerID }),
    started: facts.isStarted,
  };
}

function phaseOf(facts: PodFacts, init: readonly Known[], main: readonly Known[]): Phase {
  const policy = facts.pod.spec?.restartPolicy ?? "Always";
  if (facts.failure !== undefined) return "Failed";
  if (facts.isOver) return main.every(hasSucceeded) ? "Succeeded" : "Failed";
  if (!facts.isInitialized) {
    const hasGivenUp =
      policy === "Never" && init.some(({ facts: one }) => (one.state.terminated?.exitCode ?? 0) !== 0);
    return hasGivenUp ? "Failed" : "Pending";
  }
  if (main.some(({ facts: one }) => one.state.waiting !== undefined && one.lastState === undefined))
    return "Pending";
  const sidecars = init.filter(({ container }) => container.restartPolicy === "Always");
  const areDone = [...sidecars, ...main].every(({ facts: one }) => one.state.terminated !== undefined);
  if (!areDone || policy === "Always") return "Running";
  if (main.every(hasSucceeded)) return "Succeeded";
  return policy === "Never" ? "Failed" : "Running";
}

function hasSucceeded({ facts }: Known): boolean {
  return facts.state.terminated?.exitCode === 0;
}

function conditionsOf(
  facts: PodFacts,
  phase: Phase,
  init: readonly Known[],
  main: readonly Known[],
  nowMs: number,
): readonly PodCondition[] {
  const before = facts.conditions;
  const isEnded = phase === "Succeeded" || phase === "Failed";
  const sidecars = init.filter(({ container }) => container.restartPolicy === "Always");
  const unready = [...sidecars, ...main].filter(({ facts: one }) => !one.isReady || facts.isTerminating);
  const uninitialized = init.filter(({ facts: one }) => !isInitialized(one));

  const initialized = facts.isInitialized
    ? { status: "True", ...(phase === "Succeeded" && { reason: "PodCompleted" }) }
    : {
        status: "False",
        reason: "ContainersNotInitialized",
        message: `containers with incomplete status: ${names(uninitialized)}`,
      };
  const containersReady = isEnded
    ? { status: "False", reason: phase === "Succeeded" ? "PodCompleted" : "PodFailed" }
    : unready.length === 0
      ? { status: "True" }
      : facts.away !== undefined
        ? { status: "False", reason: "EngineAway", message: facts.away }
        : {
            status: "False",
            reason: "ContainersNotReady",
            message: `containers with unready status: ${names(unready)}`,
          };
  const shut = (facts.pod.spec?.readinessGates ?? []).filter(
    (gate) => before.find((one) => one.type === gate.conditionType)?.status !== "True",
  );
  const ready =
    containersReady.status === "True" && shut.length > 0
      ? { status: "False", reason: "ReadinessGatesNotReady", message: gateMessage(shut) }
      : containersReady;

  const ours: Omit<PodCondition, "lastTransitionTime">[] = [
    { type: "PodReadyToStartContainers", status: facts.isPrepared && !facts.isOver ? "True" : "False" },
    { type: "Initialized", ...initialized },
    { type: "Ready", ...ready },
    { type: "ContainersReady", ...containersReady },
    { type: "PodScheduled", status: "True" },
  ];
  if (facts.progressedAtMs !== undefined && ready.status !== "True") {
    const lastProbeTime = isoSeconds(facts.progressedAtMs);
    ours.push({ type: progressCondition, status: "True", lastProbeTime });
  }
  if (facts.started !== undefined) {
    ours.push({ type: startedCondition, status: "True", message: startedMessage(facts.started) });
  }
  const theirs = before.filter(
    (one) => one.type !== progressCondition && !ours.some((mine) => mine.type === one.type),
  );
  return [...ours.map((one) => stamped(one, before, nowMs)), ...theirs];
}

function isInitialized(facts: ContainerFacts): boolean {
  return facts.state.terminated?.exitCode === 0 || facts.isStarted;
}

function stamped(
  condition: Omit<PodCondition, "lastTransitionTime">,
  before: readonly PodCondition[],
  nowMs: number,
): PodCondition {
  const old = before.find((one) => one.type === condition.type);
  const isSame = old?.status === condition.status && old.lastTransitionTime !== undefined;
  return { ...condition, lastTransitionTime: isSame ? old.lastTransitionTime : isoSeconds(nowMs) };
}

function names(some: readonly Known[]): string {
  return `[${some.map(({ container }) => container.name).join(" ")}]`;
}

function gateMessage(shut: readonly { readonly conditionType?: string | undefined }[]): string {
  return shut
    .map((gate) => `corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`)
    .join(", ");
}

/** Terminal pods are not run again, whatever their containers say. */
export function isEnded(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}
