/**
 * The Client for those who live in the server's own process: no HTTP, no text, the very objects readers share.
 *
 * One that is `early` sees what is written when it is written, and one that also `goesOn` does not wait for the disk
 * either: a chain of them is as long as its work, with one flush at its end. Nobody outside sees anything sooner, and a
 * crash leaves a beginning of the chain, never its middle. When the disk fails, watches end as Expired and what a list
 * shows is back to what is durable.
 */
import { apiVersionOf, type Kind, type Resource } from "../domain/apis/kind.js";
import type { Client, Key, Page, PatchOptions, Unsaved, WatchEvent, Within } from "../ports/index.js";
import { limits } from "./limits.js";
import { listPage, parseVersion } from "./listing.js";
import {
  insideContext,
  keyOf,
  patchObject,
  type Registry,
  type Seen,
  selectionOf,
  type User,
  type WriteContext,
} from "./registry/index.js";
import { expired, refusal } from "./status.js";

export interface Haste {
  readonly early?: boolean;
  readonly goesOn?: boolean;
}

export function localClient(registry: Registry, user: User, { early, goesOn }: Haste = {}): Client {
  const untracked: WriteContext = { ...insideContext(user), early: early === true && goesOn === true };

  return {
    async get<T extends Resource>(kind: Kind<T>, { namespace, name }: Key) {
      const served = registry.servedAs(kind);
      const key = keyOf(kind.namespaced ? namespace : "", name);
      const stored = early === true ? served.collection.latest(key) : served.collection.get(key);
      return stored && (served.show(stored).object as T);
    },

    async list<T extends Resource>(kind: Kind<T>, within: Within = {}): Promise<Page<T>> {
      const served = registry.servedAs(kind);
      if (early === true && within.limit === undefined && within.continue === undefined) {
        const found = served.collection.listEarly(selectionOf(served, within));
        const items = found.map((stored) => served.show(stored).object as T);
        return { items, resourceVersion: String(registry.staged()) };
      }
      const page = await listPage(registry, served, within);
      return {
        items: page.items.map((stored) => stored.object as T),
        resourceVersion: String(page.revision),
        ...(page.next === undefined ? {} : { continue: page.next }),
      };
    },

    watch: <T extends Resource>(kind: Kind<T>, from: string, signal: AbortSignal, within: Within = {}) =>
      watchLocally<T>(
        { registry, kind: kind as unknown as Kind, early: early === true },
        from,
        signal,
        within,
      ),

    async create<T extends Resource>(kind: Kind<T>, object: Unsaved<T>): Promise<T> {
      const whole = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object } as unknown as Resource;
      const { namespace = "" } = whole.metadata;
      const stored = await registry.create(registry.servedAs(kind), namespace, whole, untracked);
      return stored.object as T;
    },

    update: <T extends Resource>(kind: Kind<T>, object: T) => put(kind, object, ""),
    updateStatus: <T extends Resource>(kind: Kind<T>, object: T) => put(kind, object, "status"),

    async patch<T extends Resource>(
      kind: Kind<T>,
      key: Key,
      patch: unknown,
      options: PatchOptions,
    ): Promise<T> {
      const request = {
        type: options.type,
        body: patch,
        subresource: options.subresource ?? "",
        force: options.force === true,
      } as const;
      const write = { ...untracked, manager: options.fieldManager ?? "" };
      const served = registry.servedAs(kind);
      const { stored } = await patchObject(registry, served, key.namespace, key.name, request, write);
      return stored.object as T;
    },

    async delete(kind, { namespace, name }, options = {}) {
      await registry.remove(
        registry.servedAs(kind),
        kind.namespaced ? namespace : "",
        name,
        options,
        untracked,
      );
    },
  };

  async function put<T extends Resource>(kind: Kind<T>, object: T, subresource: "" | "status"): Promise<T> {
    const { name, namespace = "" } = object.metadata;
    const served = registry.servedAs(kind);
    const stored = await registry.update(
      served,
      kind.namespaced ? namespace : "",
      name,
      subresource,
      () => ({ object }),
      untracked,
    );
    return stored.object as T;
  }
}

async function* watchLocally<T extends Resource>(
  { registry, kind, early }: { readonly registry: Registry; readonly kind: Kind; readonly early: boolean },
  from: string,
  signal: AbortSignal,
  within: Within,
): AsyncGenerator<WatchEvent<T>> {
  const served = registry.servedAs(kind);
  const selection = selectionOf(served, within);
  const { collection } = served;
  const start = parseVersion(from);
  const waiting: Seen[] = [];
  let wake = () => {};
  let cut = false;

  const all = () => (early ? collection.listEarly(selection) : collection.list(selection));
  const since = (revision: number) =>
    early ? collection.sinceEarly(revision, selection) : collection.since(revision, selection);
  const missed =
    start === undefined || start === 0
      ? all().map((stored): Seen => ({ type: "ADDED", stored }))
      : since(start);
  if (missed === undefined) throw expired(start ?? 0, collection.floor());
  for (const seen of missed) waiting.push(seen);
  const hear = (seen: Seen) => {
    if (start !== undefined && seen.stored.revision <= start) return;
    // A reader that fell this far behind lists again sooner than it catches up.
    if (waiting.length >= limits.watchBacklogEvents) cut = true;
    else waiting.push(seen);
    wake();
  };
  const lost = () => {
    cut = true;
    wake();
  };
  const stop = early ? collection.watchEarly(selection, hear, lost) : collection.watch(selection, hear);
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    let next = 0;
    while (!signal.aborted) {
      if (next < waiting.length) {
        const { type, stored } = waiting[next++] as Seen;
        yield { type, object: served.show(stored).object as T };
        continue;
      }
      waiting.length = 0;
      next = 0;
      if (cut) throw refusal("Expired", "events were missed or taken back, list again");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = () => {};
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop();
  }
}
