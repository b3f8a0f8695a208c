// Lists that are sets or maps may not hold the same item twice.
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { SchemaNode } from "./schema.js";
import { child, goSyntax, isObject, memberSchema } from "./value.js";

export function validateLists(errors: FieldError[], node: SchemaNode, value: unknown, path: string): void {
  if (Array.isArray(value)) {
    duplicates(errors, node, value, path);
    const items = node.items;
    if (items === undefined) return;
    for (let index = 0; index < value.length; index++) {
      validateLists(errors, items, value[index], `${path}[${index}]`);
    }
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      const member = value[name];
      if (typeof member !== "object" || member === null) continue;
      const schema = memberSchema(node, name);
      if (schema !== undefined) validateLists(errors, schema, member, child(path, name));
    }
  }
}

function duplicates(errors: FieldError[], node: SchemaNode, list: readonly unknown[], path: string): void {
  const type = node["x-kubernetes-list-type"];
  if (list.length < 2 || (type !== "set" && type !== "map")) return;
  const seen = new Set<string>();
  const reported = new Set<string>();
  for (const [index, item] of list.entries()) {
    const identity = type === "map" ? mapKeys(node, item) : item;
    const text = goSyntax(identity);
    if (!seen.has(text)) seen.add(text);
    else if (!reported.has(text)) {
      reported.add(text);
      const field = `${path}[${index}]`;
      errors.push(
        isObject(identity)
          ? { reason: "FieldValueDuplicate", field, message: `Duplicate value: ${text}` }
          : fieldErrors.duplicate(field, identity),
      );
    }
  }
}

function mapKeys(node: SchemaNode, item: unknown): unknown {
  if (!isObject(item)) return item;
  const keys: Record<string, unknown> = {};
  for (const key of node["x-kubernetes-list-map-keys"] ?? []) {
    if (item[key] !== undefined) keys[key] = item[key];
  }
  return keys;
}
