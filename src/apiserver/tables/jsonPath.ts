// The part of kubectl's JSONPath that printer columns use: members, indices, wildcards, filters, descent.

type Step =
  | { readonly is: "member"; readonly name: string }
  | { readonly is: "index"; readonly index: number }
  | { readonly is: "slice"; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly is: "all" | "descend" }
  | { readonly is: "filter"; readonly left: Operand; readonly operator: string; readonly right: Operand };

type Operand = { readonly path: JsonPath } | { readonly value: unknown };

export type JsonPath = readonly Step[];

/** Everything a path finds in a value, in order. A path that cannot be read finds nothing. */
export function evaluateJsonPath(path: JsonPath, value: unknown): readonly unknown[] {
  let found: readonly unknown[] = [value];
  for (const step of path) {
    found = found.flatMap((one) => take(step, one));
    if (found.length === 0) break;
  }
  return found;
}

function take(step: Step, value: unknown): readonly unknown[] {
  switch (step.is) {
    case "member":
      return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case "index": {
      const item = Array.isArray(value) ? value.at(step.index) : undefined;
      return item === undefined ? [] : [item];
    }
    case "slice":
      return Array.isArray(value) ? value.slice(step.from, step.to) : [];
    case "all":
      return children(value);
    case "descend":
      return [value, ...children(value).flatMap((child) => take(step, child))];
    case "filter":
      return (Array.isArray(value) ? value : []).filter((item) => {
        const left = operandValue(step.left, item);
        if (step.operator === "") return left !== undefined;
        return compare(left, step.operator, operandValue(step.right, item));
      });
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

function operandValue(operand: Operand, item: unknown): unknown {
  return "path" in operand ? evaluateJsonPath(operand.path, item)[0] : operand.value;
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== undefined && left !== right;
  }
  if (typeof left !== typeof right || (typeof left !== "number" && typeof left !== "string")) return false;
  const [a, b] = [left, right as typeof left];
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    default:
      return a >= b;
  }
}

/** `.status.conditions[?(@.type=="Ready")].status`, with or without braces and the leading $. */
export function parseJsonPath(source: string): JsonPath {
  const text = source
    .trim()
    .replace(/^\{(.*)\}$/s, "$1")
    .trim()
    .replace(/^[$@]/, "");
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    const parsed = text[at] === "[" ? bracket(text, at) : dotted(text, at);
    // Nothing is found by a path that cannot be read: a blank cell, not a broken table.
    if (parsed === undefined)
      return [
        { is: "member", name: "" },
        { is: "index", index: 0 },
      ];
    steps.push(...parsed.steps);
    at = parsed.next;
  }
  return steps;
}

interface Parsed {
  readonly steps: readonly Step[];
  readonly next: number;
}

function dotted(text: string, at: number): Parsed | undefined {
  const match = /^(\.\.|\.)?(\*|(?:\\.|[^.[\\\s])*)/s.exec(text.slice(at));
  if (match === null || match[0] === "") return undefined;
  const [whole, dots = "", raw = ""] = match;
  const next = at + whole.length;
  const steps: Step[] = dots === ".." ? [{ is: "descend" }] : [];
  if (raw === "*") steps.push({ is: "all" });
  else if (raw !== "") steps.push({ is: "member", name: raw.replace(/\\(.)/g, "$1") });
  return { steps, next };
}

function bracket(text: string, at: number): Parsed | undefined {
  const end = closing(text, at);
  if (end === undefined) return undefined;
  const inside = text.slice(at + 1, end).trim();
  const step = bracketStep(inside);
  return step === undefined ? undefined : { steps: [step], next: end + 1 };
}

function bracketStep(inside: string): Step | undefined {
  if (inside === "*") return { is: "all" };
  if (/^-?\d+$/.test(inside)) return { is: "index", index: Number(inside) };
  const quoted = /^(['"])(.*)\1$/s.exec(inside);
  if (quoted !== null) return { is: "member", name: (quoted[2] ?? "").replace(/\\(.)/g, "$1") };
  const slice = /^(-?\d+)?:(-?\d+)?$/.exec(inside);
  if (slice !== null) return { is: "slice", from: bound(slice[1]), to: bound(slice[2]) };
  const filter = /^\?\((.*)\)$/s.exec(inside);
  return filter === null ? undefined : filterStep((filter[1] ?? "").trim());
}

function bound(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function filterStep(text: string): Step {
  const match = /^((?:"[^"]*"|'[^']*'|[^"'=!<>])+?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/s.exec(text);
  const [, left = text, operator = "", right = ""] = match ?? [];
  return { is: "filter", left: operand(left), operator, right: operand(right) };
}

function operand(raw: string): Operand {
  const text = raw.trim();
  if (text.startsWith("@") || text.startsWith(".")) return { path: parseJsonPath(text) };
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted !== null) return { value: quoted[2] };
  if (text === "true" || text === "false") return { value: text === "true" };
  return { value: text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text };
}

/** The bracket that closes the one at `from`, whatever quotes hold in between. */
function closing(text: string, from: number): number | undefined {
  let depth = 0;
  let quote: string | undefined;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (quote !== undefined) quote = char === quote ? undefined : quote;
    else if (char === "'" || char === '"') quote = char;
    else if (char === "[") depth++;
    else if (char === "]" && --depth === 0) return at;
  }
  return undefined;
}
