// Built-in kinds store quantities in their canonical spelling; this finds and rewrites them all.

import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { SchemaNode } from "../schema/index.js";
import { canonicalQuantity, quantityRule } from "./quantity.js";

export interface Canonical<T> {
  /** The same reference when every quantity was canonical already. */
  readonly value: T;
  /** Where something stands that is no quantity. */
  readonly invalid: readonly string[];
}

export function canonicalQuantities<T>(schema: SchemaNode, value: T): Canonical<T> {
  const invalid: string[] = [];
  return { value: rewritten(schema, value, "", invalid) as T, invalid };
}

/** One error for each value that stands where a quantity should and is none. */
export function quantityErrors(schema: SchemaNode, value: unknown): readonly FieldError[] {
  const { invalid } = canonicalQuantities(schema, value);
  return invalid.map((path) => fieldErrors.invalid(path, "", quantityRule));
}

function rewritten(node: SchemaNode, value: unknown, path: string, invalid: string[]): unknown {
  if (node.format === "quantity") {
    if (typeof value !== "string" && typeof value !== "number") return value;
    const canonical = canonicalQuantity(value);
    if (canonical === undefined) invalid.push(path);
    return canonical ?? value;
  }
  if (typeof value !== "object" || value === null) return value;
  return Array.isArray(value)
    ? rewrittenList(node.items, value, path, invalid)
    : rewrittenMembers(node, value as { readonly [name: string]: unknown }, path, invalid);
}

function rewrittenList(
  items: SchemaNode | undefined,
  list: readonly unknown[],
  path: string,
  invalid: string[],
) {
  if (items === undefined) return list;
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const value = rewritten(items, list[index], `${path}[${index}]`, invalid);
    if (value === list[index]) continue;
    copy ??= [...list];
    copy[index] = value;
  }
  return copy ?? list;
}

function rewrittenMembers(
  node: SchemaNode,
  object: { readonly [name: string]: unknown },
  path: string,
  invalid: string[],
) {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(object)) {
    const own = node.properties !== undefined && Object.hasOwn(node.properties, name);
    const schema = own ? node.properties?.[name] : node.additionalProperties;
    if (schema === undefined) continue;
    const value = rewritten(schema, object[name], path === "" ? name : `${path}.${name}`, invalid);
    if (value === object[name]) continue;
    copy ??= { ...object };
    copy[name] = value;
  }
  return copy ?? object;
}
