// The words schemas are written in. Each returns plain structural schema; types are inferred from it.
import type { Infer, Json, JsonObject, Schema, SchemaNode, Wire } from "./schema.js";

type Options = Omit<SchemaNode, "type" | "properties" | "items" | "additionalProperties" | "required">;
type Properties = { readonly [name: string]: Schema };

type Shape<P extends Properties, R extends PropertyKey> = {
  readonly [K in keyof P as K extends R ? K : never]: Infer<P[K]>;
} & { readonly [K in keyof P as K extends R ? never : K]?: Infer<P[K]> | undefined };

export function str(options: Options = {}): Schema<string> {
  return { type: "string", ...options };
}

export function oneOfStrings<const V extends string>(values: readonly V[], options: Options = {}): Schema<V> {
  return { type: "string", enum: values, ...options };
}

export function int32(options: Options = {}): Schema<number> {
  return { type: "integer", format: "int32", ...options };
}

export function int64(options: Options = {}): Schema<number> {
  return { type: "integer", format: "int64", ...options };
}

export function double(options: Options = {}): Schema<number> {
  return { type: "number", format: "double", ...options };
}

export function bool(options: Options = {}): Schema<boolean> {
  return { type: "boolean", ...options };
}

/** Base64 text in JSON, raw bytes on the wire. */
export function bytes(options: Options = {}): Schema<string> {
  return { type: "string", format: "byte", ...options };
}

/** RFC 3339, whole seconds, Z. */
export function time(options: Options = {}): Schema<string> {
  return { type: "string", format: "date-time", ...options };
}

/** RFC 3339 with six decimals (Lease, Event). */
export function microTime(options: Options = {}): Schema<string> {
  return { type: "string", format: "micro-time", ...options };
}

/** A resource quantity such as 100m or 2Gi; numbers are accepted, text is kept. */
export function quantity(options: Options = {}): Schema<string> {
  return { "x-kubernetes-int-or-string": true, format: "quantity", ...options };
}

export function intOrString(options: Options = {}): Schema<number | string> {
  return { "x-kubernetes-int-or-string": true, ...options };
}

/** Anything at all, kept as it is. */
export function any(options: Options = {}): Schema<Json> {
  return { "x-kubernetes-preserve-unknown-fields": true, ...options };
}

/** An object whose members are not described, kept as they are. */
export function anyObject(options: Options = {}): Schema<JsonObject> {
  return { type: "object", "x-kubernetes-preserve-unknown-fields": true, ...options };
}

export function map<S extends Schema>(
  values: S,
  options: Options = {},
): Schema<{ readonly [key: string]: Infer<S> }> {
  return { type: "object", additionalProperties: values, ...options };
}

export function list<S extends Schema>(items: S, options: Options = {}): Schema<readonly Infer<S>[]> {
  return { type: "array", items, ...options };
}

/** A list merged by key, in server-side apply (all keys) and in strategic merge patch (the first). */
export function keyed<S extends Schema>(
  items: S,
  keys: readonly string[],
  options: Options = {},
): Schema<readonly Infer<S>[]> {
  const merge = keys[0] ?? "name";
  return {
    type: "array",
    items,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": keys,
    "x-kubernetes-patch-merge-key": merge,
    "x-kubernetes-patch-strategy": "merge",
    ...options,
  };
}

export function obj<P extends Properties, const R extends keyof P & string = never>(
  properties: P,
  options: Options & { readonly required?: readonly R[] } = {},
): Schema<Shape<P, R>> {
  return { type: "object", properties, ...options };
}

/** Puts a field at its number in the protobuf message. */
export function at<S extends Schema>(number: number, schema: S): S {
  return withWire(schema, { at: [number] });
}

/** The same for a pointer scalar: zero is a value there, not an absence. */
export function ptr<S extends Schema>(number: number, schema: S): S {
  return withWire(schema, { at: [number], keepZero: true });
}

/** The members of an embedded message, to be spread among the parent's properties. */
export function inline<P extends Properties>(number: number, message: { readonly fields: P }): P {
  const moved: Record<string, Schema> = {};
  for (const [name, schema] of Object.entries(message.fields)) {
    const wire = schema["x-drydock-wire"];
    moved[name] = wire === undefined ? schema : withWire(schema, { ...wire, at: [number, ...wire.at] });
  }
  return moved as P;
}

/** The fields of a message kept by name, so that another message can embed them. */
export function embeddable<const P extends Properties>(fields: P): { readonly fields: P } {
  return { fields };
}

export function described<S extends Schema>(schema: S, description: string): S {
  return { ...schema, description };
}

function withWire<S extends Schema>(schema: S, wire: Wire): S {
  return { ...schema, "x-drydock-wire": wire };
}
