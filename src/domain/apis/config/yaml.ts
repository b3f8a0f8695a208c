/**
 * The little YAML that a ConfigMap's value holds: maps and lists by indentation, plain and quoted texts, {} and [].
 * Anchors, tags, block texts and several documents are refused in words: none of the documented values needs them.
 */
import type { Parsed } from "./goText.js";

export type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

class Refused extends Error {}

const deepest = 20;
/** No documented value comes near; it bounds what a ConfigMap can cost. */
const longestChars = 65_536;

export function parseYaml(source: string): Parsed<Yaml> {
  if (source.length > longestChars) return { because: `longer than ${longestChars} characters` };
  try {
    const lines = meaningful(source);
    if (lines.length === 0) return { value: null };
    const reader = { lines, at: 0 };
    const value = block(reader, lines[0]?.indent ?? 0, 0);
    const left = lines[reader.at];
    if (left !== undefined) throw new Refused(`line ${left.number}: not indented like the lines above it`);
    return { value };
  } catch (error) {
    if (error instanceof Refused) return { because: error.message };
    throw error;
  }
}

function meaningful(source: string): readonly Line[] {
  return source.split(/\r?\n/).flatMap((raw, index) => {
    const text = uncommented(raw).trimEnd();
    if (text.trim() === "") return [];
    const [space = ""] = /^\s*/.exec(text) ?? [];
    if (space.includes("\t")) {
      throw new Refused(`line ${index + 1}: found character that cannot start any token (a tab)`);
    }
    return [{ indent: space.length, text: text.slice(space.length), number: index + 1 }];
  });
}

