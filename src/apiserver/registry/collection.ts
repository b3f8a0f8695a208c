// All objects of one kind: what readers see, what is on its way to disk, and who is watching.
import type { Resource } from "../../domain/apis/kind.js";
import { departed, type Happening, makeHistory } from "./history.js";
import type { Stored } from "./stored.js";

/** Which objects a list or watch is about. */
export interface Selection {
  readonly namespace?: string | undefined;
  /** Set when the selection can hold one name only: then nothing else is looked at. */
  readonly name?: string | undefined;
  readonly match?: ((object: Resource) => boolean) | undefined;
}

export interface Seen {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly stored: Stored;
}

interface Watcher {
  readonly selection: Selection;
  readonly deliver: (seen: Seen) => void;
}

interface EarlyWatcher extends Watcher {
  /** What was delivered may never be on disk: list again. */
  readonly lost: () => void;
}

/** What a key will hold once the disk has it: an object, or nothing. */
export interface Pending {
  readonly stored: Stored | undefined;
  readonly revision: number;
}

export type Collection = ReturnType<typeof makeCollection>;

export function makeCollection(id: string, startRevision: number) {
  const live = new Map<string, Stored>();
  const pending = new Map<string, Pending>();
  /** On the way to disk, in their order. */
  let staged: Happening[] = [];
  /** Revisions that some were told and the disk never got. */
  let lostFrom = Number.POSITIVE_INFINITY;
  let lostTo = 0;
  const history = makeHistory(startRevision);
  const watchers = new Set<Watcher>();
  const earlyWatchers = new Set<EarlyWatcher>();
  // Sorted as lists show them. New keys from a load or a burst wait in `live` until someone lists.
  let keys: string[] = [];
  let unsorted = false;

  function sortedKeys(): readonly string[] {
    if (unsorted) {
      keys = [...live.keys()].sort();
      unsorted = false;
    }
    return keys;
  }

  function insert(key: string): void {
    if (unsorted) return;
    const last = keys[keys.length - 1];
    if (last === undefined || last < key) keys.push(key);
    else keys.splice(lowerBound(keys, key), 0, key);
  }

  function remove(key: string): void {
    if (!unsorted) keys.splice(lowerBound(keys, key), 1);
  }

  return {
    /** group/plural: what its objects' keys in the store begin with. */
    id,
    floor: history.floor,
    size: () => live.size,
    watching: () => watchers.size,

    /** As readers see it: durable. */
    get: (key: string): Stored | undefined => live.get(key),

    /** As the next writer must see it: what is on its way to disk counts. */
    latest(key: string): Stored | undefined {
      const waiting = pending.get(key);
      return waiting === undefined ? live.get(key) : waiting.stored;
    },
    isPending: (key: string): boolean => pending.has(key),
    pendingKeys: (): Iterable<string> => pending.keys(),

    load(stored: Stored): void {
      live.set(stored.key, stored);
      unsorted = true;
    },

    stage(happening: Happening): void {
      const { type, stored, revision } = happening;
      pending.set(stored.key, { stored: type === "DELETED" ? undefined : stored, revision });
      staged.push(happening);
      tell(earlyWatchers, happening);
    },
    /** The disk refused: everything staged on a lost change is lost with it. */
    unstage({ stored }: Happening, latestRevision: number): void {
      pending.delete(stored.key);
      const [first] = staged;
      if (first === undefined) return;
      lostFrom = first.revision;
      lostTo = latestRevision;
      staged = [];
      for (const { lost } of [...earlyWatchers]) lost();
    },

    publish(happening: Happening): void {
      const { key } = happening.stored;
      staged.shift();
      if (pending.get(key)?.revision === happening.revision) pending.delete(key);
      if (happening.type === "DELETED") {
        if (live.delete(key)) remove(key);
      } else {
        if (!live.has(key)) insert(key);
        live.set(key, happening.stored);
      }
      history.add(happening);
      tell(watchers, happening);
    },

    /** Every selected object that readers see, ordered by namespace and name. */
    list(selection: Selection): readonly Stored[] {
      const { namespace, name, match } = selection;
      if (name !== undefined && namespace !== undefined) {
        const one = live.get(`${namespace}/${name}`);
        return one !== undefined && (match === undefined || match(one.object)) ? [one] : [];
      }
      const sorted = sortedKeys();
      const from = namespace === undefined ? 0 : lowerBound(sorted, `${namespace}/`);
      const to = namespace === undefined ? sorted.length : lowerBound(sorted, `${namespace}0`);
      const found: Stored[] = [];
      for (let i = from; i < to; i++) {
        const stored = live.get(sorted[i] as string) as Stored;
        if (match === undefined || match(stored.object)) found.push(stored);
      }
      return found;
    },

    /** The same as it was at a revision; undefined when too much has happened since. */
    listAt(revision: number, selection: Selection): readonly Stored[] | undefined {
      const since = history.since(revision);
      if (since === undefined) return undefined;
      if (since.length === 0) return this.list(selection);
      const then = new Map(live);
      for (let i = since.length - 1; i >= 0; i--) {
        const { previous, stored } = since[i] as Happening;
        if (previous === undefined) then.delete(stored.key);
        else then.set(stored.key, previous);
      }
      return [...then.values()].filter((one) => selects(selection, one)).sort(byKey);
    },

    /** What a watch that left off at a revision has missed; undefined when it must list again. */
    since(revision: number, selection: Selection): readonly Seen[] | undefined {
      return history.since(revision)?.flatMap((happening) => through(selection, happening) ?? []);
    },

    watch(selection: Selection, deliver: (seen: Seen) => void): () => void {
      const watcher = { selection, deliver };
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },

    /** For those inside: everything selected, with what is still on its way to disk. In no order. */
    listEarly(selection: Selection): readonly Stored[] {
      if (pending.size === 0) return this.list(selection);
      const durable = this.list(selection).filter(({ key }) => !pending.has(key));
      const coming = [...pending.values()].flatMap(({ stored }) =>
        stored !== undefined && selects(selection, stored) ? [stored] : [],
      );
      return [...durable, ...coming];
    },
    sinceEarly(revision: number, selection: Selection): readonly Seen[] | undefined {
      if (revision >= lostFrom && revision <= lostTo) return undefined;
      const coming = staged.filter((happening) => happening.revision > revision);
      return history
        .since(revision)
        ?.concat(coming)
        .flatMap((happening) => through(selection, happening) ?? []);
    },
    watchEarly(selection: Selection, deliver: (seen: Seen) => void, lost: () => void): () => void {
      const watcher = { selection, deliver, lost };
      earlyWatchers.add(watcher);
      return () => earlyWatchers.delete(watcher);
    },
  };
}

