/**
 * Whose is it? A selector's owner takes in what matches and has no controller, and lets go what matches no more.
 * What has another controller is not touched, whatever its labels say.
 */

import { ownedBy } from "../../controller/index.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import type { LabelSelector } from "../../domain/apis/meta/meta.types.js";
import { labelSelectorMatches } from "../../domain/apis/selectors/index.js";
import { type Client, isPortError } from "../../ports/index.js";
import { boundedly, firstError } from "./bounded.js";
import { requestsAtOnce } from "./limits.js";

export interface Claimant extends Resource {
  readonly spec?: { readonly selector?: LabelSelector | undefined } | undefined;
}

export interface Candidates<T> {
  /** The objects this owner controls. */
  readonly owned: readonly T[];
  /** Everything in its namespace that might match. */
  readonly around: readonly T[];
}

/** Resolves to what the owner controls once the claims are settled. */
export async function claim<O extends Claimant, T extends Resource>(
  client: Client,
  ownerKind: Kind<O>,
  owner: O,
  kind: Kind<T>,
  { owned, around }: Candidates<T>,
): Promise<readonly T[]> {
  const selector = owner.spec?.selector;
  const matches = (object: T): boolean => labelSelectorMatches(selector, object.metadata.labels);
  const going = (object: T): boolean => object.metadata.deletionTimestamp !== undefined;
  const kept = owned.filter(matches);
  const strays = owned.filter((object) => !matches(object) && !going(object));
  const orphans = around.filter((object) => isOrphan(object) && !going(object) && matches(object));
  if (strays.length === 0 && orphans.length === 0) return kept;

  // Our memory may lag: an owner that is gone, or is another one by now, must not take anything in.
  const key = { namespace: owner.metadata.namespace ?? "", name: owner.metadata.name };
  const fresh = await client.get(ownerKind, key);
  if (fresh?.metadata.uid !== owner.metadata.uid || fresh?.metadata.deletionTimestamp !== undefined) {
    return kept;
  }
  const settled = await boundedly([...orphans, ...strays], requestsAtOnce, async (object) => {
    const wish = isOrphan(object) ? taken(owner, object) : released(owner, object);
    try {
      return await client.update(kind, wish);
    } catch (error) {
      if (isPortError(error, "NotFound")) return undefined;
      throw error;
    }
  });
  const error = firstError(settled);
  if (error !== undefined) throw error;
  const adopted = settled
    .slice(0, orphans.length)
    .flatMap((one) => (one.status === "fulfilled" && one.value !== undefined ? [one.value] : []));
  return [...kept, ...adopted];
}

export function isOrphan(object: Resource): boolean {
  return !(object.metadata.ownerReferences ?? []).some((owner) => owner.controller === true);
}

function taken<T extends Resource>(owner: Resource, object: T): T {
  const theirs = (object.metadata.ownerReferences ?? []).filter((one) => one.uid !== owner.metadata.uid);
  const ours = ownedBy(owner, object).metadata.ownerReferences ?? [];
  return { ...object, metadata: { ...object.metadata, ownerReferences: [...theirs, ...ours] } };
}

function released<T extends Resource>(owner: Resource, object: T): T {
  const others = (object.metadata.ownerReferences ?? []).filter((one) => one.uid !== owner.metadata.uid);
  return { ...object, metadata: { ...object.metadata, ownerReferences: others } };
}
