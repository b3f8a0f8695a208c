// One condition's verdict, and how verdicts add up to Ready.
import type { Condition } from "./meta.types.js";

export type Judgement =
  | { readonly status: "True"; readonly reason?: string; readonly message?: string }
  | {
      readonly status: "False" | "Unknown";
      readonly reason: string;
      readonly message: string;
      /** How Ready tells it, where the documents give it another name there (a build that failed). */
      readonly inReady?: { readonly reason: string; readonly message: string };
    };

export const yes: Judgement = { status: "True" };

export function no(reason: string, message: string): Judgement {
  return { status: "False", reason, message };
}

export function unknown(reason: string, message = ""): Judgement {
  return { status: "Unknown", reason, message };
}

/** A child's condition as the parent's own: status, reason and message unchanged. Nothing known yet is Unknown. */
export function copied(condition: Condition | undefined, ifAbsent: Judgement = unknown("")): Judgement {
  if (condition === undefined) return ifAbsent;
  if (condition.status === "True") return yes;
  const status = condition.status === "False" ? "False" : "Unknown";
  return { status, reason: condition.reason ?? "", message: condition.message ?? "" };
}

/** True, and still with something to say: what the child says of it is passed on. */
export function noted(condition: Condition | undefined): Judgement {
  if (!condition?.reason) return yes;
  return { status: "True", reason: condition.reason, message: condition.message ?? "" };
}

export function conditionOf(
  object: { readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined },
  type: string,
): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** True only when the status speaks of the object's present generation. */
export function isReady(object: {
  readonly metadata: { readonly generation?: number | undefined };
  readonly status?:
    | {
        readonly observedGeneration?: number | undefined;
        readonly conditions?: readonly Condition[] | undefined;
      }
    | undefined;
}): boolean {
  return (
    object.status?.observedGeneration === object.metadata.generation &&
    conditionOf(object, "Ready")?.status === "True"
  );
}

/**
 * Ready is never marked by hand: it is the first False in causal order, else the first Unknown, else True
 * (error-conditions document; design.md, "Truth in status").
 */
export function deriveReady(inCausalOrder: readonly (Judgement | undefined)[]): Judgement {
  const failed = inCausalOrder.find((one) => one?.status === "False");
  if (failed !== undefined) return headline(failed);
  for (const one of inCausalOrder) {
    if (one === undefined) return unknown("");
    if (one.status === "Unknown") return headline(one);
  }
  return yes;
}

function headline(judged: Judgement): Judgement {
  if (judged.status === "True" || judged.inReady === undefined) return judged;
  return { status: judged.status, ...judged.inReady };
}

/**
 * The stored list after new verdicts: sorted by type; lastTransitionTime moves only when status changes.
 * Informational conditions carry severity Info and never count for Ready.
 */
export function withConditions(
  before: readonly Condition[],
  verdicts: ReadonlyMap<string, Judgement>,
  informational: ReadonlySet<string>,
  nowIso: string,
): readonly Condition[] {
  const known = new Map(before.map((condition) => [condition.type, condition]));
  for (const [type, verdict] of verdicts) {
    const old = known.get(type);
    known.set(type, {
      type,
      status: verdict.status,
      ...(informational.has(type) ? { severity: "Info" } : {}),
      lastTransitionTime: old?.status === verdict.status ? (old.lastTransitionTime ?? nowIso) : nowIso,
      ...(verdict.reason ? { reason: verdict.reason } : {}),
      ...(verdict.message ? { message: verdict.message } : {}),
    });
  }
  return [...known.values()].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}
