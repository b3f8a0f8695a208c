// The labels and annotations a Deployment and its ReplicaSets speak to each other by.
import type { Deployment, ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { safeHash } from "../hash.js";

export const templateHashLabel = "pod-template-hash";
export const revisionAnnotation = "deployment.kubernetes.io/revision";
export const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxAnnotation = "deployment.kubernetes.io/max-replicas";

/** What belongs to the Deployment or to one ReplicaSet alone and is not handed down. */
export const ownAnnotations: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);

/** Equal templates have equal hashes; collisions met so far lead to another. */
export function templateHash(deployment: Deployment): string {
  const collisions = deployment.status?.collisionCount ?? 0;
  const template = deployment.spec?.template;
  return safeHash(collisions === 0 ? template : { template, collisions });
}

export function setName(deployment: Deployment): string {
  return `${deployment.metadata.name}-${templateHash(deployment)}`;
}

export function revisionOf({ metadata }: Deployment | ReplicaSet): number {
  return Number(metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
}
