// Values that are no messages, and the few messages that JSON shows as plain values.
import type { SchemaNode } from "../../domain/apis/schema/index.js";
import { fieldsOf, Malformed, type WireValue } from "./wire.js";

export function isScalar(node: SchemaNode): boolean {
  if (node.format === "date-time" || node.format === "micro-time") return false;
  return (
    node.type === "string" || node.type === "integer" || node.type === "number" || node.type === "boolean"
  );
}

export function isZero(value: unknown): boolean {
  return value === "" || value === 0 || value === false;
}

export function scalarOf(node: SchemaNode, wire: WireValue): unknown {
  switch (node.type) {
    case "integer":
      return Number(BigInt.asIntN(64, varint(wire)));
    case "boolean":
      return varint(wire) !== 0n;
    case "number": {
      if (wire.type !== "fixed64") throw new Malformed("a double is expected");
      return new DataView(wire.bytes.buffer, wire.bytes.byteOffset, 8).getFloat64(0, true);
    }
    default: {
      const bytes = bytesOf(wire);
      return node.format === "byte" ? Buffer.from(bytes).toString("base64") : text(bytes);
    }
  }
}

/** undefined for a message that stands for itself. An empty time is a value, and that value is "absent". */
export function wellKnown(node: SchemaNode, bytes: Uint8Array): { readonly value: unknown } | undefined {
  switch (node.format) {
    case "date-time":
      return { value: timeOf(bytes, false) };
    case "micro-time":
      return { value: timeOf(bytes, true) };
    case "quantity":
      return { value: text(memberBytes(bytes, 1) ?? new Uint8Array()) };
    case "fields-v1":
      return { value: parsed(memberBytes(bytes, 1)) };
  }
  if (node["x-kubernetes-int-or-string"] === true) return { value: intOrString(bytes) };
  const describesNothing = node.properties === undefined && node.additionalProperties === undefined;
  if (node["x-kubernetes-preserve-unknown-fields"] === true && describesNothing) {
    return { value: parsed(memberBytes(bytes, 1)) };
  }
  return undefined;
}

function timeOf(bytes: Uint8Array, micro: boolean): string | undefined {
  let seconds = 0;
  let nanos = 0;
  for (const [number, wire] of fieldsOf(bytes)) {
    if (number === 1) seconds = Number(BigInt.asIntN(64, varint(wire)));
    else if (number === 2) nanos = Number(BigInt.asIntN(32, varint(wire)));
  }
  // An empty message, and the year 1 that Go's zero time is.
  if ((seconds === 0 && nanos === 0) || seconds <= -62_135_596_800) return undefined;
  const whole = rfc3339(seconds);
  if (!micro) return whole;
  return whole.replace("Z", `.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`);
}

function rfc3339(seconds: number): string {
  // A Date made from a number is arithmetic, not a look at the clock.
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw new Malformed("a time is out of range");
  return `${date.toISOString().slice(0, -5)}Z`;
}

function intOrString(bytes: Uint8Array): number | string {
  let isText = false;
  let number = 0;
  let string = "";
  for (const [field, wire] of fieldsOf(bytes)) {
    if (field === 1) isText = varint(wire) === 1n;
    else if (field === 2) number = Number(BigInt.asIntN(32, varint(wire)));
    else if (field === 3) string = text(bytesOf(wire));
  }
  return isText ? string : number;
}

function memberBytes(bytes: Uint8Array, wanted: number): Uint8Array | undefined {
  for (const [number, wire] of fieldsOf(bytes)) if (number === wanted) return bytesOf(wire);
  return undefined;
}

function parsed(raw: Uint8Array | undefined): unknown {
  if (raw === undefined || raw.length === 0) return undefined;
  try {
    return JSON.parse(text(raw));
  } catch {
    throw new Malformed("the JSON within a field cannot be read");
  }
}

function varint(wire: WireValue): bigint {
  if (wire.type !== "varint") throw new Malformed("a number is expected");
  return wire.value;
}

function bytesOf(wire: WireValue): Uint8Array {
  if (wire.type !== "bytes") throw new Malformed("bytes are expected");
  return wire.bytes;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
