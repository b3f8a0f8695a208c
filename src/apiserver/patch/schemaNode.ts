import type { SchemaNode } from "../../domain/apis/schema/index.js";

export type { SchemaNode };

/** The schema of one member, declared or by additionalProperties. */
export function memberNode(node: SchemaNode | undefined, name: string): SchemaNode | undefined {
  if (node === undefined) return undefined;
  const { properties } = node;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return node.additionalProperties;
}
