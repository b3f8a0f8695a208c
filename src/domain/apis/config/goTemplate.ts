/**
 * Go's text templates, as far as names of hosts, tags and containers need them: fields, index, comparisons,
 * printf, if and with. What lies beyond is refused in words when the ConfigMap is written, not when a Route is made.
 */
import type { Parsed } from "./goText.js";

/** What a template may look into: texts, and maps of texts by name. */
export interface TemplateData {
  readonly [field: string]: string | TemplateData;
}

export interface Template {
  /** The text, or in Go's words why there is none. */
  render(data: TemplateData): Parsed<string>;
}

type Value = string | number | boolean | TemplateData;
type Expression =
  | { readonly is: "literal"; readonly value: Value }
  | { readonly is: "field"; readonly path: readonly string[] }
  | { readonly is: "call"; readonly name: string; readonly given: readonly Expression[] };
type Node =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "show"; readonly what: Expression; readonly line: number }
  | {
      readonly is: "if" | "with";
      readonly when: Expression;
      readonly then: readonly Node[];
      readonly otherwise: readonly Node[];
      readonly line: number;
    };

class Refused extends Error {}

const functions = new Set([
  ...["and", "or", "not", "index", "len", "print", "println", "printf"],
  ...["eq", "ne", "lt", "le", "gt", "ge", "html", "js", "urlquery"],
]);

/** Nobody's host name needs more; it bounds what a ConfigMap can cost. */
const longestChars = 16_384;

export function parseTemplate(name: string, source: string): Parsed<Template> {
  if (source.length > longestChars) {
    return { because: `template: ${name}: longer than ${longestChars} characters` };
  }
  try {
    const nodes = parsed(name, source);
    return {
      value: {
        render(data) {
          try {
            return { value: shown(nodes, data, name) };
          } catch (error) {
            if (error instanceof Refused) return { because: error.message };
            throw error;
          }
        },
      },
    };
  } catch (error) {
    if (error instanceof Refused) return { because: error.message };
    throw error;
  }
}

interface Piece {
  readonly text?: string;
  readonly action?: string;
  readonly line: number;
}

