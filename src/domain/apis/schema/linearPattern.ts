/**
 * A small matcher whose time grows with pattern times text and never faster: all states are advanced together,
 * nothing is tried again. It serves the patterns our own engine could be made to explode on.
 * It knows what schemas use: literals, classes, groups, alternatives, repetition, ^ and $.
 */

type Test = (char: string) => boolean;

type Node =
  | { readonly is: "char"; readonly test: Test }
  | { readonly is: "start" | "end" | "empty" }
  | { readonly is: "sequence" | "choice"; readonly parts: readonly Node[] }
  | { readonly is: "repeat"; readonly part: Node; readonly min: number; readonly max: number };

type State =
  | { readonly do: "char"; readonly test: Test; next: number }
  | { readonly do: "start" | "end"; next: number }
  | { readonly do: "fork"; readonly next: number; other: number }
  | { readonly do: "jump"; next: number }
  | { readonly do: "match" };

/** Repetition is unrolled, so a thousand thousands must not be asked of us. */
const stateLimit = 20_000;

export function linearPattern(source: string): ((text: string) => boolean) | undefined {
  const node = parsePattern(source);
  const states: State[] = [];
  if (node === undefined || !emit(states, node)) return undefined;
  states.push({ do: "match" });
  return (text) => search(states, text);
}

function search(states: readonly State[], text: string): boolean {
  const chars = [...text];
  let current = new Set<number>();
  for (let position = 0; position <= chars.length; position++) {
    // A match may begin anywhere, as in Go's MatchString.
    if (follow(states, 0, current, position, chars.length)) return true;
    const char = chars[position];
    if (char === undefined) return false;
    const next = new Set<number>();
    for (const index of current) {
      const state = states[index];
      if (
        state?.do === "char" &&
        state.test(char) &&
        follow(states, state.next, next, position + 1, chars.length)
      ) {
        return true;
      }
    }
    current = next;
  }
  return false;
}

/** Adds every state reachable without reading; true when one of them is the match. */
function follow(states: readonly State[], from: number, into: Set<number>, position: number, length: number) {
  const open = [from];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (into.has(index)) continue;
    into.add(index);
    const state = states[index];
    if (state === undefined || state.do === "match") return true;
    if (state.do === "fork") open.push(state.next, state.other);
    else if (state.do === "jump") open.push(state.next);
    else if (state.do === "start" && position === 0) open.push(state.next);
    else if (state.do === "end" && position === length) open.push(state.next);
  }
  return false;
}

function emit(states: State[], node: Node): boolean {
  if (states.length > stateLimit) return false;
  switch (node.is) {
    case "empty":
      return true;
    case "char":
      states.push({ do: "char", test: node.test, next: states.length + 1 });
      return true;
    case "start":
    case "end":
      states.push({ do: node.is, next: states.length + 1 });
      return true;
    case "sequence":
      return node.parts.every((part) => emit(states, part));
    case "choice":
      return emitChoice(states, node.parts);
    case "repeat":
      return emitRepeat(states, node.part, node.min, node.max);
  }
}

function emitChoice(states: State[], parts: readonly Node[]): boolean {
  const exits: { next: number }[] = [];
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const fork = { do: "fork" as const, next: states.length + 1, other: 0 };
    if (!last) states.push(fork);
    if (!emit(states, part)) return false;
    if (last) break;
    const exit = { do: "jump" as const, next: 0 };
    states.push(exit);
    exits.push(exit);
    fork.other = states.length;
  }
  for (const exit of exits) exit.next = states.length;
  return true;
}

function emitRepeat(states: State[], part: Node, min: number, max: number): boolean {
  for (let times = 0; times < min; times++) if (!emit(states, part)) return false;
  if (max === Number.POSITIVE_INFINITY) {
    const fork = { do: "fork" as const, next: states.length + 1, other: 0 };
    const top = states.length;
    states.push(fork);
    if (!emit(states, part)) return false;
    states.push({ do: "jump", next: top });
    fork.other = states.length;
    return true;
  }
  const forks: { other: number }[] = [];
  for (let times = min; times < max; times++) {
    const fork = { do: "fork" as const, next: states.length + 1, other: 0 };
    states.push(fork);
    forks.push(fork);
    if (!emit(states, part)) return false;
  }
  for (const fork of forks) fork.other = states.length;
  return true;
}

