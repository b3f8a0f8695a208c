// The pod a ReplicaSet wishes for. Pure.
import type { ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import { generatedName } from "../../../domain/apis/names/index.js";
import type { Random, Unsaved } from "../../../ports/index.js";

export function podName(set: ReplicaSet, random: Random): string {
  return generatedName(podPrefix(set), random);
}

export function makePod(set: ReplicaSet, name: string): Unsaved<Pod> {
  const template = set.spec?.template;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    metadata: {
      name,
      generateName: podPrefix(set),
      namespace: set.metadata.namespace,
      labels,
      annotations,
      finalizers,
    },
    spec: template?.spec,
  };
}

function podPrefix(set: ReplicaSet): string {
  return `${set.metadata.name}-`;
}
