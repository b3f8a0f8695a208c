// Writes objects as Go's typed clients do, from the numbers in the schemas: the other half of the reader under test.
import type { SchemaNode } from "../../src/domain/apis/schema/index.js";
import type { Bag } from "./values.js";

/** Whether Go's clients have a message for it: all members but the first two have numbers. */
export function hasMessage(schema: SchemaNode): boolean {
  return Object.entries(schema.properties ?? {}).every(
    ([name, node]) => name === "apiVersion" || name === "kind" || node["x-drydock-wire"] !== undefined,
  );
}

export function protobufBody(schema: SchemaNode, object: Bag): Uint8Array {
  const type = Buffer.concat([lengthy(1, utf8(object["apiVersion"])), lengthy(2, utf8(object["kind"]))]);
  return Buffer.concat([Buffer.from("k8s\0"), lengthy(1, type), lengthy(2, message(schema, object))]);
}

/** What is left of an object in protobuf: zeros that are no pointers, and empty lists and maps, leave no trace. */
export function asProtobufSays(node: SchemaNode, value: unknown): unknown {
  if (node.format === "quantity") return String(value);
  if (Array.isArray(value)) return value.map((item) => asProtobufSays(node.items ?? {}, item));
  if (typeof value !== "object" || value === null || isOpaque(node)) return value;
  const said: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const schema = node.properties?.[name];
    if (schema === undefined) {
      said.push([name, asProtobufSays(node.additionalProperties ?? {}, member)]);
      continue;
    }
    const keeps = schema["x-drydock-wire"]?.keepZero === true || node.required?.includes(name) === true;
    const isEmpty = isBare(schema) ? Object.keys(member as object).length === 0 : isZero(member) && !keeps;
    if (!isEmpty) said.push([name, asProtobufSays(schema, member)]);
  }
  return Object.fromEntries(said);
}

function isZero(value: unknown): boolean {
  return value === "" || value === 0 || value === false;
}

/** Lists and maps are their items, and nothing of themselves. */
function isBare(node: SchemaNode): boolean {
  return node.type === "array" || (node.properties === undefined && node.additionalProperties !== undefined);
}

function isOpaque(node: SchemaNode): boolean {
  return node["x-kubernetes-preserve-unknown-fields"] === true && node.properties === undefined;
}

interface Placed {
  readonly at: readonly number[];
  readonly node: SchemaNode;
  readonly value: unknown;
}

function message(node: SchemaNode, object: Bag): Buffer {
  const placed = Object.entries(object).flatMap(([name, value]): readonly Placed[] => {
    const schema = node.properties?.[name];
    const wire = schema?.["x-drydock-wire"];
    return schema === undefined || wire === undefined ? [] : [{ at: wire.at, node: schema, value }];
  });
  return nested(placed);
}

/** Members that stand deeper on the wire than in JSON share one message there. */
function nested(placed: readonly Placed[]): Buffer {
  const outer = new Map<number, Placed[]>();
  const parts: Buffer[] = [];
  for (const one of placed) {
    const [number = 0, ...rest] = one.at;
    if (rest.length === 0) parts.push(member(number, one.node, one.value));
    else outer.set(number, [...(outer.get(number) ?? []), { ...one, at: rest }]);
  }
  for (const [number, inner] of outer) parts.push(lengthy(number, nested(inner)));
  return Buffer.concat(parts);
}

function member(number: number, node: SchemaNode, value: unknown): Buffer {
  if (node.type === "array")
    return Buffer.concat((value as unknown[]).map((item) => single(number, node.items ?? {}, item)));
  if (!isBare(node)) return single(number, node, value);
  const values = node.additionalProperties ?? {};
  const entries = Object.entries(value as Bag).map(([key, item]) =>
    lengthy(number, Buffer.concat([lengthy(1, utf8(key)), entryValue(values, item)])),
  );
  return Buffer.concat(entries);
}

/** A list cannot be a map's value, so a message is wrapped around it. */
function entryValue(values: SchemaNode, item: unknown): Buffer {
  return values.type === "array" ? lengthy(2, member(1, values, item)) : single(2, values, item);
}

function single(number: number, node: SchemaNode, value: unknown): Buffer {
  if (node.format === "date-time" || node.format === "micro-time")
    return lengthy(number, time(String(value)));
  if (node.format === "quantity") return lengthy(number, lengthy(1, utf8(value)));
  if (node["x-kubernetes-int-or-string"] === true) return lengthy(number, intOrString(value));
  if (isOpaque(node)) return lengthy(number, lengthy(1, utf8(JSON.stringify(value))));
  switch (node.type) {
    case "integer":
      return Buffer.concat([tag(number, 0), varint(BigInt(value as number))]);
    case "boolean":
      return Buffer.concat([tag(number, 0), varint(value === true ? 1n : 0n)]);
    case "number": {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value as number);
      return Buffer.concat([tag(number, 1), bytes]);
    }
    case "string":
      return lengthy(number, node.format === "byte" ? Buffer.from(String(value), "base64") : utf8(value));
    default:
      return lengthy(number, message(node, value as Bag));
  }
}

function time(text: string): Buffer {
  const seconds = BigInt(Math.floor(Date.parse(text) / 1000));
  const micros = /\.(\d{6})Z$/.exec(text)?.[1];
  const whole = Buffer.concat([tag(1, 0), varint(seconds)]);
  return micros === undefined ? whole : Buffer.concat([whole, tag(2, 0), varint(BigInt(micros) * 1000n)]);
}

function intOrString(value: unknown): Buffer {
  if (typeof value === "number")
    return Buffer.concat([tag(1, 0), varint(0n), tag(2, 0), varint(BigInt(value))]);
  return Buffer.concat([tag(1, 0), varint(1n), lengthy(3, utf8(value))]);
}

function lengthy(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([tag(number, 2), varint(BigInt(bytes.length)), bytes]);
}

function tag(number: number, type: number): Buffer {
  return varint(BigInt((number << 3) | type));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

function utf8(value: unknown): Buffer {
  return Buffer.from(String(value));
}
