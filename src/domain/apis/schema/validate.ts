// Holds a value against a structural schema, in the API server's words (kubernetes-api.md, sections 11 and 15).
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { type SchemaCompiler, schemaCompiler } from "./compiler.js";
import { validateLists } from "./listTypes.js";
import { checkRules } from "./rules.js";
import { numberProblems, stringProblems } from "./scalars.js";
import type { SchemaNode } from "./schema.js";
import { child, equalJson, isObject, memberSchema, type Obj, typeOf } from "./value.js";

export interface ValidateOptions {
  /** Where the value sits in its object; empty for the object itself. */
  readonly path?: string;
  /** The value before, on updates: rules about changes need it. */
  readonly old?: unknown;
  /** What is the very same in here was found good before under the same schema, and is not looked at again. */
  readonly passed?: unknown;
  /** Keep one per set of schemas; without it patterns and rules are compiled anew on each call. */
  readonly compiler?: SchemaCompiler;
}

/** The schema first, then keys of lists, then (only if all that holds) the rules. */
export function validateSchema(
  schema: SchemaNode,
  value: unknown,
  options: ValidateOptions = {},
): readonly FieldError[] {
  const compiler = options.compiler ?? schemaCompiler();
  const path = options.path ?? "";
  const errors: FieldError[] = [];
  validateNode({ compiler, errors }, schema, value, path, options.passed);
  validateLists(errors, schema, value, path);
  if (!compiler.hasRules(schema)) return errors;
  if (errors.length > 0) return [...errors, rulesNotChecked];
  return checkRules(compiler, schema, value, options.old, path);
}

const rulesNotChecked: FieldError = {
  reason: "FieldValueInvalid",
  field: "<nil>",
  message:
    'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

interface Walk {
  readonly compiler: SchemaCompiler;
  readonly errors: FieldError[];
}

function validateNode(walk: Walk, node: SchemaNode, value: unknown, path: string, passed?: unknown): void {
  if (value === undefined || (value === null && node.nullable === true)) return;
  if (value === passed && typeof value === "object") return;
  const type = typeOf(value);
  if (!fits(node, type)) {
    const wanted = wantedTypes(node);
    walk.errors.push(
      fieldErrors.type(path, type, `${path} in body must be of type ${wanted}: ${JSON.stringify(type)}`),
    );
    return;
  }
  if (node.enum !== undefined && !node.enum.some((one) => equalJson(one, value))) {
    walk.errors.push(fieldErrors.notSupported(path, value, node.enum.map(allowed)));
  }
  if (typeof value === "string") walk.errors.push(...stringProblems(walk.compiler, node, value, path));
  else if (typeof value === "number") walk.errors.push(...numberProblems(node, value, path));
  else if (Array.isArray(value)) validateArray(walk, node, value, path);
  else if (isObject(value)) validateObject(walk, node, value, path, isObject(passed) ? passed : undefined);
  validateCombinations(walk, node, value, path);
}

function fits(node: SchemaNode, type: string): boolean {
  if (node["x-kubernetes-int-or-string"] === true) return type === "integer" || type === "string";
  if (node.type === undefined || node.type === type) return true;
  return node.type === "number" && type === "integer";
}

function wantedTypes(node: SchemaNode): string {
  return node["x-kubernetes-int-or-string"] === true ? "integer,string" : (node.type ?? "object");
}

function allowed(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function validateArray(walk: Walk, node: SchemaNode, list: readonly unknown[], path: string): void {
  if (node.maxItems !== undefined && list.length > node.maxItems) {
    walk.errors.push(fieldErrors.tooMany(path, list.length, node.maxItems));
  }
  if (node.minItems !== undefined && list.length < node.minItems) {
    walk.errors.push(
      fieldErrors.invalid(path, list.length, `${path} in body should have at least ${node.minItems} items`),
    );
  }
  if (
    node.uniqueItems === true &&
    list.some((one, index) => list.slice(0, index).some((b) => equalJson(one, b)))
  ) {
    walk.errors.push(fieldErrors.invalid(path, "", `${path} in body shouldn't contain duplicates`));
  }
  const items = node.items;
  if (items === undefined) return;
  for (let index = 0; index < list.length; index++)
    validateNode(walk, items, list[index], `${path}[${index}]`);
}

function validateObject(
  walk: Walk,
  node: SchemaNode,
  object: Obj,
  path: string,
  passed: Obj | undefined,
): void {
  const names = Object.keys(object);
  if (node.maxProperties !== undefined && names.length > node.maxProperties) {
    walk.errors.push(fieldErrors.tooMany(path, names.length, node.maxProperties));
  }
  if (node.minProperties !== undefined && names.length < node.minProperties) {
    walk.errors.push(
      fieldErrors.invalid(
        path,
        names.length,
        `${path} in body should have at least ${node.minProperties} properties`,
      ),
    );
  }
  for (const name of required(node)) {
    if (object[name] === undefined) walk.errors.push(fieldErrors.required(child(path, name)));
  }
  for (const name of names) {
    const schema = memberSchema(node, name);
    if (schema !== undefined) validateNode(walk, schema, object[name], child(path, name), passed?.[name]);
  }
}

function required(node: SchemaNode): readonly string[] {
  const named = node.required ?? [];
  if (node["x-kubernetes-embedded-resource"] !== true) return named;
  return [...new Set([...named, "apiVersion", "kind"])];
}

function validateCombinations(walk: Walk, node: SchemaNode, value: unknown, path: string): void {
  const problems = (schema: SchemaNode): readonly FieldError[] => {
    const errors: FieldError[] = [];
    validateNode({ compiler: walk.compiler, errors }, schema, value, path);
    return errors;
  };
  // int-or-string is commonly published with the same said again as anyOf.
  if (node.anyOf !== undefined && node["x-kubernetes-int-or-string"] !== true) {
    const tried = node.anyOf.map(problems);
    if (tried.every((errors) => errors.length > 0)) {
      walk.errors.push(combination(path, "must validate at least one schema (anyOf)"), ...best(tried));
    }
  }
  if (node.oneOf !== undefined) {
    const tried = node.oneOf.map(problems);
    const valid = tried.filter((errors) => errors.length === 0).length;
    if (valid !== 1) {
      const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
      walk.errors.push(combination(path, `must validate one and only one schema (oneOf). ${found}`));
      if (valid === 0) walk.errors.push(...best(tried));
    }
  }
  if (node.allOf !== undefined && node["x-kubernetes-int-or-string"] !== true) {
    const errors = node.allOf.flatMap(problems);
    if (errors.length > 0)
      walk.errors.push(combination(path, "must validate all the schemas (allOf)"), ...errors);
  }
  if (node.not !== undefined && problems(node.not).length === 0) {
    walk.errors.push(combination(path, "must not validate the schema (not)"));
  }
}

/** The real server loses the place of such an error too, and prints it as <nil>. */
function combination(path: string, what: string): FieldError {
  return fieldErrors.invalid("<nil>", "", `${JSON.stringify(path)} ${what}`);
}

/** The alternative that came closest, for its errors say most about what was meant. */
function best(tried: readonly (readonly FieldError[])[]): readonly FieldError[] {
  return tried.reduce((a, b) => (b.length < a.length ? b : a), tried[0] ?? []);
}
