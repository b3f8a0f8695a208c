// JSON merge patch (RFC 7396): null deletes, objects merge, everything else replaces.
import { goKind, isObject, type Obj, own, setMember } from "./json.js";
import { type PatchOutcome, undecodable } from "./outcome.js";

export function mergePatch(target: unknown, patch: unknown): PatchOutcome {
  if (!isObject(patch)) {
    return undecodable(
      `json: cannot unmarshal ${goKind(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return { outcome: "patched", object: merged(target, patch) };
}

/** Untouched parts are shared with the target, and the target itself comes back when nothing changed. */
function merged(target: unknown, patch: Obj): Obj {
  const before: Obj = isObject(target) ? target : {};
  let result: Record<string, unknown> | undefined = isObject(target) ? undefined : {};
  for (const name of Object.keys(patch)) {
    const wished = patch[name];
    const had = Object.hasOwn(before, name);
    if (wished === null) {
      if (!had) continue;
      result ??= { ...before };
      delete result[name];
      continue;
    }
    const value = isObject(wished) ? merged(own(before, name), wished) : wished;
    if (had && value === before[name]) continue;
    result ??= { ...before };
    setMember(result, name, value);
  }
  return result ?? before;
}
