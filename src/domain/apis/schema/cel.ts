// The rules (x-kubernetes-validations) of custom kinds, in the Common Expression Language.
import { Environment, Optional } from "@marcbachmann/cel-js";
import type { Rule, SchemaNode } from "./schema.js";
import { isObject, memberSchema } from "./value.js";

export type RuleOutcome =
  | { readonly outcome: "holds" }
  | { readonly outcome: "fails"; readonly message: string };

export interface RuleProgram {
  /** Such a rule speaks of a change: it runs on updates only, and only where there was a value before. */
  readonly usesOldSelf: boolean;
  run(self: unknown, oldSelf: unknown): RuleOutcome;
}

const holds: RuleOutcome = { outcome: "holds" };

/** A rule that cannot be read fails whenever it runs, and says why: silence would admit what its author forbade. */
export function compileRule(environment: Environment, node: SchemaNode, rule: Rule): RuleProgram {
  const usesOldSelf = /\boldSelf\b/.test(rule.rule);
  const wording = rule.message ?? `failed rule: ${rule.rule.trim()}`;
  const condition = parse(environment, rule.rule);
  if (typeof condition === "string") {
    const broken: RuleOutcome = { outcome: "fails", message: `rule compile error: ${condition}` };
    return { usesOldSelf, run: () => broken };
  }
  const explanation =
    rule.messageExpression === undefined ? undefined : parse(environment, rule.messageExpression);
  return {
    usesOldSelf,
    run(self, oldSelf) {
      const context = { self: celValue(node, self), oldSelf: old(node, rule, oldSelf) };
      const result = evaluate(condition, context);
      if (result.error !== undefined)
        return { outcome: "fails", message: `${result.error} evaluating rule: ${wording}` };
      if (result.value === true) return holds;
      const said = typeof explanation === "function" ? evaluate(explanation, context).value : undefined;
      return { outcome: "fails", message: typeof said === "string" && said.trim() !== "" ? said : wording };
    },
  };
}

function old(node: SchemaNode, rule: Rule, value: unknown): unknown {
  const converted = value === undefined ? undefined : celValue(node, value);
  if (rule.optionalOldSelf !== true) return converted;
  return converted === undefined ? Optional.none() : Optional.of(converted);
}

type Parsed = (context: Record<string, unknown>) => unknown;

function parse(environment: Environment, text: string): Parsed | string {
  try {
    return environment.parse(text);
  } catch (error) {
    return firstLine(error);
  }
}

function evaluate(program: Parsed, context: Record<string, unknown>): { value?: unknown; error?: string } {
  try {
    return { value: program(context) };
  } catch (error) {
    return { error: firstLine(error).replace(/^No such key/, "no such key") };
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}

/** The library's integers are BigInt; whether 1 is an integer or a double only the schema can say. */
function celValue(node: SchemaNode | undefined, value: unknown): unknown {
  if (typeof value === "number") {
    return Number.isInteger(value) && node?.type !== "number" ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => celValue(node?.items, item));
  if (!isObject(value)) return value;
  const converted: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(value)) {
    const declared = node?.properties !== undefined && Object.hasOwn(node.properties, name);
    const member = celValue(node === undefined ? undefined : memberSchema(node, name), value[name]);
    converted[declared ? escapedName(name) : name] = member;
  }
  return converted;
}

/** Property names that are no CEL identifiers are spelled so in rules. */
function escapedName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  if (/^[A-Za-z0-9]+$/.test(name)) return name;
  return name
    .replace(/__/g, "__underscores__")
    .replace(/-/g, "__dash__")
    .replace(/\./g, "__dot__")
    .replace(/\//g, "__slash__");
}

const reserved: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

/** What rules may use: the library's own functions and those Kubernetes adds. */
export function ruleEnvironment(): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: true,
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
  });
  return environment;
}
