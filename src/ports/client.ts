import type { Kind, Resource } from "../domain/apis/kind.js";
import type { DeleteOptions } from "../domain/apis/meta/meta.types.js";

/** Where an object is. `namespace` is empty for cluster-scoped kinds. */
export interface Key {
  readonly namespace: string;
  readonly name: string;
}

/** What to list. No namespace means all of them. Selectors are in the API's own grammar. */
export interface Within {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

export interface PatchOptions {
  readonly type: "merge" | "json" | "strategic" | "apply";
  readonly subresource?: "status" | "scale";
  readonly fieldManager?: string;
  readonly force?: boolean;
}

/**
 * The one door to the API. Behind it: the embedded API or a real Kubernetes; nobody inside can tell which.
 * Every verb rejects with a PortError. `get` answers undefined for what is not there.
 * A watch that can no longer continue rejects with reason Expired: list again.
 */
export interface Client {
  get<T extends Resource>(kind: Kind<T>, key: Key): Promise<T | undefined>;
  list<T extends Resource>(kind: Kind<T>, within?: Within): Promise<Page<T>>;
  watch<T extends Resource>(
    kind: Kind<T>,
    from: string,
    signal: AbortSignal,
    within?: Within,
  ): AsyncIterable<WatchEvent<T>>;
  create<T extends Resource>(kind: Kind<T>, object: Unsaved<T>): Promise<T>;
  update<T extends Resource>(kind: Kind<T>, object: T): Promise<T>;
  updateStatus<T extends Resource>(kind: Kind<T>, object: T): Promise<T>;
  patch<T extends Resource>(kind: Kind<T>, key: Key, patch: unknown, options: PatchOptions): Promise<T>;
  delete(kind: Kind, key: Key, options?: DeleteOptions): Promise<void>;
}

/** An object on its way in: the server adds apiVersion, kind and the rest of metadata. */
export type Unsaved<T extends Resource> = Omit<T, "apiVersion" | "kind">;