/** Text and actions in turn; `{{-` and `-}}` take the space beside them away. */
function pieces(name: string, source: string): readonly Piece[] {
  const found: Piece[] = [];
  let rest = source;
  let line = 1;
  let trim = false;
  for (;;) {
    const at = rest.indexOf("{{");
    const before = at < 0 ? rest : rest.slice(0, at);
    const opensTrimmed = at >= 0 && /^\{\{-\s/.test(rest.slice(at));
    let text = trim ? before.trimStart() : before;
    if (opensTrimmed) text = text.trimEnd();
    if (text !== "") found.push({ text, line });
    line += newlines(before);
    if (at < 0) return found;
    const inside = rest.slice(at + (opensTrimmed ? 3 : 2));
    const length = actionLength(inside);
    if (length === undefined) throw new Refused(`template: ${name}:${line}: unclosed action`);
    const action = inside.slice(0, length);
    trim = /\s-$/.test(action);
    found.push({ action: (trim ? action.slice(0, -1) : action).trim(), line });
    line += newlines(action);
    rest = inside.slice(length + 2);
  }
}

/** Up to the closing braces, which do not count inside quotes. */
function actionLength(text: string): number | undefined {
  return /^(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|(?!\}\})[^"`])*(?=\}\})/.exec(text)?.[0].length;
}

function newlines(text: string): number {
  return text.split("\n").length - 1;
}

interface Block {
  readonly is: "if" | "with";
  readonly when: Expression;
  readonly then: Node[];
  readonly otherwise: Node[];
  readonly line: number;
  /** The branch that is being read. */
  into: Node[];
  /** An `else if` opens a block that its parent's `end` closes. */
  readonly chained: boolean;
}

function parsed(name: string, source: string): readonly Node[] {
  const root: Node[] = [];
  const open: Block[] = [];
  const into = () => open.at(-1)?.into ?? root;
  const enter = (is: "if" | "with", when: Expression, line: number, chained: boolean) => {
    const then: Node[] = [];
    const block: Block = { is, when, then, otherwise: [], line, into: then, chained };
    into().push(block);
    open.push(block);
  };
  for (const { text, action, line } of pieces(name, source)) {
    if (action === undefined) {
      into().push({ is: "text", text: text ?? "" });
      continue;
    }
    const refuse = (why: string) => new Refused(`template: ${name}:${line}: ${why}`);
    if (action.startsWith("/*")) continue;
    const [word = ""] = /^\w+/.exec(action) ?? [];
    const rest = action.slice(word.length).trim();
    if (word === "if" || word === "with") {
      enter(word, pipeline(rest, refuse), line, false);
    } else if (word === "else") {
      const block = open.at(-1);
      if (block === undefined || block.into === block.otherwise) throw refuse("unexpected {{else}}");
      block.into = block.otherwise;
      if (rest === "") continue;
      if (!/^if\s/.test(rest)) throw refuse(`unexpected <${rest}> in else`);
      enter("if", pipeline(rest.slice(2).trim(), refuse), line, true);
    } else if (word === "end") {
      let closed = open.pop();
      if (closed === undefined) throw refuse("unexpected {{end}}");
      while (closed?.chained) closed = open.pop();
    } else if (["range", "define", "template", "block", "break", "continue"].includes(word)) {
      throw refuse(`{{${word}}} is not supported here`);
    } else {
      into().push({ is: "show", what: pipeline(action, refuse), line });
    }
  }
  if (open.length > 0) throw new Refused(`template: ${name}:${1 + newlines(source)}: unexpected EOF`);
  return root;
}

type Refuse = (why: string) => Refused;

const token = /\s*(?:("(?:[^"\\\n]|\\.)*")|`([^`]*)`|(-?\d+)|(\.[\w.]*)|(\w+)|([|()]))/y;

function pipeline(text: string, refuse: Refuse): Expression {
  if (text === "") throw refuse("missing value for command");
  const tokens: RegExpExecArray[] = [];
  const scan = new RegExp(token.source, "y");
  while (text.slice(scan.lastIndex).trim() !== "") {
    const at = scan.lastIndex;
    const found = scan.exec(text);
    if (found === null) {
      throw refuse(`unexpected ${JSON.stringify(text.slice(at).trim().charAt(0))} in operand`);
    }
    tokens.push(found);
  }
  const reading = { tokens, at: 0, depth: 0 };
  const whole = piped(reading, refuse);
  if (reading.at < tokens.length) throw refuse("unexpected right paren");
  return whole;
}

interface Reading {
  readonly tokens: readonly RegExpExecArray[];
  at: number;
  depth: number;
}

function piped(reading: Reading, refuse: Refuse): Expression {
  let before: Expression | undefined;
  for (;;) {
    const command = commanded(reading, refuse, before);
    if (reading.tokens[reading.at]?.[6] !== "|") return command;
    reading.at++;
    before = command;
  }
}

/** One function or value with what is given to it; what was piped in comes last. */
function commanded(reading: Reading, refuse: Refuse, before: Expression | undefined): Expression {
  const operands: Expression[] = [];
  const called = reading.tokens[reading.at]?.[5];
  const isCall = called !== undefined && called !== "true" && called !== "false";
  if (isCall) {
    if (!functions.has(called)) throw refuse(`function ${JSON.stringify(called)} not defined`);
    reading.at++;
  }
  for (;;) {
    const next = reading.tokens[reading.at];
    if (next === undefined || next[6] === "|" || next[6] === ")") break;
    operands.push(operand(reading, refuse));
  }
  if (isCall) {
    return {
      is: "call",
      name: called,
      given: [...operands, ...(before === undefined ? [] : [before])],
    };
  }
  const [only] = operands;
  if (only === undefined) throw refuse("missing value for command");
  if (only.is === "field" && (operands.length > 1 || before !== undefined)) {
    return { is: "call", name: `.${only.path.join(".")}`, given: operands.slice(1) };
  }
  if (operands.length > 1 || before !== undefined) {
    throw refuse("can't give argument to non-function");
  }
  return only;
}

const deepest = 100;

function operand(reading: Reading, refuse: Refuse): Expression {
  const next = reading.tokens[reading.at++];
  const [, quoted, raw, number, field, word, sign] = next ?? [];
  if (quoted !== undefined) return { is: "literal", value: unquoted(quoted, refuse) };
  if (raw !== undefined) return { is: "literal", value: raw };
  if (number !== undefined) return { is: "literal", value: Number(number) };
  if (field !== undefined) return { is: "field", path: field.split(".").filter((part) => part !== "") };
  if (word === "true" || word === "false") return { is: "literal", value: word === "true" };
  if (word !== undefined) {
    if (!functions.has(word)) throw refuse(`function ${JSON.stringify(word)} not defined`);
    return { is: "call", name: word, given: [] };
  }
  if (sign !== "(" || ++reading.depth > deepest) throw refuse("unclosed left paren");
  const inner = piped(reading, refuse);
  if (reading.tokens[reading.at++]?.[6] !== ")") throw refuse("unclosed left paren");
  return inner;
}

function unquoted(text: string, refuse: Refuse): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw refuse("invalid syntax");
  }
}

