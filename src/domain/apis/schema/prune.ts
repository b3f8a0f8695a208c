// Drops what a schema does not know, and the nulls it does not allow.
import type { SchemaNode } from "./schema.js";
import { child, isObject, type Obj, setMember } from "./value.js";

export interface Pruned {
  readonly value: unknown;
  /** Where unknown fields were, as spec.items[0].q. */
  readonly unknown: readonly string[];
}

/**
 * The same reference comes back when there was nothing to drop. What is the very same in `passed` was here before under
 * the same schema, and stays as it is.
 */
export function prune(schema: SchemaNode, value: unknown, passed?: unknown): Pruned {
  const unknown: string[] = [];
  return { value: pruneValue(schema, value, "", unknown, passed), unknown };
}

function pruneValue(
  node: SchemaNode,
  value: unknown,
  path: string,
  unknown: string[],
  passed?: unknown,
): unknown {
  if (typeof value !== "object" || value === null || value === passed) return value;
  if (Array.isArray(value)) {
    const items = node.items;
    return items === undefined ? value : pruneList(items, value, path, unknown);
  }
  return isObject(value)
    ? pruneObject(node, value, path, unknown, isObject(passed) ? passed : undefined)
    : value;
}

function pruneList(items: SchemaNode, list: readonly unknown[], path: string, unknown: string[]) {
  let changed: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const item = list[index];
    const pruned = pruneValue(items, item, `${path}[${index}]`, unknown);
    if (pruned !== item) {
      changed ??= [...list];
      changed[index] = pruned;
    }
  }
  return changed ?? list;
}

function pruneObject(
  node: SchemaNode,
  object: Obj,
  path: string,
  unknown: string[],
  passed: Obj | undefined,
): Obj {
  // An int-or-string node given an object is a type error, which validation names better than we could.
  if (node["x-kubernetes-int-or-string"] === true) return object;
  let changed: Record<string, unknown> | undefined;
  const names = Object.keys(object);
  for (const name of names) {
    const member = object[name];
    const kept = keep(node, name, member, path, unknown, passed?.[name]);
    if (kept === member && member !== undefined) {
      if (changed !== undefined) setMember(changed, name, member);
      continue;
    }
    changed ??= copyBefore(object, names, name);
    if (kept !== undefined) setMember(changed, name, kept);
  }
  return changed ?? object;
}

/** The member as it may stay, or undefined when it may not. */
function keep(
  node: SchemaNode,
  name: string,
  member: unknown,
  path: string,
  unknown: string[],
  passed: unknown,
): unknown {
  const declared = node.properties !== undefined && Object.hasOwn(node.properties, name);
  const schema = declared ? node.properties?.[name] : node.additionalProperties;
  // Our own callers build objects in TypeScript, where an absent member may be spelled undefined.
  if (member === undefined) return undefined;
  if (schema === undefined) {
    if (node["x-kubernetes-preserve-unknown-fields"] === true) return member;
    if (node["x-kubernetes-embedded-resource"] === true && embeddedMembers.has(name)) return member;
    unknown.push(child(path, name));
    return undefined;
  }
  if (member === null) return allowsNull(schema) ? null : undefined;
  return typeof member === "object" ? pruneValue(schema, member, child(path, name), unknown, passed) : member;
}

const embeddedMembers: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

function allowsNull(node: SchemaNode): boolean {
  return node.nullable === true || isAnything(node);
}

/** A node that describes nothing but "keep it": null is as good a value as any there. */
function isAnything(node: SchemaNode): boolean {
  return node["x-kubernetes-preserve-unknown-fields"] === true && node.type === undefined;
}

function copyBefore(object: Obj, names: readonly string[], stop: string): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name of names) {
    if (name === stop) break;
    setMember(copy, name, object[name]);
  }
  return copy;
}
