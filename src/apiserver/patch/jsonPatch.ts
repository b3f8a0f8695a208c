// JSON Patch (RFC 6902). The real server tells nobody which operation failed, and so do we.
import fastJsonPatch, { type Operation } from "fast-json-patch";
import { goKind } from "./json.js";
import { type PatchInvalid, type PatchOutcome, undecodable } from "./outcome.js";

const rejected: PatchInvalid = {
  outcome: "invalid",
  code: 422,
  reason: "Invalid",
  message: "the server rejected our request due to an error in our request",
};

export function jsonPatch(target: unknown, operations: unknown): PatchOutcome {
  if (!Array.isArray(operations)) {
    return undecodable(
      `json: cannot unmarshal ${goKind(operations)} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  try {
    // Validated, on a copy, and with __proto__ forbidden.
    const { newDocument } = fastJsonPatch.applyPatch(target, operations as Operation[], true, false, true);
    return { outcome: "patched", object: newDocument };
  } catch {
    return rejected;
  }
}
