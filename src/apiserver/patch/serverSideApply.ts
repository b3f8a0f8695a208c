import type { Resource } from "../../domain/apis/kind.js";
import type { SchemaNode } from "../../domain/apis/schema/index.js";
import type { PatchInvalid } from "./outcome.js";
export interface ApplyRequest {
  readonly schema: SchemaNode;
  /** undefined when the object is to be created. */
  readonly live: Resource | undefined;
  readonly config: unknown;
  readonly manager: string;
  readonly apiVersion: string;
  readonly force: boolean;
  readonly nowIso: string;
  readonly subresource: string;
}
export interface ApplyConflict {
  readonly manager: string;
  /** `conflict with "alice"` or `conflict with "ed" using v1`: the cause's message. */
  readonly message: string;
  readonly field: string;
}
export type ApplyOutcome =
  | { readonly outcome: "applied"; readonly object: Resource }
  | { readonly outcome: "conflict"; readonly conflicts: readonly ApplyConflict[]; readonly message: string }
  | PatchInvalid;
export function serverSideApply(_request: ApplyRequest): ApplyOutcome {
  throw new Error("not written yet");
}
