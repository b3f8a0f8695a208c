// Does the whole text match? All ways are followed at once, so time grows with the text and never faster. Sets of
// ways that were met before are remembered with where each unit leads: a usual text costs one look-up per unit.
import { inSet, type Program } from "./program.js";

interface State {
  readonly ways: readonly number[];
  /** By class of unit; undefined is not known yet. */
  readonly next: (State | undefined)[];
  readonly accepts: boolean;
}

/** Remembered sets of ways. Beyond it all are forgotten: an expression that makes more is paid for as it runs. */
const stateLimit = 256;

export class Automaton {
  private readonly classes: Classes;
  private states = new Map<string, State>();
  private first: State | undefined;

  constructor(private readonly program: Program) {
    this.classes = new Classes(program);
  }

  matches(text: string): boolean {
    this.first ??= this.state([0], true);
    let state = this.first;
    for (let at = 0; at < text.length; at += 1) {
      const kind = this.classes.of(text.charCodeAt(at));
      const next = state.next[kind];
      state = next ?? this.step(state, kind);
      if (state.ways.length === 0) return false;
    }
    if (text.length > 0) return state.accepts;
    return this.reaches(state.ways, true);
  }

  private step(state: State, kind: number): State {
    const unit = this.classes.sample(kind);
    const reached: number[] = [];
    for (const way of state.ways) {
      const instruction = this.program[way];
      if (instruction?.op === "chars" && inSet(instruction.set, unit)) reached.push(instruction.next);
    }
    const next = this.state(reached, false);
    state.next[kind] = next;
    return next;
  }

  private state(from: readonly number[], atStart: boolean): State {
    const ways = closure(this.program, from, atStart, false);
    const key = `${atStart ? "^" : ""}${ways.join()}`;
    const known = this.states.get(key);
    if (known !== undefined) return known;
    if (this.states.size >= stateLimit) {
      this.states = new Map();
      this.first = undefined;
    }
    const made: State = { ways, next: [], accepts: this.reaches(ways, false) };
    this.states.set(key, made);
    return made;
  }

  /** Whether the text may end here. */
  private reaches(ways: readonly number[], atStart: boolean): boolean {
    return closure(this.program, ways, atStart, true).some((way) => this.program[way]?.op === "match");
  }
}

/** Every instruction that waits for a unit, for the end, or for nothing more, reachable without reading. */
function closure(
  program: Program,
  from: readonly number[],
  atStart: boolean,
  atEnd: boolean,
): readonly number[] {
  const seen = new Set<number>();
  const waiting: number[] = [];
  const open = [...from];
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    if (seen.has(way)) continue;
    seen.add(way);
    const instruction = program[way];
    switch (instruction?.op) {
      case "fork":
        open.push(instruction.next, instruction.other);
        break;
      case "note":
        open.push(instruction.next);
        break;
      case "start":
        if (atStart) open.push(instruction.next);
        break;
      case "end":
        if (atEnd) open.push(instruction.next);
        else waiting.push(way);
        break;
      default:
        waiting.push(way);
    }
  }
  return waiting.sort((one, other) => one - other);
}

/** Units that no instruction tells apart, numbered. */
class Classes {
  private readonly starts: readonly number[];
  private readonly low = new Uint16Array(256);

  constructor(program: Program) {
    const cuts = new Set([0]);
    for (const instruction of program) {
      if (instruction.op !== "chars") continue;
      for (const [low, high] of instruction.set) cuts.add(low).add(high + 1);
    }
    this.starts = [...cuts].sort((one, other) => one - other);
    for (let unit = 0; unit < 256; unit += 1) this.low[unit] = this.find(unit);
  }

  of(unit: number): number {
    return unit < 256 ? (this.low[unit] as number) : this.find(unit);
  }

  sample(kind: number): number {
    return this.starts[kind] as number;
  }

  private find(unit: number): number {
    let low = 0;
    let high = this.starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] as number) <= unit) low = middle;
      else high = middle;
    }
    return low;
  }
}
