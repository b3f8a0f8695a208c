// A tree of syntax as instructions: each reads one unit, forks, tests a place, or notes one.
import type { CharSet, Node } from "./syntax.js";

export type Instruction =
  | { readonly op: "chars"; readonly set: CharSet; next: number }
  /** The first way is preferred; it matters only to what captures hold. */
  | { readonly op: "fork"; next: number; other: number }
  | { readonly op: "start" | "end"; next: number }
  | { readonly op: "note"; readonly slot: number; next: number }
  | { readonly op: "match" };

export type Program = readonly Instruction[];

/** Time is text times program, so neither may be large. Counted repetition is unrolled. */
const programLimit = 2_000;

/** undefined when it would be too large. */
export function makeProgram(node: Node): Program | undefined {
  const program: Instruction[] = [];
  if (!emit(program, node)) return undefined;
  program.push({ op: "match" });
  return program;
}

function emit(program: Instruction[], node: Node): boolean {
  const next = program.length + 1;
  if (next > programLimit) return false;
  switch (node.is) {
    case "empty":
      return true;
    case "chars":
      program.push({ op: "chars", set: node.set, next });
      return true;
    case "start":
    case "end":
      program.push({ op: node.is, next });
      return true;
    case "group": {
      program.push({ op: "note", slot: node.index * 2, next });
      if (!emit(program, node.part)) return false;
      program.push({ op: "note", slot: node.index * 2 + 1, next: program.length + 1 });
      return true;
    }
    case "sequence":
      return node.parts.every((part) => emit(program, part));
    case "choice":
      return emitChoice(program, node.parts);
    case "repeat":
      return emitRepeat(program, node);
  }
}

function emitChoice(program: Instruction[], parts: readonly Node[]): boolean {
  const exits: { next: number }[] = [];
  for (const [index, part] of parts.entries()) {
    const more = index < parts.length - 1;
    const fork: Instruction = { op: "fork", next: program.length + 1, other: 0 };
    if (more) program.push(fork);
    if (!emit(program, part)) return false;
    if (!more) break;
    const exit: Instruction = { op: "fork", next: 0, other: 0 };
    program.push(exit);
    exits.push(exit);
    fork.other = program.length;
  }
  for (const exit of exits) point(exit as Fork, program.length, program.length);
  return true;
}

type Fork = { next: number; other: number };
type Repeat = Extract<Node, { is: "repeat" }>;

function emitRepeat(program: Instruction[], { part, min, max, greedy }: Repeat): boolean {
  for (let times = 0; times < min; times += 1) if (!emit(program, part)) return false;
  const forks: Fork[] = [];
  const fork = (): void => {
    const made: Instruction = { op: "fork", next: 0, other: 0 };
    forks.push(made);
    program.push(made);
  };
  const inside: number[] = [];
  const once = (): boolean => {
    fork();
    inside.push(program.length);
    return emit(program, part);
  };
  if (max === Number.POSITIVE_INFINITY) {
    const top = program.length;
    if (!once()) return false;
    program.push({ op: "fork", next: top, other: top });
  } else for (let times = min; times < max; times += 1) if (!once()) return false;
  const past = program.length;
  for (const [index, one] of forks.entries()) {
    const into = inside[index] as number;
    if (greedy) point(one, into, past);
    else point(one, past, into);
  }
  return true;
}

function point(fork: Fork, next: number, other: number): void {
  fork.next = next;
  fork.other = other;
}

export function inSet(set: CharSet, unit: number): boolean {
  for (const [low, high] of set) if (unit <= high) return unit >= low;
  return false;
}
