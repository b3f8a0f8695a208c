/**
 * How many pods each ReplicaSet of a Deployment should have now. Pure: counts in, counts out.
 * Availability sets the pace: never fewer available pods than the strategy allows, never more pods in all.
 */
import type { Deployment, ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { type Bounds, boundsOf, isRecreate } from "./bounds.js";
import { byAge } from "./make.js";
import { desiredAnnotation, maxAnnotation } from "./names.js";

/** Sizes by ReplicaSet name; those not named stay as they are. */
export type Sizes = ReadonlyMap<string, number>;

/** The size was changed since the ReplicaSets were sized: that comes before any rolling. */
export function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  const wished = String(boundsOf(deployment).wished);
  return active(sets).some((set) => {
    const asked = set.metadata.annotations?.[desiredAnnotation];
    return asked !== undefined && asked !== wished;
  });
}

/** The size a new ReplicaSet may have beside the others. */
export function sizeOfNew(deployment: Deployment, present: number, oldSets: readonly ReplicaSet[]): number {
  const { wished, most } = boundsOf(deployment);
  if (present >= wished || isRecreate(deployment.spec)) return wished;
  const room = most - present - total(oldSets);
  return room <= 0 ? present : present + Math.min(room, wished - present);
}

/** One step of a rolling update. */
export function planRolling(
  deployment: Deployment,
  newSet: ReplicaSet,
  oldSets: readonly ReplicaSet[],
): Sizes {
  const { least } = boundsOf(deployment);
  const sizes = new Map<string, number>();
  const newSize = sizeOfNew(deployment, sizeOf(newSet), oldSets);
  sizes.set(newSet.metadata.name, newSize);

  // New pods that are not up yet must not be counted on, though old ones that are not up may go at once.
  const newUnavailable = newSize - availableOf(newSet);
  let budget = newSize + total(oldSets) - least - newUnavailable;
  const olds = [...oldSets].sort(byAge);
  for (const set of olds) {
    const idle = Math.min(Math.max(0, sizeOf(set) - availableOf(set)), Math.max(0, budget));
    budget -= idle;
    if (idle > 0) sizes.set(set.metadata.name, sizeOf(set) - idle);
  }
  if (budget <= 0) return sizes;

  const available = [newSet, ...oldSets].reduce((sum, set) => sum + availableOf(set), 0);
  let spare = Math.min(available - least, budget);
  for (const set of olds) {
    const size = sizes.get(set.metadata.name) ?? sizeOf(set);
    const down = Math.min(size, Math.max(0, spare));
    spare -= down;
    if (down > 0) sizes.set(set.metadata.name, size - down);
  }
  return sizes;
}

/** The wished size changed, or the Deployment is paused: share the change out, roll nothing. */
export function planScaling(
  deployment: Deployment,
  newSet: ReplicaSet | undefined,
  oldSets: readonly ReplicaSet[],
): Sizes {
  const bounds = boundsOf(deployment);
  const all = newSet === undefined ? oldSets : [newSet, ...oldSets];
  const live = active(all);
  if (live.length <= 1) {
    const only = live[0] ?? newSet ?? [...oldSets].sort(byAge).at(-1);
    return new Map(only === undefined ? [] : [[only.metadata.name, bounds.wished]]);
  }
  if (newSet !== undefined && isSaturated(newSet, bounds.wished)) {
    return new Map(oldSets.map((set) => [set.metadata.name, 0]));
  }
  return isRecreate(deployment.spec) ? new Map() : shared(deployment, live, bounds);
}

/** In proportion to what each has, the rest to the largest: a rollout under way keeps its ratio of old to new. */
function shared(deployment: Deployment, live: readonly ReplicaSet[], bounds: Bounds): Sizes {
  const toAdd = bounds.most - total(live);
  const largestFirst = [...live].sort(
    (a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)),
  );
  const sizes = new Map<string, number>();
  let added = 0;
  for (const set of largestFirst) {
    const most = Number(set.metadata.annotations?.[maxAnnotation]) || deployment.status?.replicas || 1;
    const share =
      bounds.wished === 0 ? -sizeOf(set) : Math.round((sizeOf(set) * bounds.most) / most) - sizeOf(set);
    const part = toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added);
    const change = toAdd === 0 || Math.sign(part) === -Math.sign(toAdd) ? 0 : part;
    added += change;
    sizes.set(set.metadata.name, sizeOf(set) + change);
  }
  const [first] = largestFirst;
  if (first !== undefined) {
    const size = sizes.get(first.metadata.name) ?? 0;
    sizes.set(first.metadata.name, Math.max(0, size + toAdd - added));
  }
  return sizes;
}

function isSaturated(set: ReplicaSet, wished: number): boolean {
  return (
    sizeOf(set) === wished &&
    set.metadata.annotations?.[desiredAnnotation] === String(wished) &&
    availableOf(set) === wished
  );
}

export function sizeOf({ spec }: ReplicaSet): number {
  return spec?.replicas ?? 0;
}

export function total(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + sizeOf(set), 0);
}

function availableOf({ status }: ReplicaSet): number {
  return status?.availableReplicas ?? 0;
}

function active(sets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  return sets.filter((set) => sizeOf(set) > 0);
}
