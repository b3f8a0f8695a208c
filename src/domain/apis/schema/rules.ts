// Walks a value with its schema and runs the rules on the way.
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { SchemaCompiler } from "./compiler.js";
import type { Rule, SchemaNode } from "./schema.js";
import { child, goSyntax, isObject, memberSchema } from "./value.js";

export function checkRules(
  compiler: SchemaCompiler,
  node: SchemaNode,
  value: unknown,
  old: unknown,
  path: string,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  walk(compiler, errors, node, value, old, path);
  return errors;
}

function walk(
  compiler: SchemaCompiler,
  errors: FieldError[],
  node: SchemaNode,
  value: unknown,
  old: unknown,
  path: string,
): void {
  if (value === undefined || value === null || !compiler.hasRules(node)) return;
  for (const rule of node["x-kubernetes-validations"] ?? []) {
    const program = compiler.rule(node, rule);
    if (program.usesOldSelf && old === undefined && rule.optionalOldSelf !== true) continue;
    const result = program.run(value, old);
    if (result.outcome === "fails") errors.push(ruleError(node, rule, path, result.message));
  }
  if (Array.isArray(value)) {
    const items = node.items;
    if (items === undefined) return;
    const before = correlatedItems(node, old);
    for (const [index, item] of value.entries()) {
      walk(compiler, errors, items, item, before?.get(itemKey(node, item)), `${path}[${index}]`);
    }
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      const schema = memberSchema(node, name);
      if (schema === undefined) continue;
      const before = isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined;
      walk(compiler, errors, schema, value[name], before, child(path, name));
    }
  }
}

/** Only the items of map lists have a past: elsewhere an index says nothing about identity. */
function correlatedItems(node: SchemaNode, old: unknown): ReadonlyMap<string, unknown> | undefined {
  if (node["x-kubernetes-list-type"] !== "map" || !Array.isArray(old)) return undefined;
  return new Map(old.map((item) => [itemKey(node, item), item]));
}

function itemKey(node: SchemaNode, item: unknown): string {
  const keys = node["x-kubernetes-list-map-keys"] ?? [];
  return goSyntax(keys.map((key) => (isObject(item) ? item[key] : undefined)));
}

function ruleError(node: SchemaNode, rule: Rule, path: string, message: string): FieldError {
  const field = rule.fieldPath === undefined ? path : `${path}${dotted(rule.fieldPath, path)}`;
  const type = node["x-kubernetes-int-or-string"] === true ? "" : (node.type ?? "object");
  switch (rule.reason) {
    case "FieldValueForbidden":
      return fieldErrors.forbidden(field, message);
    case "FieldValueRequired":
      return fieldErrors.required(field, message);
    case "FieldValueDuplicate":
      return {
        ...fieldErrors.duplicate(field, type),
        message: `Duplicate value: ${JSON.stringify(type)}: ${message}`,
      };
    default:
      return fieldErrors.invalid(field, type, message);
  }
}

function dotted(fieldPath: string, path: string): string {
  return path === "" ? fieldPath.replace(/^\./, "") : fieldPath;
}
