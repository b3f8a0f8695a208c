// Where in a text an expression matches, and what its groups hold: the leftmost match, by the order its author gave
// the ways. All ways are followed at once, each with its notes.
import { inSet, type Program } from "./program.js";

type Notes = readonly number[];

interface Thread {
  readonly at: number;
  readonly notes: Notes;
}

/** Notes: start and end of the match, then of each group; -1 where a group took no part. */
export function search(program: Program, slots: number, text: string, from: number): Notes | undefined {
  let threads: Thread[] = [];
  let found: Notes | undefined;
  const none: Notes = new Array<number>(slots).fill(-1);
  for (let place = from; ; place += 1) {
    // A match may begin anywhere, but a later beginning counts only while there is no earlier one.
    const begun = found === undefined ? [...threads, { at: 0, notes: noted(none, 0, place) }] : threads;
    const ready = follow(program, begun, place, text.length);
    if (ready.length === 0 && found !== undefined) return found;
    const next: Thread[] = [];
    const unit = place < text.length ? text.charCodeAt(place) : -1;
    for (const { at, notes } of ready) {
      const instruction = program[at];
      if (instruction?.op === "match") {
        found = noted(notes, 1, place);
        // The ways after this one were liked less.
        break;
      }
      if (instruction?.op === "chars" && unit >= 0 && inSet(instruction.set, unit))
        next.push({ at: instruction.next, notes });
    }
    if (unit < 0) return found;
    threads = next;
  }
}

/** What waits for a unit or is done, in the order of preference. */
function follow(program: Program, threads: readonly Thread[], place: number, end: number): Thread[] {
  const seen = new Set<number>();
  const ready: Thread[] = [];
  const open = [...threads].reverse();
  for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
    const { at, notes } = thread;
    if (seen.has(at)) continue;
    seen.add(at);
    const instruction = program[at];
    switch (instruction?.op) {
      case "fork":
        open.push({ at: instruction.other, notes }, { at: instruction.next, notes });
        break;
      case "note":
        open.push({ at: instruction.next, notes: noted(notes, instruction.slot, place) });
        break;
      case "start":
        if (place === 0) open.push({ at: instruction.next, notes });
        break;
      case "end":
        if (place === end) open.push({ at: instruction.next, notes });
        break;
      default:
        ready.push(thread);
    }
  }
  return ready;
}

function noted(notes: Notes, slot: number, place: number): Notes {
  const made = [...notes];
  made[slot] = place;
  return made;
}
