// Who depends on whom, by uid, of everything there is. Holds the informers' own objects, no copies.
import type { Kind, Resource } from "../../../domain/apis/kind.js";
import type { OwnerReference } from "../../../domain/apis/meta/meta.types.js";

export interface Node {
  readonly kind: Kind;
  readonly object: Resource;
}

export interface Graph {
  get(uid: string): Node | undefined;
  put(node: Node): void;
  remove(uid: string): void;
  /** Those that name the uid as an owner, whether or not the owner is known. */
  dependents(uid: string): readonly Node[];
  of(kind: Kind): readonly Node[];
}

export function makeGraph(): Graph {
  const nodes = new Map<string, Node>();
  const dependents = new Map<string, Set<string>>();

  function unlink(uid: string): void {
    for (const owner of ownersOf(nodes.get(uid)?.object)) {
      const those = dependents.get(owner.uid);
      those?.delete(uid);
      if (those?.size === 0) dependents.delete(owner.uid);
    }
  }

  return {
    get: (uid) => nodes.get(uid),
    put(node) {
      const uid = uidOf(node.object);
      unlink(uid);
      nodes.set(uid, node);
      for (const owner of ownersOf(node.object)) {
        const those = dependents.get(owner.uid) ?? new Set<string>();
        those.add(uid);
        dependents.set(owner.uid, those);
      }
    },
    remove(uid) {
      unlink(uid);
      nodes.delete(uid);
    },
    dependents: (uid) => [...(dependents.get(uid) ?? [])].flatMap((dependent) => nodes.get(dependent) ?? []),
    of: (kind) => [...nodes.values()].filter((node) => node.kind === kind),
  };
}

export function uidOf({ metadata }: Resource): string {
  return metadata.uid ?? "";
}

export function ownersOf(object: Resource | undefined): readonly OwnerReference[] {
  return object?.metadata.ownerReferences ?? [];
}

export function isLeaving({ metadata }: Resource): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Goes only after its dependents. */
export function leavesLast(object: Resource): boolean {
  return isLeaving(object) && holds(object, "foregroundDeletion");
}

/** Goes without its dependents. */
export function leavesOrphans(object: Resource): boolean {
  return isLeaving(object) && holds(object, "orphan");
}

export function holds({ metadata }: Resource, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) === true;
}
