// What happened lately to the objects of one kind, so that a watch can go on from where it was.
import { limits } from "../limits.js";
import { makeStored, type Stored } from "./stored.js";

export interface Happening {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  /** The object as it is now; for DELETED its last state, carrying the deletion's revision. */
  readonly stored: Stored;
  readonly previous: Stored | undefined;
  readonly atMs: number;
}

export interface History {
  /** A watch may go on from any revision not below this. */
  floor(): number;
  add(happening: Happening): void;
  /** Everything after a revision, oldest first; undefined when some of it was forgotten. */
  since(revision: number): readonly Happening[] | undefined;
}

export function makeHistory(startRevision: number): History {
  let kept: Happening[] = [];
  // Entries before `head` are forgotten already; they are cut off in bulk, since shift() on a long array is slow.
  let head = 0;
  let floor = startRevision;

  const forget = (nowMs: number) => {
    while (head < kept.length) {
      const oldest = kept[head] as Happening;
      if (kept.length - head <= limits.historyEvents && nowMs - oldest.atMs <= limits.historyMs) break;
      floor = oldest.revision;
      head++;
    }
    if (head > 1024 && head * 2 > kept.length) {
      kept = kept.slice(head);
      head = 0;
    }
  };

  return {
    floor: () => floor,
    add(happening) {
      kept.push(happening);
      forget(happening.atMs);
    },
    since(revision) {
      if (revision < floor) return undefined;
      let low = head;
      let high = kept.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((kept[middle] as Happening).revision <= revision) low = middle + 1;
        else high = middle;
      }
      return kept.slice(low);
    },
  };
}

const left = new WeakMap<Happening, Stored>();

/** How an object that left a selection is told: its previous content under the new revision. */
export function departed(happening: Happening): Stored {
  const known = left.get(happening);
  if (known !== undefined) return known;
  const previous = happening.previous ?? happening.stored;
  const made = makeStored(previous.object, happening.revision, Object.isFrozen(previous.object));
  left.set(happening, made);
  return made;
}
