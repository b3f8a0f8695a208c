// Carries one kind from the API into memory: list, then watch, for ever; tells those who asked about each change.
import type { Kind, Resource } from "../domain/apis/kind.js";
import {
  type Client,
  type Clock,
  isPortError,
  type Key,
  type Lister,
  type Log,
  type Where,
} from "../ports/index.js";
import { relistFirstMs, relistMaxMs } from "./limits.js";

export interface Change<T extends Resource = Resource> {
  readonly type: "added" | "modified" | "deleted";
  readonly object: T;
  readonly old: T | undefined;
}

export interface Informer<T extends Resource = Resource> {
  readonly kind: Kind<T>;
  readonly lister: Lister<T>;
  subscribe(hear: (change: Change<T>) => void): void;
  /** Resolves when the first list is in memory. */
  readonly synced: Promise<void>;
  /** Resolves when memory is at least as new as the revision, or the signal aborts. */
  reached(resourceVersion: string, signal: AbortSignal): Promise<void>;
  /** Resolves when no object with this uid is in memory any more, or the signal aborts. */
  absent(key: Key, uid: string, signal: AbortSignal): Promise<void>;
  /** Resolves when the object with this uid is gone or going, or the signal aborts. */
  gone(key: Key, uid: string, signal: AbortSignal): Promise<void>;
}

export function startInformer<T extends Resource>(
  kind: Kind<T>,
  { client, clock, log }: { readonly client: Client; readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Informer<T> {
  const objects = new Map<string, T>();
  const byController = new Map<string, Map<string, T>>();
  const byNamespace = new Map<string, Map<string, T>>();
  const listeners: ((change: Change<T>) => void)[] = [];
  const waiters = new Set<() => void>();
  let seen = 0;
  let announceSynced: () => void = () => {};
  const synced = new Promise<void>((resolve) => {
    announceSynced = resolve;
  });

  function put(object: T): void {
    const key = keyText(keyOf(object));
    const old = objects.get(key);
    if (old?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    if (old !== undefined) unindex(key, old);
    objects.set(key, object);
    file(byNamespace, object.metadata.namespace, key, object);
    file(byController, controllerUid(object), key, object);
    tell({ type: old === undefined ? "added" : "modified", object, old });
  }

  function remove(object: T): void {
    const key = keyText(keyOf(object));
    const old = objects.get(key);
    if (old === undefined) return;
    unindex(key, old);
    objects.delete(key);
    tell({ type: "deleted", object, old });
  }

  function unindex(key: string, object: T): void {
    unfile(byNamespace, object.metadata.namespace, key);
    unfile(byController, controllerUid(object), key);
  }

  function tell(change: Change<T>): void {
    for (const hear of listeners) hear(change);
  }

  function advance(resourceVersion: string | undefined): void {
    const revision = Number(resourceVersion);
    if (revision > seen) seen = revision;
    for (const wake of [...waiters]) wake();
  }

  async function follow(): Promise<void> {
    const page = await client.list(kind);
    const listed = new Set(page.items.map((item) => keyText(keyOf(item))));
    for (const [key, object] of [...objects]) if (!listed.has(key)) remove(object);
    for (const item of page.items) put(item);
    advance(page.resourceVersion);
    announceSynced();
    for await (const event of client.watch(kind, page.resourceVersion, signal)) {
      if (event.type === "BOOKMARK") {
        advance(event.resourceVersion);
        continue;
      }
      if (event.type === "DELETED") remove(event.object);
      else put(event.object);
      advance(event.object.metadata.resourceVersion);
    }
  }

  async function run(): Promise<void> {
    let waitMs = relistFirstMs;
    while (!signal.aborted) {
      const startedMs = clock.now();
      try {
        await follow();
      } catch (error) {
        if (signal.aborted) return;
        if (!isPortError(error, "Expired")) {
          log.error("watch broke, listing again", { kind: kind.kind, error: String(error) });
        }
      }
      if (clock.now() - startedMs > relistMaxMs) waitMs = relistFirstMs;
      await pause(clock, waitMs, signal);
      waitMs = Math.min(waitMs * 2, relistMaxMs);
    }
  }

  function until(met: () => boolean, stop: AbortSignal): Promise<void> {
    if (met() || stop.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        if (!met() && !stop.aborted) return;
        waiters.delete(wake);
        stop.removeEventListener("abort", wake);
        resolve();
      };
      waiters.add(wake);
      stop.addEventListener("abort", wake);
    });
  }

  void run();

  return {
    kind,
    synced,
    subscribe: (hear) => {
      listeners.push(hear);
      for (const object of objects.values()) hear({ type: "added", object, old: undefined });
    },
    reached: (resourceVersion, stop) => until(() => seen >= Number(resourceVersion), stop),
    absent: (key, uid, stop) => until(() => objects.get(keyText(key))?.metadata.uid !== uid, stop),
    gone: (key, uid, stop) =>
      until(() => {
        const object = objects.get(keyText(key));
        return object?.metadata.uid !== uid || object.metadata.deletionTimestamp !== undefined;
      }, stop),
    lister: {
      get: (key) => objects.get(keyText(key)),
      list: (where = {}) => {
        const { namespace, labels } = where;
        const within =
          namespace === undefined ? objects : (byNamespace.get(namespace) ?? new Map<string, T>());
        return labels === undefined ? [...within.values()] : [...within.values()].filter(labelled(labels));
      },
      controlledBy: (uid) => [...(byController.get(uid)?.values() ?? [])],
    },
  };
}

type Index<T> = Map<string, Map<string, T>>;

function file<T>(index: Index<T>, under: string | undefined, key: string, object: T): void {
  if (under === undefined) return;
  const drawer = index.get(under) ?? new Map<string, T>();
  drawer.set(key, object);
  index.set(under, drawer);
}

function unfile<T>(index: Index<T>, under: string | undefined, key: string): void {
  const drawer = index.get(under ?? "");
  drawer?.delete(key);
  if (drawer?.size === 0) index.delete(under ?? "");
}

export function keyOf(object: Resource): Key {
  return { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}

export function keyText({ namespace, name }: Key): string {
  return `${namespace}/${name}`;
}

export function keyFromText(text: string): Key {
  const slash = text.indexOf("/");
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

export function controllerUid(object: Resource): string | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true)?.uid;
}

function labelled(labels: NonNullable<Where["labels"]>): (object: Resource) => boolean {
  const wanted = Object.entries(labels);
  return (object) => wanted.every(([key, value]) => object.metadata.labels?.[key] === value);
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener("abort", end);
  });
}
