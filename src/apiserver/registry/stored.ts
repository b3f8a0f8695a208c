// One object at one revision: its value and its text, each made once and shared by the store, lists and watches.
import type { Resource } from "../../domain/apis/kind.js";

export interface Stored {
  /** namespace/name; for cluster-scoped kinds the namespace is empty. */
  readonly key: string;
  readonly object: Resource;
  readonly json: string;
  readonly revision: number;
}

export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

export function makeStored(object: Resource, revision: number, freeze: boolean): Stored {
  const { metadata } = object;
  const stamped = { ...object, metadata: { ...metadata, resourceVersion: String(revision) } };
  return {
    key: keyOf(metadata.namespace ?? "", metadata.name),
    object: freeze ? deepFreeze(stamped) : stamped,
    json: JSON.stringify(stamped),
    revision,
  };
}

/** Read back from the store. */
export function parseStored(json: string, revision: number, freeze: boolean): Stored {
  const object = JSON.parse(json) as Resource;
  return {
    key: keyOf(object.metadata.namespace ?? "", object.metadata.name),
    object: freeze ? deepFreeze(object) : object,
    json,
    revision,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

type Bag = { readonly [key: string]: unknown };

/** Whether two values are the same JSON; a member that is undefined counts as absent. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
    return true;
  }
  return covers(a as Bag, b as Bag) && covers(b as Bag, a as Bag, true);
}

function covers(a: Bag, b: Bag, keysOnly = false): boolean {
  for (const key in a) {
    const mine = a[key];
    if (mine === undefined) continue;
    const other = b[key];
    if (keysOnly ? other === undefined : !same(mine, other)) return false;
  }
  return true;
}
