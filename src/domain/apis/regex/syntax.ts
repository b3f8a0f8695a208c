// Regular expressions as RE2 writes them, read into a tree. What RE2 leaves out because it needs backtracking
// (references back, looks ahead and behind) is refused, and so are the few things nobody writes in a route.

/** Ranges of UTF-16 units, sorted and apart. */
export type CharSet = readonly (readonly [low: number, high: number])[];

export type Node =
  | { readonly is: "chars"; readonly set: CharSet }
  | { readonly is: "empty" | "start" | "end" }
  | { readonly is: "sequence" | "choice"; readonly parts: readonly Node[] }
  | {
      readonly is: "repeat";
      readonly part: Node;
      readonly min: number;
      readonly max: number;
      readonly greedy: boolean;
    }
  | { readonly is: "group"; readonly part: Node; readonly index: number };

export type Syntax = { readonly node: Node; readonly groups: number } | { readonly because: string };

const last = 0xffff;
/** As RE2: a count beyond this is a mistake, or an attack on whoever unrolls it. */
const repeatLimit = 1000;
/** Groups within groups; deeper ones are made by machines, and reading them takes our own stack. */
const depthLimit = 100;

class Fault extends Error {}

interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

export function readRegex(source: string, ignoreCase = false): Syntax {
  try {
    const reader = new Reader(source);
    const node = reader.whole({ ignoreCase, dotAll: false });
    return { node, groups: reader.groups };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { because: fault.message };
  }
}

class Reader {
  groups = 0;
  private at = 0;
  private depth = 0;

  constructor(private readonly source: string) {}

  whole(flags: Flags): Node {
    const node = this.choice(flags);
    if (this.at < this.source.length) throw new Fault("unexpected )");
    return node;
  }

  private choice(outer: Flags): Node {
    let flags = outer;
    const parts: Node[] = [];
    for (;;) {
      const sequence = this.sequence(flags);
      flags = sequence.flags;
      parts.push(sequence.node);
      if (this.source[this.at] !== "|") break;
      this.at += 1;
    }
    return parts.length === 1 ? (parts[0] as Node) : { is: "choice", parts };
  }

  /** Flags set in the middle hold to the end of the group they stand in. */
  private sequence(before: Flags): { readonly node: Node; readonly flags: Flags } {
    let flags = before;
    const parts: Node[] = [];
    while (this.at < this.source.length) {
      const char = this.source[this.at];
      if (char === "|" || char === ")") break;
      const set = this.flagsHere(flags);
      if (set !== undefined) flags = set;
      else parts.push(this.repeated(this.atom(flags)));
    }
    return { node: parts.length === 1 ? (parts[0] as Node) : { is: "sequence", parts }, flags };
  }

  private flagsHere(flags: Flags): Flags | undefined {
    const found = /^\(\?([a-zA-Z-]+)\)/.exec(this.source.slice(this.at, this.at + 16));
    if (found === null) return undefined;
    this.at += found[0].length;
    return withFlags(flags, found[1] as string);
  }

  private repeated(part: Node): Node {
    const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})(\?)?/.exec(this.source.slice(this.at, this.at + 16));
    if (found === null) return part;
    this.at += found[0].length;
    const [whole, sign, low, comma, high, lazy] = found;
    let min = sign === "+" ? 1 : 0;
    let max = sign === "?" ? 1 : Number.POSITIVE_INFINITY;
    if (sign === undefined) {
      min = Number(low);
      max = comma === undefined ? min : high === "" ? Number.POSITIVE_INFINITY : Number(high);
      if (min > repeatLimit || (Number.isFinite(max) && (max > repeatLimit || max < min)))
        throw new Fault(`bad repetition ${whole}: at most ${repeatLimit}, and not backwards`);
    }
    if (/^[*+?]/.test(this.source.slice(this.at))) throw new Fault(`two repetitions in a row after ${whole}`);
    return { is: "repeat", part, min, max, greedy: lazy === undefined };
  }

  private atom(flags: Flags): Node {
    const char = this.source[this.at] as string;
    this.at += 1;
    switch (char) {
      case "^":
        return { is: "start" };
      case "$":
        return { is: "end" };
      case ".":
        return chars(flags.dotAll ? [[0, last]] : negated([[10, 10]]));
      case "(":
        return this.group(flags);
      case "[":
        return chars(this.klass(flags));
      case "\\":
        return this.escaped(flags);
      case "*":
      case "+":
      case "?":
        throw new Fault(`${char} repeats nothing`);
      default:
        return literal(char.charCodeAt(0), flags);
    }
  }

  private group(outer: Flags): Node {
    this.depth += 1;
    if (this.depth > depthLimit) throw new Fault(`groups nested more than ${depthLimit} deep`);
    let flags = outer;
    let index: number | undefined;
    if (this.source[this.at] === "?") {
      const head = /^\?(?:P?<(\w+)>|([a-zA-Z-]*):)/.exec(this.source.slice(this.at, this.at + 64));
      if (head === null) throw new Fault(`(${this.source.slice(this.at, this.at + 3)} is not part of RE2`);
      this.at += head[0].length;
      if (head[1] === undefined) flags = withFlags(flags, head[2] as string);
      else index = this.groups += 1;
    } else index = this.groups += 1;
    const part = this.choice(flags);
    if (this.source[this.at] !== ")") throw new Fault("a group is not closed");
    this.at += 1;
    this.depth -= 1;
    return index === undefined ? part : { is: "group", part, index };
  }

  private escaped(flags: Flags): Node {
    const char = this.source[this.at];
    if (char === "A") return this.skip({ is: "start" });
    if (char === "z") return this.skip({ is: "end" });
    if (char === "Q") return this.quoted(flags);
    const set = shorthands[char ?? ""];
    if (set !== undefined) return this.skip(chars(set));
    return literal(this.escapedUnit(), flags);
  }

  private skip(node: Node): Node {
    this.at += 1;
    return node;
  }

  private quoted(flags: Flags): Node {
    const from = this.at + 1;
    const end = this.source.indexOf("\\E", from);
    const text = this.source.slice(from, end < 0 ? undefined : end);
    this.at = end < 0 ? this.source.length : end + 2;
    return { is: "sequence", parts: [...text].map((char) => literal(char.charCodeAt(0), flags)) };
  }

  /** Stands after the backslash. */
  private escapedUnit(): number {
    const char = this.source[this.at];
    if (char === undefined) throw new Fault("a backslash at the end");
    const hex = /^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,4})\})/.exec(this.source.slice(this.at, this.at + 8));
    if (hex !== null) {
      this.at += hex[0].length;
      return Number.parseInt((hex[1] ?? hex[2]) as string, 16);
    }
    this.at += 1;
    const control = controls[char];
    if (control !== undefined) return control;
    if (/[0-9A-Za-z]/.test(char)) throw new Fault(`\\${char} is not supported`);
    return char.charCodeAt(0);
  }

  /** Stands after the opening bracket. */
  private klass(flags: Flags): CharSet {
    const { source } = this;
    const negate = source[this.at] === "^";
    if (negate) this.at += 1;
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; first || source[this.at] !== "]"; first = false) {
      if (this.at >= source.length) throw new Fault("a class is not closed");
      const named = /^\[:(\^?)(\w+):\]/.exec(source.slice(this.at, this.at + 16));
      const short = source[this.at] === "\\" ? shorthands[source[this.at + 1] ?? ""] : undefined;
      if (named !== null) {
        const set = posix[named[2] as string];
        if (set === undefined) throw new Fault(`${named[0]} is not a class`);
        ranges.push(...(named[1] === "" ? set : negated(set)));
        this.at += named[0].length;
      } else if (short !== undefined) {
        ranges.push(...short);
        this.at += 2;
      } else {
        const low = this.classUnit();
        let high = low;
        if (source[this.at] === "-" && source[this.at + 1] !== "]" && this.at + 1 < source.length) {
          this.at += 1;
          high = this.classUnit();
        }
        if (high < low) throw new Fault("a range of characters runs backwards");
        ranges.push([low, high]);
      }
    }
    this.at += 1;
    const set = folded(ranges, flags);
    return negate ? negated(set) : set;
  }

  private classUnit(): number {
    const { source } = this;
    if (source[this.at] === "\\") {
      this.at += 1;
      return this.escapedUnit();
    }
    this.at += 1;
    return source.charCodeAt(this.at - 1);
  }
}

