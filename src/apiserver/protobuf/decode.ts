/**
 * Bodies of Go's typed clients: protobuf, read with the field numbers that the schemas carry
 * (kubernetes-api.md, "Protobuf bodies"). What comes out is the object as JSON would have said it.
 */
import type { SchemaNode } from "../../domain/apis/schema/index.js";
import { decodeMessage, type Plans } from "./message.js";
import { fieldsOf, Malformed } from "./wire.js";

export type DecodedProtobuf =
  | { readonly ok: true; readonly object: { readonly [name: string]: unknown } }
  | { readonly ok: false; readonly message: string };

/** Every body starts so: "k8s" and a zero. */
const magic = [0x6b, 0x38, 0x73, 0x00];

export function isProtobuf(body: Uint8Array): boolean {
  return magic.every((byte, index) => body[index] === byte);
}

export function decodeProtobuf(
  body: Uint8Array,
  schemaFor: (apiVersion: string, kind: string) => SchemaNode | undefined,
): DecodedProtobuf {
  if (!isProtobuf(body))
    return no("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  try {
    const { apiVersion, kind, raw, contentType } = envelopeOf(body.subarray(magic.length));
    if (contentType === "application/json") return json(raw);
    const schema = schemaFor(apiVersion, kind);
    if (schema === undefined)
      return no(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
    const plans: Plans = new Map();
    return { ok: true, object: { apiVersion, kind, ...decodeMessage(plans, schema, raw) } };
  } catch (problem) {
    if (problem instanceof Malformed) return no(`unable to decode the protobuf body: ${problem.message}`);
    throw problem;
  }
}

function no(message: string): DecodedProtobuf {
  return { ok: false, message };
}

interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
  readonly contentType: string;
}

function envelopeOf(bytes: Uint8Array): Envelope {
  const envelope = { apiVersion: "", kind: "", raw: new Uint8Array(), contentType: "" };
  for (const [number, value] of fieldsOf(bytes)) {
    if (value.type !== "bytes") continue;
    if (number === 2) envelope.raw = new Uint8Array(value.bytes);
    else if (number === 4) envelope.contentType = utf8(value.bytes);
    else if (number === 1) {
      for (const [inner, text] of fieldsOf(value.bytes)) {
        if (text.type !== "bytes") continue;
        if (inner === 1) envelope.apiVersion = utf8(text.bytes);
        else if (inner === 2) envelope.kind = utf8(text.bytes);
      }
    }
  }
  return envelope;
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function json(raw: Uint8Array): DecodedProtobuf {
  try {
    const object: unknown = JSON.parse(utf8(raw));
    if (typeof object === "object" && object !== null && !Array.isArray(object)) {
      return { ok: true, object: object as { readonly [name: string]: unknown } };
    }
  } catch {
    // Falls through to the one refusal for both.
  }
  return no("unable to decode the JSON within the protobuf body");
}
