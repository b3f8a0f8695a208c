// Small questions about JSON values that the schema walkers share.
import type { SchemaNode } from "./schema.js";

export type Obj = { readonly [name: string]: unknown };

export function isObject(value: unknown): value is Obj {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema's name for what a value is. */
export function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** Equal as JSON: the order of members does not count, and a member that is undefined is absent. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalJson(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  for (const name of Object.keys(a)) {
    if (!equalJson(a[name], Object.hasOwn(b, name) ? b[name] : undefined)) return false;
  }
  for (const name of Object.keys(b)) {
    if (b[name] !== undefined && (!Object.hasOwn(a, name) || a[name] === undefined)) return false;
  }
  return true;
}

/** The schema of one member of an object, declared or by additionalProperties. */
export function memberSchema(node: SchemaNode, name: string): SchemaNode | undefined {
  const properties = node.properties;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return node.additionalProperties;
}

/** `spec` + `a` is spec.a; an empty path is the object itself. */
export function child(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** A value as Go's %#v writes it, for the few messages that carry one. */
export function goSyntax(value: unknown): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (isObject(value)) {
    const members = Object.keys(value)
      .sort()
      .map((name) => `${JSON.stringify(name)}:${goSyntax(value[name])}`);
    return `map[string]interface {}{${members.join(", ")}}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Sets a member even when it is called __proto__: bodies come from strangers. */
export function setMember(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[name] = value;
  }
}