function withFlags(flags: Flags, text: string): Flags {
  let { ignoreCase, dotAll } = flags;
  let on = true;
  for (const flag of text) {
    if (flag === "-") on = false;
    else if (flag === "i") ignoreCase = on;
    else if (flag === "s") dotAll = on;
    else throw new Fault(`the flag ${flag} is not supported`);
  }
  return { ignoreCase, dotAll };
}

function chars(set: CharSet): Node {
  return { is: "chars", set };
}

function literal(unit: number, flags: Flags): Node {
  return chars(folded([[unit, unit]], flags));
}

/** Sorted and apart; both cases of letters where case does not count. */
function folded(ranges: CharSet, { ignoreCase }: Flags): CharSet {
  return tidied(
    ignoreCase
      ? [...ranges, ...shifted(ranges, 0x41, 0x5a, 0x20), ...shifted(ranges, 0x61, 0x7a, -0x20)]
      : ranges,
  );
}

function shifted(ranges: CharSet, from: number, to: number, by: number): CharSet {
  return ranges.flatMap(([low, high]) => {
    const start = Math.max(low, from);
    const end = Math.min(high, to);
    return start <= end ? [[start + by, end + by] as const] : [];
  });
}

function tidied(ranges: CharSet): CharSet {
  const made: [number, number][] = [];
  for (const [low, high] of [...ranges].sort(([one], [other]) => one - other)) {
    const before = made.at(-1);
    if (before !== undefined && low <= before[1] + 1) before[1] = Math.max(before[1], high);
    else made.push([low, high]);
  }
  return made;
}

function negated(ranges: CharSet): CharSet {
  const made: [number, number][] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) made.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= last) made.push([from, last]);
  return made;
}

const range = (low: string, high = low) => [low.charCodeAt(0), high.charCodeAt(0)] as const;
const digit = [range("0", "9")];
const word = [range("0", "9"), range("A", "Z"), range("_"), range("a", "z")];
const space = [[9, 10] as const, [12, 13] as const, [32, 32] as const];

const shorthands: { readonly [letter: string]: CharSet } = {
  d: digit,
  D: negated(digit),
  w: word,
  W: negated(word),
  s: space,
  S: negated(space),
};

const controls: { readonly [letter: string]: number } = { t: 9, n: 10, v: 11, f: 12, r: 13, a: 7 };

const posix: { readonly [name: string]: CharSet } = {
  alpha: [range("A", "Z"), range("a", "z")],
  digit,
  alnum: [range("0", "9"), range("A", "Z"), range("a", "z")],
  upper: [range("A", "Z")],
  lower: [range("a", "z")],
  space: [
    [9, 13],
    [32, 32],
  ],
  blank: [
    [9, 9],
    [32, 32],
  ],
  word,
  xdigit: [range("0", "9"), range("A", "F"), range("a", "f")],
  punct: [range("!", "/"), range(":", "@"), range("[", "`"), range("{", "~")],
  print: [range(" ", "~")],
  graph: [range("!", "~")],
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  ascii: [[0, 127]],
};
