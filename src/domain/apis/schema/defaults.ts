// Fills in what a schema says is meant when nothing is said.
import type { SchemaCompiler } from "./compiler.js";
import type { SchemaNode } from "./schema.js";
import { isObject, memberSchema, type Obj, setMember } from "./value.js";

/**
 * A default applies where its parent object exists, so a parent's own default of {} lets its members' defaults in.
 * The same reference comes back when nothing was missing.
 */
export function applyDefaults(schema: SchemaNode, value: unknown, compiler?: SchemaCompiler): unknown {
  if (compiler !== undefined && !compiler.hasDefaults(schema)) return value;
  if (Array.isArray(value))
    return schema.items === undefined ? value : listDefaults(schema.items, value, compiler);
  return isObject(value) ? objectDefaults(schema, value, compiler) : value;
}

function listDefaults(items: SchemaNode, list: readonly unknown[], compiler: SchemaCompiler | undefined) {
  let changed: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const item = list[index];
    const filled = applyDefaults(items, item, compiler);
    if (filled !== item) {
      changed ??= [...list];
      changed[index] = filled;
    }
  }
  return changed ?? list;
}

function objectDefaults(node: SchemaNode, object: Obj, compiler: SchemaCompiler | undefined): Obj {
  let changed: Record<string, unknown> | undefined;
  for (const name of Object.keys(object)) {
    const member = object[name];
    // Scalars have nothing inside to fill in.
    if (typeof member !== "object" || member === null) continue;
    const schema = memberSchema(node, name);
    if (schema === undefined) continue;
    const filled = applyDefaults(schema, member, compiler);
    if (filled !== member) {
      changed ??= { ...object };
      setMember(changed, name, filled);
    }
  }
  const properties = node.properties;
  if (properties === undefined) return changed ?? object;
  for (const name of Object.keys(properties)) {
    const property = properties[name] as SchemaNode;
    if (property.default === undefined || Object.hasOwn(object, name)) continue;
    changed ??= { ...object };
    // A copy: two objects must never share what one of them may be asked to change.
    setMember(changed, name, applyDefaults(property, structuredCopy(property.default), compiler));
  }
  return changed ?? object;
}

function structuredCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCopy);
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) setMember(copy, name, structuredCopy(value[name]));
  return copy;
}
