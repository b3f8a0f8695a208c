/**
 * Go's text templates, as far as names of hosts, tags and containers and lines of a request log need them: fields,
 * methods, index, comparisons, printf, escapes, if and with. What lies beyond is refused in words when the ConfigMap is
 * written, not when a Route is made.
 */
import { escapes } from "./goEscapes.js";
import { formatted, printed, typeName } from "./goPrint.js";
import type { Parsed } from "./goText.js";
import { isMethod, Struct, type TemplateData, type TemplateMethod, type TemplateValue } from "./goValue.js";

export { Struct, type TemplateData, type TemplateMethod } from "./goValue.js";

export interface Template {
  /** The text, or in Go's words why there is none. */
  render(data: TemplateData): Parsed<string>;
}

type Expression =
  | { readonly is: "literal"; readonly value: TemplateValue }
  | { readonly is: "field"; readonly path: readonly string[]; readonly given: readonly Expression[] }
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
  ...["eq", "ne", "lt", "le", "gt", "ge"],
  ...Object.keys(escapes),
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

const token = /\s*(?:("(?:[^"\\\n]|\\.)*")|`([^`]*)`|(-?\d+(?:\.\d+)?)|(\.[\w.]*)|(\w+)|([|()]))/y;

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
    return { ...only, given: [...operands.slice(1), ...(before === undefined ? [] : [before])] };
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
  if (field !== undefined)
    return { is: "field", path: field.split(".").filter((part) => part !== ""), given: [] };
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
function shown(nodes: readonly Node[], dot: TemplateValue, name: string): string {
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

function valued(expression: Expression, dot: TemplateValue, fail: Fail): TemplateValue {
  switch (expression.is) {
    case "literal":
      return expression.value;
    case "field":
      return looked(
        expression.path,
        expression.given.map((one) => valued(one, dot, fail)),
        dot,
        fail,
      );
    case "call":
      return called(
        expression.name,
        expression.given.map((one) => valued(one, dot, fail)),
        fail,
      );
  }
}

/** A field of a field; the last one may be a method, and only that takes arguments. */
function looked(
  path: readonly string[],
  given: readonly TemplateValue[],
  dot: TemplateValue,
  fail: Fail,
): TemplateValue {
  const whole = `.${path.join(".")}`;
  let at: TemplateValue | TemplateMethod = dot;
  for (const [depth, field] of path.entries()) {
    if (isMethod(at)) at = invoked(path[depth - 1] ?? "", at, []);
    if (typeof at !== "object") throw fail(whole, `can't evaluate field ${field} in type ${typeName(at)}`);
    const fields: TemplateData = at instanceof Struct ? at.fields : at;
    const found: TemplateValue | TemplateMethod | undefined = Object.hasOwn(fields, field)
      ? fields[field]
      : undefined;
    if (found === undefined && at instanceof Struct)
      throw fail(whole, `can't evaluate field ${field} in type ${at.type}`);
    if (found === undefined && depth === 0) throw fail(whole, `can't evaluate field ${field}`);
    at = found ?? "";
  }
  if (isMethod(at)) return invoked(path.at(-1) ?? "", at, given);
  if (given.length > 0) throw fail(whole, `${path.at(-1)} has arguments but cannot be invoked as function`);
  return at;

  function invoked(
    name: string,
    method: TemplateMethod,
    arguments_: readonly TemplateValue[],
  ): TemplateValue {
    if (arguments_.length !== method.takes)
      throw fail(whole, `wrong number of args for ${name}: want ${method.takes} got ${arguments_.length}`);
    const odd = arguments_.find((one) => typeof one !== "string");
    if (odd !== undefined) throw fail(whole, `expected string; found ${printed(odd)}`);
    return method.call(...arguments_.map(String));
  }
}

function called(name: string, given: readonly TemplateValue[], fail: Fail): TemplateValue {
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
      if (typeof first !== "object" || first instanceof Struct)
        throw fail("index", `can't index item of type ${typeName(first ?? "")}`);
      const key = String(rest[0] ?? "");
      const found = Object.hasOwn(first, key) ? (first[key] ?? "") : "";
      return isMethod(found) ? "" : found;
    }
    case "print":
    case "println":
      return given.map(printed).join(name === "print" ? "" : " ") + (name === "print" ? "" : "\n");
    case "printf":
      return formatted(String(first), rest);
    default: {
      const escaped = escapes[name as keyof typeof escapes];
      return escaped(given.map(printed).join(""));
    }
  }
}

function compared(how: "lt" | "le" | "gt" | "ge", a: TemplateValue, b: TemplateValue): boolean {
  if (how === "lt") return a < b;
  if (how === "le") return a <= b;
  return how === "gt" ? a > b : a >= b;
}

function truth(value: TemplateValue): boolean {
  if (value instanceof Struct) return true;
  return typeof value === "object" ? Object.keys(value).length > 0 : Boolean(value);
}
