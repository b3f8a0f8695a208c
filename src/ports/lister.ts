import type { Kind, Resource } from "../domain/apis/kind.js";
import type { Key } from "./client.js";

/**
 * What an informer knows of one kind: in memory, synchronous, never to be modified.
 * It may lag behind the API by a moment; a write that relied on a stale read ends in Conflict.
 */
export interface Lister<T extends Resource> {
  get(key: Key): T | undefined;
  list(where?: Where): readonly T[];
  /** The objects whose controlling ownerReference has this uid. */
  controlledBy(uid: string): readonly T[];
}

export interface Where {
  readonly namespace?: string;
  readonly labels?: { readonly [key: string]: string };
}

export type Listers = <T extends Resource>(kind: Kind<T>) => Lister<T>;
