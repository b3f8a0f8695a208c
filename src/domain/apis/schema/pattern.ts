// Patterns of schemas are written for RE2, which is linear. The built-in engine backtracks, so it gets only those that cannot explode.
import { linearPattern, posixClasses } from "./linearPattern.js";

export interface Pattern {
  test(text: string): boolean;
}

/** Longer patterns are somebody's accident or attack; Kubernetes' own longest are well below. */
const patternLimit = 2_000;
/** undefined for a pattern we refuse or cannot read. */
export function compilePattern(text: string): Pattern | undefined {
  if (text.length > patternLimit) return undefined;
  if (!nestsRepetition(text)) return toJavaScript(text);
  const test = linearPattern(text);
  return test === undefined ? undefined : { test };
}

function toJavaScript(text: string): RegExp | undefined {
  const flags = /^\(\?([ims]+)\)/.exec(text);
  const body = (flags === null ? text : text.slice(flags[0].length))
    .replace(/\\A/g, "^")
    .replace(/\\z/g, "$")
    .replace(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole)
    .replace(/\(\?P</g, "(?<");
  try {
    return new RegExp(body, `u${flags?.[1] ?? ""}`);
  } catch {
    // The u flag is strict about needless escapes that RE2 allows.
    try {
      return new RegExp(body, flags?.[1] ?? "");
    } catch {
      return undefined;
    }
  }
}

/** A repeated group that itself holds a repetition: the shape all explosions share (and some harmless ones). */
function nestsRepetition(text: string): boolean {
  const stack: boolean[] = [];
  let inClass = false;
  let repeatedInside = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (inClass) inClass = char !== "]";
    else if (char === "[") inClass = true;
    else if (char === "(") {
      stack.push(repeatedInside);
      repeatedInside = false;
    } else if (char === ")") {
      const repeats = /^(?:[*+]|\{\d+,\d*\})/.test(text.slice(at + 1));
      if (repeats && repeatedInside) return true;
      repeatedInside = (stack.pop() ?? false) || repeatedInside || repeats;
    } else if (char === "*" || char === "+" || (char === "{" && /^\{\d+,/.test(text.slice(at)))) {
      repeatedInside = true;
    }
  }
  return false;
}
