// One informer a kind, shared by all who ask; and a client whose writes are in memory before they return.
import { setMaxListeners } from "node:events";
import type { Kind, Resource } from "../domain/apis/kind.js";
import type { Client, Clock, Key, Listers, Log } from "../ports/index.js";
import { type Informer, keyOf, startInformer } from "./informer.js";
import { echoWaitMs } from "./limits.js";

export interface Informers {
  of<T extends Resource>(kind: Kind<T>): Informer<T>;
  readonly listers: Listers;
  /** Resolves when every informer asked for so far holds its first list. */
  synced(): Promise<void>;
  /** Stops following a kind that is served no more. */
  drop(kind: Kind): void;
  close(): void;
}

export function makeInformers(deps: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}): Informers {
  const running = new Map<string, { readonly informer: Informer; readonly stop: AbortController }>();

  function of<T extends Resource>(kind: Kind<T>): Informer<T> {
    const name = nameOf(kind);
    const known = running.get(name)?.informer as Informer<T> | undefined;
    if (known !== undefined) return known;
    const stop = new AbortController();
    // Every write that waits for its echo listens to it.
    setMaxListeners(0, stop.signal);
    const informer = startInformer(kind, deps, stop.signal);
    running.set(name, { informer: informer as unknown as Informer, stop });
    return informer;
  }

  return {
    of,
    listers: (kind) => of(kind).lister,
    synced: async () => {
      await Promise.all([...running.values()].map(({ informer }) => informer.synced));
    },
    drop: (kind) => {
      const name = nameOf(kind);
      running.get(name)?.stop.abort();
      running.delete(name);
    },
    close: () => {
      for (const { stop } of running.values()) stop.abort();
    },
  };
}

function nameOf({ group, version, plural }: Pick<Kind, "group" | "version" | "plural">): string {
  return `${group}/${version}/${plural}`;
}

/**
 * The same client, but a write returns only when the lister shows it. A reconciler that looks again
 * then sees what it did, and never does it twice. Bounded: a broken watch must not stop writes.
 */
export function readYourWrites(client: Client, informers: Informers, clock: Clock): Client {
  async function echoed<T extends Resource>(kind: Kind<T>, written: Promise<T>): Promise<T> {
    const object = await written;
    await bounded(clock, (signal) =>
      informers.of(kind).reached(object.metadata.resourceVersion ?? "0", signal),
    );
    return object;
  }

  return {
    ...client,
    get: (kind, key) => client.get(kind, key),
    list: (kind, within) => client.list(kind, within),
    watch: (kind, from, signal, within) => client.watch(kind, from, signal, within),
    create: (kind, object) => echoed(kind, client.create(kind, object)),
    update: async (kind, object) => {
      const { deletionTimestamp, finalizers = [], uid = "" } = object.metadata;
      if (deletionTimestamp === undefined || finalizers.length > 0) {
        return echoed(kind, client.update(kind, object));
      }
      // Its last hold is taken away: the echo of this write is that the object is gone.
      const updated = await client.update(kind, object);
      await bounded(clock, (signal) => informers.of(kind).absent(keyOf(object), uid, signal));
      return updated;
    },
    updateStatus: (kind, object) => echoed(kind, client.updateStatus(kind, object)),
    patch: (kind, key, patch, options) => echoed(kind, client.patch(kind, key, patch, options)),
    delete: async (kind: Kind, key: Key, options) => {
      const uid = informers.of(kind).lister.get(key)?.metadata.uid;
      await client.delete(kind, key, options);
      if (uid !== undefined) await bounded(clock, (signal) => informers.of(kind).gone(key, uid, signal));
    },
  };
}

async function bounded(clock: Clock, wait: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const cancel = clock.after(echoWaitMs, () => stop.abort());
  try {
    await wait(stop.signal);
  } finally {
    cancel();
  }
}
