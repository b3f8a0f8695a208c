import type { SchemaNode } from "../schema/index.js";
export function canonicalQuantities(
  _schema: SchemaNode,
  _value: unknown,
): { readonly value: unknown; readonly invalid: readonly string[] } {
  throw new Error("not written yet");
}
