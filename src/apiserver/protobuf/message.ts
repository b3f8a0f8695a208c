// From the bytes of one message to the object its schema describes.
import type { SchemaNode } from "../../domain/apis/schema/index.js";
import { isScalar, isZero, scalarOf, wellKnown } from "./scalar.js";
import { fieldsOf, Malformed, varintAt, type WireValue } from "./wire.js";

type Field =
  | { readonly is: "member"; readonly name: string; readonly node: SchemaNode; readonly keepZero: boolean }
  /** A message of its own on the wire whose members JSON shows among the parent's. */
  | { readonly is: "embedded"; readonly fields: Plan };

type Plan = Map<number, Field>;

/** What was worked out while reading one body. */
export type Plans = Map<SchemaNode, Plan>;

/** No real object nests deeper; a made-up one must not exhaust our stack. */
const depthLimit = 64;

export function decodeMessage(
  plans: Plans,
  node: SchemaNode,
  bytes: Uint8Array,
  depth = 0,
): Record<string, unknown> {
  if (depth > depthLimit) throw new Malformed("it nests too deep");
  const object: Record<string, unknown> = {};
  read(plans, planOf(plans, node), bytes, object, depth);
  return object;
}

function read(
  plans: Plans,
  plan: Plan,
  bytes: Uint8Array,
  into: Record<string, unknown>,
  depth: number,
): void {
  for (const [number, wire] of fieldsOf(bytes)) {
    const field = plan.get(number);
    // Unknown numbers are newer than our tables, and skipped as every protobuf reader skips them.
    if (field === undefined) continue;
    if (field.is === "embedded") {
      if (wire.type === "bytes") read(plans, field.fields, wire.bytes, into, depth);
    } else {
      readMember(plans, field, wire, into, depth);
    }
  }
}

type Member = Extract<Field, { is: "member" }>;

function readMember(
  plans: Plans,
  field: Member,
  wire: WireValue,
  into: Record<string, unknown>,
  depth: number,
): void {
  const { name, node } = field;
  if (isMap(node)) {
    into[name] ??= {};
    const map = into[name] as Record<string, unknown>;
    if (wire.type !== "bytes") throw new Malformed("a number stands where a message should");
    readEntry(plans, node.additionalProperties ?? {}, wire.bytes, map, depth);
  } else if (node.type === "array") {
    into[name] ??= [];
    const list = into[name] as unknown[];
    list.push(...itemsOf(plans, node.items ?? {}, wire, depth));
  } else {
    const value = decodedValue(plans, node, wire, depth);
    if (value === undefined || (isZero(value) && !field.keepZero)) return;
    into[name] = value;
  }
}

function isMap(node: SchemaNode): boolean {
  return node.type === "object" && node.properties === undefined && node.additionalProperties !== undefined;
}

function decodedValue(plans: Plans, node: SchemaNode, wire: WireValue, depth: number): unknown {
  if (isScalar(node)) return scalarOf(node, wire);
  if (wire.type !== "bytes") throw new Malformed("a number stands where a message should");
  const known = wellKnown(node, wire.bytes);
  return known === undefined ? decodeMessage(plans, node, wire.bytes, depth + 1) : known.value;
}

function itemsOf(plans: Plans, items: SchemaNode, wire: WireValue, depth: number): readonly unknown[] {
  const packed = wire.type === "bytes" && (items.type === "integer" || items.type === "boolean");
  if (!packed) return [decodedValue(plans, items, wire, depth)];
  const values: unknown[] = [];
  for (let at = 0; at < wire.bytes.length; ) {
    const { value, next } = varintAt(wire.bytes, at);
    values.push(scalarOf(items, { type: "varint", value }));
    at = next;
  }
  return values;
}

function readEntry(
  plans: Plans,
  values: SchemaNode,
  bytes: Uint8Array,
  into: Record<string, unknown>,
  depth: number,
): void {
  let key = "";
  let value: unknown = values.type === "string" ? "" : values.type === "array" ? [] : undefined;
  for (const [number, wire] of fieldsOf(bytes)) {
    if (number === 1) key = String(scalarOf({ type: "string" }, wire));
    else if (number === 2) value = entryValue(plans, values, wire, depth);
  }
  if (value !== undefined) {
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  }
}

/** A list as a map's value cannot be said in protobuf, so a message is wrapped around it. */
function entryValue(plans: Plans, values: SchemaNode, wire: WireValue, depth: number): unknown {
  if (values.type !== "array" || wire.type !== "bytes") return decodedValue(plans, values, wire, depth);
  const list: unknown[] = [];
  for (const [number, item] of fieldsOf(wire.bytes)) {
    if (number === 1) list.push(...itemsOf(plans, values.items ?? {}, item, depth));
  }
  return list;
}

function planOf(plans: Plans, node: SchemaNode): Plan {
  const known = plans.get(node);
  if (known !== undefined) return known;
  const plan: Plan = new Map();
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    const wire = property["x-drydock-wire"];
    if (wire === undefined) continue;
    let level = plan;
    for (const number of wire.at.slice(0, -1)) {
      const outer = level.get(number);
      const fields: Plan = outer?.is === "embedded" ? outer.fields : new Map();
      level.set(number, { is: "embedded", fields });
      level = fields;
    }
    // A required scalar is written by JSON clients even when it is zero, so it is kept here too.
    const keepZero = wire.keepZero === true || node.required?.includes(name) === true;
    level.set(wire.at.at(-1) as number, { is: "member", name, node: property, keepZero });
  }
  plans.set(node, plan);
  return plan;
}
