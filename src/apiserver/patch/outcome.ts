import type { FieldError } from "../../domain/apis/meta/fieldError.js";
import type { PortErrorReason } from "../../ports/error.js";

/** A refusal in the shape of a Status: what the client did wrong, as a value. */
export interface PatchInvalid {
  readonly outcome: "invalid";
  readonly code: number;
  readonly reason: PortErrorReason;
  readonly message: string;
  readonly causes?: readonly FieldError[];
}

export type PatchOutcome = { readonly outcome: "patched"; readonly object: unknown } | PatchInvalid;

export function undecodable(message: string): PatchInvalid {
  return { outcome: "invalid", code: 400, reason: "BadRequest", message: `error decoding patch: ${message}` };
}

/** Upstream has no better word for these than a plain error, and a plain error is a 500. */
export function plainError(message: string): PatchInvalid {
  return { outcome: "invalid", code: 500, reason: "InternalError", message };
}