/** `dot` is what fields are looked for in: the data, or what the nearest `with` speaks of. */
function shown(nodes: readonly Node[], dot: Value, name: string): string {
  let text = "";
  for (const node of nodes) {
    if (node.is === "text") {
      text += node.text;
      continue;
    }
    const fail = (at: string, why: string) =>
      new Refused(`template: ${name}:${node.line}: executing ${JSON.stringify(name)} at <${at}>: ${why}`);
    if (node.is === "show") {
      text += printed(valued(node.what, dot, fail));
      continue;
    }
    const when = valued(node.when, dot, fail);
    const branch = truth(when) ? node.then : node.otherwise;
    text += shown(branch, node.is === "with" && truth(when) ? when : dot, name);
  }
  return text;
}

type Fail = (at: string, why: string) => Refused;

function valued(expression: Expression, dot: Value, fail: Fail): Value {
  switch (expression.is) {
    case "literal":
      return expression.value;
    case "field":
      return expression.path.reduce<Value>((from, field, depth) => {
        if (typeof from !== "object") {
          throw fail(`.${expression.path.join(".")}`, `can't evaluate field ${field} in type string`);
        }
        if (Object.hasOwn(from, field)) return from[field] ?? "";
        if (depth === 0) throw fail(`.${field}`, `can't evaluate field ${field}`);
        return "";
      }, dot);
    case "call":
      return called(
        expression.name,
        expression.given.map((one) => valued(one, dot, fail)),
        fail,
      );
  }
}

function called(name: string, given: readonly Value[], fail: Fail): Value {
  const [first, ...rest] = given;
  if (first === undefined && name !== "print" && name !== "println")
    throw fail(name, `wrong number of args for ${name}: want at least 1 got 0`);
  switch (name) {
    case "and":
      return given.find((one) => !truth(one)) ?? given.at(-1) ?? "";
    case "or":
      return given.find(truth) ?? given.at(-1) ?? "";
    case "not":
      return !truth(first ?? "");
    case "eq":
      return rest.some((one) => one === first);
    case "ne":
      return rest[0] !== first;
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return compared(name, first ?? "", rest[0] ?? "");
    case "len":
      return typeof first === "object" ? Object.keys(first).length : String(first).length;
    case "index": {
      if (typeof first !== "object") throw fail("index", "can't index item of type string");
      const key = String(rest[0] ?? "");
      return Object.hasOwn(first, key) ? (first[key] ?? "") : "";
    }
    case "print":
    case "println":
      return given.map(printed).join(name === "print" ? "" : " ") + (name === "print" ? "" : "\n");
    case "printf":
      return formatted(String(first), rest);
    default:
      throw fail(name, "not supported here");
  }
}

function compared(how: "lt" | "le" | "gt" | "ge", a: Value, b: Value): boolean {
  if (how === "lt") return a < b;
  if (how === "le") return a <= b;
  return how === "gt" ? a > b : a >= b;
}

function formatted(format: string, given: readonly Value[]): string {
  let next = 0;
  return format.replace(/%([svdq%])/g, (_whole, verb: string) => {
    if (verb === "%") return "%";
    const value = given[next++];
    if (value === undefined) return `%!${verb}(MISSING)`;
    return verb === "q" ? JSON.stringify(printed(value)) : printed(value);
  });
}

function truth(value: Value): boolean {
  return typeof value === "object" ? Object.keys(value).length > 0 : Boolean(value);
}

function printed(value: Value): string {
  return typeof value === "object"
    ? `map[${Object.entries(value)
        .map(([key, one]) => `${key}:${printed(one)}`)
        .sort()
        .join(" ")}]`
    : String(value);
}
