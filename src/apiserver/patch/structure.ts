// How a schema says a value is owned: whole, member by member, or item by item.
import { isObject, type Obj } from "./json.js";
import type { SchemaNode } from "./schemaNode.js";

export type Shape =
  | { readonly is: "whole" }
  | { readonly is: "members"; readonly object: Obj }
  | { readonly is: "items"; readonly list: readonly unknown[]; readonly identity: (item: unknown) => string };

const whole: Shape = { is: "whole" };

/** Lists are owned whole unless the schema says they are sets or maps; objects member by member unless it says atomic. */
export function shapeOf(node: SchemaNode | undefined, value: unknown): Shape {
  if (Array.isArray(value)) {
    const type = node?.["x-kubernetes-list-type"];
    if (node === undefined || (type !== "map" && type !== "set")) return whole;
    return { is: "items", list: value, identity: (item) => itemElement(node, item) };
  }
  if (!isObject(value) || node?.["x-kubernetes-map-type"] === "atomic") return whole;
  return { is: "members", object: value };
}

/** `k:{"name":"a"}` for an item of a map list, `v:"a"` for one of a set. */
export function itemElement(node: SchemaNode, item: unknown): string {
  if (node["x-kubernetes-list-type"] === "set") return `v:${JSON.stringify(item)}`;
  const keys = keyValues(node, item);
  return `k:${JSON.stringify(keys)}`;
}

/** Sorted by name; a key the item leaves out counts with its default. */
export function keyValues(node: SchemaNode, item: unknown): { readonly [key: string]: unknown } {
  const names = node["x-kubernetes-list-map-keys"] ?? [];
  const found: Record<string, unknown> = {};
  for (const name of names.length > 1 ? [...names].sort() : names) {
    const value = isObject(item) ? (item[name] ?? node.items?.properties?.[name]?.default) : undefined;
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** Items by identity; undefined when two share one, for then nobody can be told apart and the list is taken whole. */
export function byIdentity(shape: Extract<Shape, { is: "items" }>): ReadonlyMap<string, unknown> | undefined {
  const items = new Map<string, unknown>();
  for (const item of shape.list) items.set(shape.identity(item), item);
  return items.size === shape.list.length ? items : undefined;
}
