// JSON Patch (RFC 6902). The real server tells nobody which operation failed, and so do we.
import fastJsonPatch, { type Operation } from "fast-json-patch";
import { limits } from "../limits.js";
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
    let document = fastJsonPatch.deepClone(target);
    let copied = 0;
    for (const [index, operation] of (operations as readonly Operation[]).entries()) {
      // A copy of what holds the copy doubles it: a few dozen of those would fill any memory.
      if (operation.op === "copy") copied += sizeAt(document, operation.from);
      if (copied > limits.bodyBytes) return rejected;
      // Validated, and with __proto__ forbidden.
      document = fastJsonPatch.applyOperation(document, operation, true, true, true, index).newDocument;
    }
    return { outcome: "patched", object: document };
  } catch {
    return rejected;
  }
}

function sizeAt(document: unknown, pointer: string): number {
  return JSON.stringify(fastJsonPatch.getValueByPointer(document, pointer))?.length ?? 0;
}
