import type { Resource } from "../../domain/apis/kind.js";
import type { ManagedFieldsEntry } from "../../domain/apis/meta/meta.types.js";
import type { SchemaNode } from "../../domain/apis/schema/index.js";
export interface UpdateToTrack {
  readonly schema: SchemaNode;
  readonly before: Resource | undefined;
  readonly after: Resource;
  readonly manager: string;
  readonly apiVersion: string;
  readonly nowIso: string;
  readonly subresource: string;
  readonly operation: "Update" | "Apply";
}
export function trackUpdate(_update: UpdateToTrack): readonly ManagedFieldsEntry[] {
  throw new Error("not written yet");
}
