// The gauges of each Revision, by upstream's names with underscores (knative-serving.md, section 6.8). Pure.
import { serving } from "../domain/apis/serving/keys.js";
import type { Key } from "../ports/index.js";
import type { Scaled } from "./autoscaler.js";
import type { PodCounts } from "./podCounts.js";

const helps = {
  pods_requested: "Pods that were asked of Kubernetes.",
  pods_count: "Pods that are ready.",
  pods_not_ready_count: "Pods that are not ready.",
  pods_pending_count: "Pods that have not started.",
  pods_terminating_count: "Pods on their way out.",
  pods_desired: "Pods that the counts ask for.",
  capacity_excess: "Room for sudden requests beyond what is wanted.",
  panic_mode: "1 while a sudden rise is answered.",
  concurrency_stable: "Requests at once, over the stable window.",
  concurrency_panic: "Requests at once, over the panic window.",
  concurrency_target: "Requests at once that a pod is aimed at.",
  rps_stable: "Requests a second, over the stable window.",
  rps_panic: "Requests a second, over the panic window.",
  rps_target: "Requests a second that a pod is aimed at.",
} as const;

export function figuresOf(
  all: readonly Scaled[],
  countsOf: (key: Key) => PodCounts,
  nowMs: number,
): readonly string[] {
  const samples = new Map<string, string[]>();
  for (const one of all) {
    const labels = labelsOf(one);
    for (const [name, value] of Object.entries(gaugesOf(one, countsOf(one.key), nowMs))) {
      const lines = samples.get(name) ?? [];
      lines.push(`kn_revision_${name}{${labels}} ${value}`);
      samples.set(name, lines);
    }
  }
  return Object.entries(helps).flatMap(([name, help]) => {
    const lines = samples.get(name);
    return lines === undefined
      ? []
      : [`# HELP kn_revision_${name} ${help}`, `# TYPE kn_revision_${name} gauge`, ...lines];
  });
}

function gaugesOf({ decider, autoscaler }: Scaled, counts: PodCounts, nowMs: number) {
  const { stable, panic } = decider.averages(nowMs);
  const { metric, target } = decider.settings;
  return {
    pods_requested: Math.max(0, autoscaler.status?.desiredScale ?? 0),
    pods_count: counts.ready,
    pods_not_ready_count: counts.notReady,
    pods_pending_count: counts.pending,
    pods_terminating_count: counts.terminating,
    pods_desired: Math.max(0, decider.wish.desiredScale),
    capacity_excess: decider.wish.excessBurstCapacity,
    panic_mode: decider.inPanic ? 1 : 0,
    [`${metric}_stable`]: stable,
    [`${metric}_panic`]: panic,
    [`${metric}_target`]: target,
  };
}

function labelsOf({ key, autoscaler }: Scaled): string {
  const { labels = {} } = autoscaler.metadata;
  return [
    ["kn_service_name", labels[serving.service] ?? ""],
    ["kn_configuration_name", labels[serving.configuration] ?? ""],
    ["kn_revision_name", key.name],
    ["k8s_namespace_name", key.namespace],
  ]
    .map(([name, value]) => `${name}="${value}"`)
    .join(",");
}
