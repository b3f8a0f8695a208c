// Objects as JSON or YAML. The YAML library is loaded only when it is needed.
import type { AnyObject } from "../api/resources.js";

export type ObjectFormat = "json" | "yaml";

export async function objectText(value: unknown, format: ObjectFormat): Promise<string> {
  if (format === "json") return `${JSON.stringify(value, undefined, 4)}\n`;
  const { stringify } = await import("yaml");
  return stringify(value, {
    aliasDuplicateObjects: false,
    lineWidth: 0,
    indentSeq: false,
    // Readers of YAML 1.1, kubectl among them, take a bare `on` or `no` for a truth value; this quotes them.
    version: "1.1",
  });
}

/** Who set which field is for machines; nobody reads it, so it is left out as kubectl does. */
export function withoutManagedFields<T extends Pick<AnyObject, "metadata">>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