function tell(watchers: Iterable<Watcher>, happening: Happening): void {
  for (const { selection, deliver } of watchers) {
    const seen = through(selection, happening);
    if (seen !== undefined) deliver(seen);
  }
}

/** A happening as a selection sees it: entering is an addition, leaving a deletion. */
function through(selection: Selection, happening: Happening): Seen | undefined {
  const { type, stored, previous } = happening;
  if (!inPlace(selection, stored)) return undefined;
  const { match } = selection;
  if (match === undefined) return { type, stored };
  const was = previous !== undefined && match(previous.object);
  if (type === "DELETED") return was ? { type, stored } : undefined;
  if (match(stored.object)) return { type: was ? "MODIFIED" : "ADDED", stored };
  return was ? { type: "DELETED", stored: departed(happening) } : undefined;
}

function selects(selection: Selection, stored: Stored): boolean {
  return inPlace(selection, stored) && (selection.match === undefined || selection.match(stored.object));
}

function inPlace(selection: Selection, stored: Stored): boolean {
  const { namespace, name } = selection;
  const { metadata } = stored.object;
  return (
    (namespace === undefined || namespace === (metadata.namespace ?? "")) &&
    (name === undefined || name === metadata.name)
  );
}

function byKey(a: Stored, b: Stored): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
