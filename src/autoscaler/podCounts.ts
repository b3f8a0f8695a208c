// A Revision's pods by how they fare (knative-serving.md, section 5.5 "Pod counts"). Pure.
import type { Pod } from "../domain/apis/core/pod.types.js";

export interface PodCounts {
  readonly ready: number;
  readonly notReady: number;
  readonly pending: number;
  readonly terminating: number;
}

export function countPods(pods: readonly Pod[]): PodCounts {
  const counts = { ready: 0, notReady: 0, pending: 0, terminating: 0 };
  for (const { status, metadata } of pods) {
    if (status?.phase === "Succeeded" || status?.phase === "Failed") continue;
    if (status?.phase === "Running" && metadata.deletionTimestamp === undefined) {
      if (status.conditions?.some((one) => one.type === "Ready" && one.status === "True")) counts.ready += 1;
      else counts.notReady += 1;
      continue;
    }
    counts.notReady += 1;
    if (status?.phase === "Running") counts.terminating += 1;
    else counts.pending += 1;
  }
  return counts;
}
