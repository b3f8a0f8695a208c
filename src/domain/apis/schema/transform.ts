// A schema with something taken out everywhere, for where a kind embeds pieces of another.
import type { SchemaNode } from "./schema.js";

/** For templates that must stay as the user wrote them until they become the real thing. */
export function withoutDefaults<S extends SchemaNode>(schema: S): S {
  return without(schema, ["default"]);
}

/** For custom kinds, which have no protobuf form. */
export function withoutWire<S extends SchemaNode>(schema: S): S {
  return without(schema, ["x-drydock-wire"]);
}

function without<S extends SchemaNode>(schema: S, names: readonly (keyof SchemaNode)[]): S {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (names.includes(name as keyof SchemaNode)) continue;
    copy[name] = within(name, value, names);
  }
  return copy as S;
}

function within(name: string, value: unknown, names: readonly (keyof SchemaNode)[]): unknown {
  switch (name) {
    case "properties": {
      const copy: Record<string, SchemaNode> = {};
      for (const [property, schema] of Object.entries(value as { readonly [name: string]: SchemaNode })) {
        copy[property] = without(schema, names);
      }
      return copy;
    }
    case "items":
    case "additionalProperties":
    case "not":
      return typeof value === "object" ? without(value as SchemaNode, names) : value;
    case "allOf":
    case "anyOf":
    case "oneOf":
      return (value as readonly SchemaNode[]).map((schema) => without(schema, names));
    default:
      return value;
  }
}
