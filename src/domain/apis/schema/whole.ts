// Defaults and rules of a kind trust its type; a body that lacks what the type requires never reaches them.
import type { SchemaNode } from "./schema.js";
import { isObject, memberSchema } from "./value.js";

/** Whether everything required is there. What is missing, validateSchema names. */
export function isWhole(node: SchemaNode, value: unknown): boolean {
  if (Array.isArray(value)) {
    const items = node.items;
    return items === undefined || value.every((item) => isWhole(items, item));
  }
  if (!isObject(value)) return true;
  for (const name of node.required ?? []) if (value[name] === undefined) return false;
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (typeof member !== "object" || member === null) continue;
    const schema = memberSchema(node, name);
    if (schema !== undefined && !isWhole(schema, member)) return false;
  }
  return true;
}

/** Defaults that run on whole objects only; others pass unchanged. */
export function defaultsWhenWhole<T, C>(
  schema: SchemaNode,
  defaults: (object: T, context: C) => T,
): (object: T, context: C) => T {
  return (object, context) => (isWhole(schema, object) ? defaults(object, context) : object);
}

/** Rules that run on whole objects only: of others the missing parts are said already. */
export function rulesWhenWhole<T, C, E>(
  schema: SchemaNode,
  rules: (object: T, context: C) => readonly E[],
): (object: T, context: C) => readonly E[] {
  return (object, context) => (isWhole(schema, object) ? rules(object, context) : []);
}
