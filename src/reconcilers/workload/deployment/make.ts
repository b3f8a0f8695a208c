// The ReplicaSet a Deployment wishes for, and which of those there are is it. Pure.

import { same } from "../../../controller/index.js";
import type { Deployment, ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import type { Unsaved } from "../../../ports/index.js";
import { msOf } from "../pods.js";
import { boundsOf } from "./bounds.js";
import {
  desiredAnnotation,
  maxAnnotation,
  ownAnnotations,
  revisionAnnotation,
  revisionHistoryAnnotation,
  revisionOf,
  setName,
  templateHash,
  templateHashLabel,
} from "./names.js";

export function makeReplicaSet(
  deployment: Deployment,
  replicas: number,
  revision: number,
): Unsaved<ReplicaSet> {
  const template = deployment.spec?.template;
  const hash = { [templateHashLabel]: templateHash(deployment) };
  const labels = { ...template?.metadata?.labels, ...hash };
  return {
    metadata: {
      name: setName(deployment),
      namespace: deployment.metadata.namespace,
      labels,
      annotations: {
        ...handedDown(deployment),
        ...scaleAnnotations(deployment),
        [revisionAnnotation]: String(revision),
      },
    },
    spec: {
      replicas,
      minReadySeconds: deployment.spec?.minReadySeconds,
      selector: {
        ...deployment.spec?.selector,
        matchLabels: { ...deployment.spec?.selector.matchLabels, ...hash },
      },
      template: {
        ...template,
        // Explicit: a template without a name has no use for the type's required one.
        metadata: { ...(template?.metadata as ReplicaSet["metadata"]), labels },
      },
    },
  };
}

/** The oldest ReplicaSet made from the present template. */
export function findNewSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort(byAge).find((set) => hasTemplateOf(set, deployment));
}

/** Equal but for the hash we added ourselves. */
export function hasTemplateOf(set: ReplicaSet, deployment: Deployment): boolean {
  const { [templateHashLabel]: _hash, ...labels } = set.spec?.template?.metadata?.labels ?? {};
  const metadata = { ...set.spec?.template?.metadata, labels };
  const wished = deployment.spec?.template;
  return same(
    { ...set.spec?.template, metadata },
    { ...wished, metadata: { ...wished?.metadata, labels: wished?.metadata?.labels ?? {} } },
  );
}

/** The present ReplicaSet as it should be annotated; the same object when it already is. */
export function annotated(set: ReplicaSet, deployment: Deployment, revision: number): ReplicaSet {
  const old = set.metadata.annotations ?? {};
  const was = revisionOf(set);
  const annotations: Record<string, string> = { ...old, ...handedDown(deployment) };
  if (was < revision) {
    annotations[revisionAnnotation] = String(revision);
    // `kubectl rollout history` tells by this that the template was in use before.
    const history = [old[revisionHistoryAnnotation], was === 0 ? undefined : String(was)].filter(Boolean);
    if (history.length > 0) annotations[revisionHistoryAnnotation] = history.join(",");
  }
  const minReadySeconds = deployment.spec?.minReadySeconds;
  if (same(old, annotations) && set.spec?.minReadySeconds === minReadySeconds) return set;
  return {
    ...set,
    metadata: { ...set.metadata, annotations },
    ...(set.spec === undefined ? {} : { spec: { ...set.spec, minReadySeconds } }),
  };
}

/** The ReplicaSet at another size; the same object when it has it already. */
export function scaled(set: ReplicaSet, deployment: Deployment, replicas: number): ReplicaSet {
  const annotations = { ...set.metadata.annotations, ...scaleAnnotations(deployment) };
  if (set.spec === undefined) return set;
  const isAsked = set.spec.replicas === replicas;
  // A set at rest keeps its annotations: writing to each old one at every scaling would be noise.
  if (isAsked && (replicas === 0 || same(annotations, set.metadata.annotations))) return set;
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } };
}

export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  return (
    (msOf(a.metadata.creationTimestamp) ?? 0) - (msOf(b.metadata.creationTimestamp) ?? 0) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  );
}

/** The oldest ReplicaSets at rest beyond what the history may hold. */
export function pickToForget(deployment: Deployment, oldSets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const kept = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined);
  return [...kept]
    .sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b))
    .slice(0, Math.max(0, kept.length - limit))
    .filter(isAtRest);
}

function isAtRest({ spec, status, metadata }: ReplicaSet): boolean {
  return (
    (spec?.replicas ?? 0) === 0 &&
    (status?.replicas ?? 0) === 0 &&
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

function handedDown({ metadata }: Deployment): { readonly [key: string]: string } {
  return Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([key]) => !ownAnnotations.has(key)),
  );
}

function scaleAnnotations(deployment: Deployment): { readonly [key: string]: string } {
  const { wished, most } = boundsOf(deployment);
  return { [desiredAnnotation]: String(wished), [maxAnnotation]: String(most) };
}
