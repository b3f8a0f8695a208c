/**
 * Regular expressions in linear time. Whoever may write an expression, and whoever may send a text, can make the
 * built-in engine run for years; here time is at most the length of the text times the size of the expression.
 */
import { Automaton } from "./automaton.js";
import { search } from "./captures.js";
import { makeProgram, type Program } from "./program.js";
import { readRegex } from "./syntax.js";

export interface Regex {
  readonly source: string;
  /** The whole text, as Istio's expressions mean it. */
  matches(text: string): boolean;
}

export interface Replacement {
  /** Every match, up to `replaceLimit` of them. */
  replace(text: string): string;
}

type Made<T> = T | { readonly because: string };

/** Each search may read the text to its end, so their number is bounded to keep the sum linear. */
const replaceLimit = 32;

export function makeRegex(source: string, ignoreCase = false): Made<Regex> {
  const made = programOf(source, ignoreCase);
  if ("because" in made) return made;
  const automaton = new Automaton(made.program);
  return { source, matches: (text) => automaton.matches(text) };
}

/** `\1` in `rewrite` stands for the first group, `\0` for all that matched, as RE2 has it. */
export function makeReplacement(source: string, rewrite: string): Made<Replacement> {
  const made = programOf(source, false);
  if ("because" in made) return made;
  const { program, groups } = made;
  const parts: (string | number)[] = [];
  for (const [whole, escaped] of rewrite.matchAll(/\\(.?)|[^\\]+/gs)) {
    if (escaped === undefined) parts.push(whole);
    else if (/\d/.test(escaped)) parts.push(Number(escaped));
    else if (escaped === "\\") parts.push(escaped);
    else return { because: `\\${escaped} in a rewrite is neither a group nor a backslash` };
  }
  const missing = parts.find((part) => typeof part === "number" && part > groups);
  if (missing !== undefined) return { because: `there is no group ${missing}, only ${groups}` };
  return { replace: (text) => replaceAll(program, (groups + 1) * 2, parts, text) };
}

function replaceAll(
  program: Program,
  slots: number,
  parts: readonly (string | number)[],
  text: string,
): string {
  let made = "";
  let from = 0;
  for (let times = 0; times < replaceLimit && from <= text.length; times += 1) {
    const found = search(program, slots, text, from);
    if (found === undefined) break;
    const [start = 0, end = 0] = found;
    made += text.slice(from, start);
    for (const part of parts) {
      if (typeof part === "string") made += part;
      else if ((found[part * 2] ?? -1) >= 0) made += text.slice(found[part * 2], found[part * 2 + 1]);
    }
    from = end;
    if (end === start) {
      // Nothing matched here is replaced once; what stands here is kept.
      made += text.slice(end, end + 1);
      from = end + 1;
    }
  }
  return made + text.slice(from);
}

function programOf(
  source: string,
  ignoreCase: boolean,
): Made<{ readonly program: Program; readonly groups: number }> {
  const syntax = readRegex(source, ignoreCase);
  if ("because" in syntax) return syntax;
  const program = makeProgram(syntax.node);
  if (program === undefined) return { because: "it is too large once its repetitions are written out" };
  return { program, groups: syntax.groups };
}
