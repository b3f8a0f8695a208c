/** One object at one revision; a value of undefined is a deletion. */
export interface StoreWrite {
  /** group/plural/namespace/name, unique among all objects. */
  readonly key: string;
  readonly revision: number;
  /** The object as JSON text. */
  readonly value: string | undefined;
}

/** What an earlier life left behind. */
export interface StoreContent {
  /** The highest revision ever committed; 0 for an empty store. */
  readonly revision: number;
  readonly entries: readonly { readonly key: string; readonly revision: number; readonly value: string }[];
}

/**
 * The durable log beneath the API. `commit` resolves when the batch is on disk, whole or not at all,
 * and rejects with a PortError when it is not. Batches are committed in the order they were given.
 */
export interface Store {
  load(): Promise<StoreContent>;
  commit(batch: readonly StoreWrite[]): Promise<void>;
  /** Forgets the history before a revision; the objects themselves stay. */
  compact(revision: number): Promise<void>;
  close(): Promise<void>;
}
