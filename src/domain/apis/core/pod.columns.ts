// How `kubectl get pods` tells a pod's story in one line.
import { ageColumn, ageText, nameColumn, none, text, wide } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { ContainerState, ContainerStatus } from "./container.types.js";
import type { Pod } from "./pod.types.js";

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  text("Ready", (pod) => `${readyCount(pod)}/${containerCount(pod)}`, "Containers that are ready, of all."),
  text("Status", podStatusText, "What the pod is doing, or why it is not."),
  text("Restarts", restartsText, "How often its containers were restarted."),
  ageColumn,
  wide(text("IP", (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || none)),
  wide(text("Node", (pod) => pod.spec?.nodeName || none)),
  wide(text("Nominated Node", (pod) => pod.status?.nominatedNodeName || none)),
  wide(text("Readiness Gates", gatesText)),
];

/** Sidecars are init containers that stay: they count as containers. */
function sidecars(pod: Pod): ReadonlySet<string> {
  const init = pod.spec?.initContainers ?? [];
  return new Set(init.filter((one) => one.restartPolicy === "Always").map((one) => one.name));
}

function containerCount(pod: Pod): number {
  return (pod.spec?.containers.length ?? 0) + sidecars(pod).size;
}

function readyCount(pod: Pod): number {
  const stay = sidecars(pod);
  const init = (pod.status?.initContainerStatuses ?? []).filter(
    (one) => stay.has(one.name) && one.started && one.ready,
  );
  const main = (pod.status?.containerStatuses ?? []).filter(
    (one) => one.ready && one.state?.running !== undefined,
  );
  return init.length + (isInitializing(pod) ? 0 : main.length);
}

function isInitializing(pod: Pod): boolean {
  const initialized = pod.status?.conditions?.some(
    (one) => one.type === "Initialized" && one.status === "True",
  );
  return initialized !== true && initStory(pod) !== undefined;
}

/** The first init container that is not done says what holds the pod up. */
function initStory(pod: Pod): string | undefined {
  const stay = sidecars(pod);
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [index, { name, state, started }] of statuses.entries()) {
    if (state?.terminated?.exitCode === 0 || (stay.has(name) && started === true)) continue;
    if (state?.terminated !== undefined) return `Init:${endText(state.terminated)}`;
    const waiting = state?.waiting?.reason ?? "";
    if (waiting !== "" && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`;
  }
  return undefined;
}

type Terminated = NonNullable<ContainerState["terminated"]>;

function endText({ reason, signal, exitCode }: Terminated): string {
  if (reason !== undefined && reason !== "") return reason;
  return signal !== undefined && signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

export function podStatusText(pod: Pod): string {
  const phase = pod.status?.phase ?? "";
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (pod.status?.reason === "NodeLost") return "Unknown";
    if (phase !== "Succeeded" && phase !== "Failed") return "Terminating";
  }
  const story = pod.status?.reason || phase;
  return isInitializing(pod) ? (initStory(pod) ?? story) : containerStory(pod, initStory(pod) ?? story);
}

/** The first container in trouble names the pod's trouble. */
function containerStory(pod: Pod, otherwise: string): string {
  const statuses = pod.status?.containerStatuses ?? [];
  const stories = statuses.map(({ state }) => {
    if ((state?.waiting?.reason ?? "") !== "") return state?.waiting?.reason;
    return state?.terminated === undefined ? undefined : endText(state.terminated);
  });
  const story = stories.find((one) => one !== undefined) ?? otherwise;
  const running = statuses.some((one) => one.ready && one.state?.running !== undefined);
  if (story !== "Completed" || !running) return story;
  const ready = pod.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True");
  return ready === true ? "Running" : "NotReady";
}

function restartsText(pod: Pod, nowMs: number): string {
  const stay = sidecars(pod);
  const init = pod.status?.initContainerStatuses ?? [];
  const counted: readonly ContainerStatus[] = isInitializing(pod)
    ? init
    : [...init.filter((one) => stay.has(one.name)), ...(pod.status?.containerStatuses ?? [])];
  const restarts = counted.reduce((sum, one) => sum + one.restartCount, 0);
  const ends = counted.map((one) => one.lastState?.terminated?.finishedAt ?? "").sort();
  const last = ends.at(-1) ?? "";
  return restarts === 0 || last === "" ? `${restarts}` : `${restarts} (${ageText(last, nowMs)} ago)`;
}

function gatesText(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return none;
  const open = gates.filter((gate) =>
    pod.status?.conditions?.some((one) => one.type === gate.conditionType && one.status === "True"),
  );
  return `${open.length}/${gates.length}`;
}