function uncommented(line: string): string {
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const sign = line.charAt(at);
    if (quote !== "") {
      if (sign === "\\" && quote === '"') at++;
      else if (sign === quote) quote = "";
    } else if ((sign === '"' || sign === "'") && (at === 0 || /[\s:,[{-]/.test(line.charAt(at - 1)))) {
      quote = sign;
    } else if (sign === "#" && (at === 0 || /\s/.test(line.charAt(at - 1)))) {
      return line.slice(0, at);
    }
  }
  return line;
}

interface Reader {
  readonly lines: Line[] | readonly Line[];
  at: number;
}

function block(reader: Reader, indent: number, depth: number): Yaml {
  const first = reader.lines[reader.at];
  if (first === undefined) return null;
  if (depth > deepest) throw new Refused(`line ${first.number}: nested too deeply`);
  if (first.text === "-" || first.text.startsWith("- ")) return sequence(reader, indent, depth);
  if (keyed(first.text) !== undefined) return mapping(reader, indent, depth);
  reader.at++;
  return inline(first.text, first.number);
}

function mapping(reader: Reader, indent: number, depth: number): Yaml {
  const members = new Map<string, Yaml>();
  for (;;) {
    const line = reader.lines[reader.at];
    if (line === undefined || line.indent < indent) break;
    const member = line.indent === indent ? keyed(line.text) : undefined;
    if (member === undefined) throw new Refused(`line ${line.number}: could not find expected ':'`);
    if (members.has(member.key)) {
      throw new Refused(`line ${line.number}: key ${JSON.stringify(member.key)} already set in map`);
    }
    reader.at++;
    members.set(
      member.key,
      member.rest === "" ? below(reader, indent, depth, true) : inline(member.rest, line.number),
    );
  }
  return Object.fromEntries(members);
}

function sequence(reader: Reader, indent: number, depth: number): Yaml {
  const items: Yaml[] = [];
  for (;;) {
    const line = reader.lines[reader.at];
    if (line === undefined || line.indent !== indent || !/^-( |$)/.test(line.text)) break;
    const rest = line.text.slice(1).trimStart();
    if (rest === "") {
      reader.at++;
      items.push(below(reader, indent, depth, false));
    } else if (keyed(rest) !== undefined) {
      // An item that is itself a map begins on the dash's own line.
      const inner = indent + (line.text.length - rest.length);
      const lines = [...reader.lines];
      lines[reader.at] = { ...line, indent: inner, text: rest };
      const own = { lines, at: reader.at };
      items.push(block(own, inner, depth + 1));
      reader.at = own.at;
    } else {
      reader.at++;
      items.push(inline(rest, line.number));
    }
  }
  return items;
}

/** What stands under a key or a dash; a list may stand as far left as the key it belongs to. */
function below(reader: Reader, indent: number, depth: number, listBeside: boolean): Yaml {
  const next = reader.lines[reader.at];
  if (next === undefined) return null;
  const deeper = next.indent > indent || (listBeside && next.indent === indent && /^-( |$)/.test(next.text));
  return deeper ? block(reader, next.indent, depth + 1) : null;
}

function keyed(text: string): { readonly key: string; readonly rest: string } | undefined {
  const [quoted] = /^("(?:[^"\\]|\\.)*"|'[^']*')(?=\s*:(\s|$))/.exec(text) ?? [];
  if (quoted !== undefined) {
    const rest = text.slice(text.indexOf(":", quoted.length) + 1).trim();
    return { key: String(scalar(quoted, 0)), rest };
  }
  if (/^["'[\]{},&*!|>%@`]/.test(text)) return undefined;
  const end = text.search(/:(\s|$)/);
  return end <= 0 ? undefined : { key: text.slice(0, end).trimEnd(), rest: text.slice(end + 1).trim() };
}

function inline(text: string, number: number): Yaml {
  if (/^[[{]/.test(text)) {
    const flow = { text, at: 0, number };
    const value = flowing(flow, 0);
    if (text.slice(flow.at).trim() !== "") throw new Refused(`line ${number}: did not find expected end`);
    return value;
  }
  return scalar(text, number);
}

interface Flow {
  readonly text: string;
  readonly number: number;
  at: number;
}

function flowing(flow: Flow, depth: number): Yaml {
  const fail = () => new Refused(`line ${flow.number}: did not find expected ',' or closing bracket`);
  if (depth > deepest) throw new Refused(`line ${flow.number}: nested too deeply`);
  const [blank = ""] = /^\s*/.exec(flow.text.slice(flow.at)) ?? [];
  flow.at += blank.length;
  const opened = flow.text.charAt(flow.at);
  if (opened !== "{" && opened !== "[") {
    const [word = ""] =
      /^("(?:[^"\\]|\\.)*"|'[^']*'|(?::(?!\s)|[^,[\]{}:])+)/.exec(flow.text.slice(flow.at)) ?? [];
    if (word === "") throw fail();
    flow.at += word.length;
    return scalar(word.trim(), flow.number);
  }
  flow.at++;
  const items: Yaml[] = [];
  const members: [string, Yaml][] = [];
  const close = opened === "{" ? "}" : "]";
  const skip = (sign: string): boolean => {
    const found = new RegExp(`^\\s*\\${sign}`).exec(flow.text.slice(flow.at));
    flow.at += found?.[0].length ?? 0;
    return found !== null;
  };
  while (!skip(close)) {
    if (items.length + members.length > 0 && !skip(",")) throw fail();
    if (items.length + members.length > 0 && skip(close)) break;
    const value = flowing(flow, depth + 1);
    if (opened === "[") items.push(value);
    else if (!skip(":")) throw fail();
    else members.push([String(value), flowing(flow, depth + 1)]);
  }
  return opened === "[" ? items : Object.fromEntries(members);
}

function scalar(text: string, number: number): string | number | boolean | null {
  if (text.startsWith('"')) {
    try {
      return JSON.parse(text) as string;
    } catch {
      throw new Refused(`line ${number}: a quoted text that is not closed, or an escape that is not known`);
    }
  }
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw new Refused(`line ${number}: a quoted text that is not closed`);
    return text.slice(1, -1).replaceAll("''", "'");
  }
  if (/^[&*!|>%@`]/.test(text)) {
    throw new Refused(`line ${number}: anchors, tags and block texts are not supported here`);
  }
  if (/:\s/.test(text)) throw new Refused(`line ${number}: mapping values are not allowed in this context`);
  if (["", "~", "null", "Null", "NULL"].includes(text)) return null;
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
}
