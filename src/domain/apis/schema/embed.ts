import type { Schema, SchemaNode } from "./schema.js";

/** One object schema with the members of both. */
export function extend<A, B>(base: Schema<A>, more: Schema<B>): Schema<A & B> {
  const required = [...(base.required ?? []), ...(more.required ?? [])];
  return {
    ...base,
    ...more,
    properties: { ...base.properties, ...more.properties },
    ...(required.length === 0 ? {} : { required }),
  } as Schema<A & B>;
}

/**
 * A built-in piece as a custom resource embeds it: no defaults, no required members, no wire numbers, and
 * containers and ports as plain lists, because their keys may still be missing there.
 * Knative and KServe fill templates in with rules of their own (knative-serving.md, section 1.5).
 */
export function embedded<T>(schema: Schema<T>): Schema<T> {
  return relax(schema) as Schema<T>;
}

function relax(node: SchemaNode): SchemaNode {
  const { default: _default, required: _required, "x-drydock-wire": _wire, properties, ...rest } = node;
  const relaxed: SchemaNode = {
    ...rest,
    ...(node.items === undefined ? {} : { items: relax(node.items) }),
    ...(node.additionalProperties === undefined
      ? {}
      : { additionalProperties: relax(node.additionalProperties) }),
  };
  return properties === undefined ? relaxed : withLater(relaxed, () => mapValues(properties, relaxMember));
}

/** The members of a pod are many, and most programs never look at them here: they are made when first asked for. */
function withLater(node: SchemaNode, make: () => NonNullable<SchemaNode["properties"]>): SchemaNode {
  let made: SchemaNode["properties"];
  return Object.defineProperty(node, "properties", {
    get: () => {
      made ??= make();
      return made;
    },
    enumerable: true,
  });
}

const plainLists = new Set(["containers", "initContainers", "ports"]);

function relaxMember(node: SchemaNode, name: string): SchemaNode {
  const relaxed = relax(node);
  if (!plainLists.has(name)) return relaxed;
  const { "x-kubernetes-list-type": _type, "x-kubernetes-list-map-keys": _keys, ...plain } = relaxed;
  return plain;
}

function mapValues<A, B>(
  from: { readonly [key: string]: A },
  change: (value: A, key: string) => B,
): { readonly [key: string]: B } {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, change(value, key)]));
}