/** undefined for what we do not know. */
function parsePattern(source: string): Node | undefined {
  const chars = [...source];
  let at = 0;
  let broken = false;
  const give = (): Node => {
    broken = true;
    return { is: "empty" };
  };

  const choice = (): Node => {
    const parts = [sequence()];
    while (chars[at] === "|") {
      at++;
      parts.push(sequence());
    }
    return parts.length === 1 ? (parts[0] as Node) : { is: "choice", parts };
  };

  const sequence = (): Node => {
    const parts: Node[] = [];
    while (at < chars.length && chars[at] !== "|" && chars[at] !== ")" && !broken) parts.push(repeat(atom()));
    return { is: "sequence", parts };
  };

  const repeat = (part: Node): Node => {
    const bounds = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(chars.slice(at, at + 16).join(""));
    if (bounds === null) return part;
    at += bounds[0].length;
    const [, sign, low, comma, high] = bounds;
    if (sign !== undefined) {
      const max = sign === "?" ? 1 : Number.POSITIVE_INFINITY;
      return repeat({ is: "repeat", part, min: sign === "+" ? 1 : 0, max });
    }
    const min = Number(low);
    const max = comma === undefined ? min : high === "" ? Number.POSITIVE_INFINITY : Number(high);
    return min > 1000 || (max > 1000 && max !== Number.POSITIVE_INFINITY)
      ? give()
      : repeat({ is: "repeat", part, min, max });
  };

  const atom = (): Node => {
    const char = chars[at++];
    switch (char) {
      case "^":
        return { is: "start" };
      case "$":
        return { is: "end" };
      case ".":
        return { is: "char", test: (one) => one !== "\n" };
      case "(":
        return group();
      case "[":
        return klass();
      case "\\":
        return escaped();
      case undefined:
        return give();
      default:
        return { is: "char", test: (one) => one === char };
    }
  };

  const group = (): Node => {
    if (chars[at] === "?") {
      const head = /^\?(?::|P?<\w+>)/.exec(chars.slice(at, at + 60).join(""));
      if (head === null) return give();
      at += head[0].length;
    }
    const inner = choice();
    if (chars[at++] !== ")") return give();
    return inner;
  };

  const escaped = (): Node => {
    const char = chars[at++];
    if (char === "A") return { is: "start" };
    if (char === "z") return { is: "end" };
    const test = escapeTest(char);
    return test === undefined ? give() : { is: "char", test };
  };

  const klass = (): Node => {
    const end = classEnd(chars, at);
    if (end === undefined) return give();
    const text = chars.slice(at - 1, end + 1).join("");
    at = end + 1;
    try {
      // One class against one character cannot explode, so here the built-in engine is welcome.
      const expression = new RegExp(
        `^${text.replace(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole)}$`,
        "s",
      );
      return { is: "char", test: (one) => expression.test(one) };
    } catch {
      return give();
    }
  };

  const node = choice();
  return broken || at < chars.length ? undefined : node;
}

function escapeTest(char: string | undefined): Test | undefined {
  if (char === undefined) return undefined;
  if ("dDwWsStnrfv".includes(char)) {
    const expression = new RegExp(`^\\${char}$`);
    return (one) => expression.test(one);
  }
  return /[A-Za-z0-9]/.test(char) ? undefined : (one) => one === char;
}

function classEnd(chars: readonly string[], from: number): number | undefined {
  let at = from;
  if (chars[at] === "^") at++;
  if (chars[at] === "]") at++;
  for (; at < chars.length; at++) {
    if (chars[at] === "\\") at++;
    else if (chars[at] === "[" && chars[at + 1] === ":") at = chars.indexOf("]", at);
    else if (chars[at] === "]") return at;
    if (at < 0) return undefined;
  }
  return undefined;
}

export const posixClasses: { readonly [name: string]: string } = {
  alpha: "A-Za-z",
  digit: "0-9",
  alnum: "A-Za-z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: "\\s",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
  punct: "!-\\/:-@\\[-`{-~",
};
