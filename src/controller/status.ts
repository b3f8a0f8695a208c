// The report of one round: conditions and fields, compared with what is stored.
import type { Resource } from "../domain/apis/kind.js";
import { deriveReady, type Judgement, withConditions } from "../domain/apis/meta/judgement.js";
import type { Condition } from "../domain/apis/meta/meta.types.js";
import type { Reconciler, StatusReport } from "./reconciler.js";

type Status = { readonly [field: string]: unknown };

export interface RoundStatus extends StatusReport {
  /** The status to store, or undefined when nothing changed. */
  outcome(nowIso: string): Status | undefined;
}

export function roundStatus(object: Resource, { conditions }: Pick<Reconciler, "conditions">): RoundStatus {
  const before = (object as unknown as { readonly status?: Status }).status ?? {};
  const stored = (before["conditions"] as readonly Condition[] | undefined) ?? [];
  const verdicts = new Map<string, Judgement>();
  const cleared = new Set<string>();
  const fields = new Map<string, unknown>();

  function standing(type: string): Judgement | undefined {
    const marked = verdicts.get(type);
    if (marked !== undefined) return marked;
    if (cleared.has(type)) return undefined;
    const old = stored.find((condition) => condition.type === type);
    if (old === undefined) return undefined;
    return { status: old.status, reason: old.reason ?? "", message: old.message ?? "" } as Judgement;
  }

  return {
    mark: (type, verdict) => {
      cleared.delete(type);
      verdicts.set(type, verdict);
    },
    get: standing,
    clear: (type) => {
      verdicts.delete(type);
      cleared.add(type);
    },
    set: (more) => {
      for (const [field, value] of Object.entries(more)) fields.set(field, value);
    },
    outcome: (nowIso) => {
      const after: { [field: string]: unknown } = { ...before };
      for (const [field, value] of fields) {
        if (value === undefined) delete after[field];
        else after[field] = value;
      }
      if (conditions !== undefined) {
        const counting = conditions.ready.filter(
          (type) => standing(type) !== undefined || conditions.ifMarked?.includes(type) !== true,
        );
        verdicts.set("Ready", deriveReady(counting.map(standing)));
        const kept = stored.filter((condition) => !cleared.has(condition.type));
        after["conditions"] = withConditions(kept, verdicts, new Set(conditions.info ?? []), nowIso);
        after["observedGeneration"] = object.metadata.generation;
      }
      return same(before, after) ? undefined : after;
    },
  };
}

/** Equal as JSON, whatever the order of members; undefined members do not count. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((one, index) => same(one, b[index]));
  }
  const left = a as { readonly [key: string]: unknown };
  const right = b as { readonly [key: string]: unknown };
  for (const key in left) if (left[key] !== undefined && !same(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}
