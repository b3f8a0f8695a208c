// What still keeps a namespace, in words for its status. Pure.
import type { Namespace } from "../../../domain/apis/core/namespace.types.js";
import { type Kind, qualifiedPlural } from "../../../domain/apis/kind.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import type { Remainder } from "../emptying.js";

type Verdict = readonly [type: string, isTrue: boolean, ifTrue: string, ifFalse: string, message: string];

/** The conditions of a namespace on its way out, with upstream's types and reasons. */
export function leavingConditions(
  namespace: Namespace,
  remainders: readonly Remainder[],
  troubles: readonly string[],
  nowMs: number,
) {
  const kinds = remainders.map(
    ({ kind, objects }) => `${nameOf(kind)} has ${objects.length} resource instances`,
  );
  const holders = countHolders(remainders);
  const held = holders.map(([finalizer, count]) => `${finalizer} in ${count} resource instances`);
  const verdicts: readonly Verdict[] = [
    [
      "NamespaceDeletionContentFailure",
      troubles.length > 0,
      "ContentDeletionFailed",
      "ContentDeleted",
      troubles.length > 0
        ? `Failed to delete all resource types, ${troubles.length} remaining: ${troubles.join(", ")}`
        : "All content successfully deleted, may be waiting on finalization",
    ],
    [
      "NamespaceContentRemaining",
      kinds.length > 0,
      "SomeResourcesRemain",
      "ContentRemoved",
      kinds.length > 0
        ? `Some resources are remaining: ${kinds.join(", ")}`
        : "All content successfully removed",
    ],
    [
      "NamespaceFinalizersRemaining",
      held.length > 0,
      "SomeFinalizersRemain",
      "ContentHasNoFinalizers",
      held.length > 0
        ? `Some content in the namespace has finalizers remaining: ${held.join(", ")}`
        : "All content-preserving finalizers finished",
    ],
  ];
  return verdicts.map(([type, isTrue, ifTrue, ifFalse, message]) => {
    const status = isTrue ? "True" : "False";
    const old = namespace.status?.conditions?.find((one) => one.type === type);
    return {
      type,
      status,
      lastTransitionTime: old?.status === status ? old.lastTransitionTime : isoSeconds(nowMs),
      reason: isTrue ? ifTrue : ifFalse,
      message,
    };
  });
}

function countHolders(remainders: readonly Remainder[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { objects } of remainders) {
    for (const finalizer of objects.flatMap((one) => one.metadata.finalizers ?? [])) {
      counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
}

// Upstream writes the core group as `pods.`, with nothing after the dot.
function nameOf(kind: Kind): string {
  return kind.group === "" ? `${kind.plural}.` : qualifiedPlural(kind);
}
