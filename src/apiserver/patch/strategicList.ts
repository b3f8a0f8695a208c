// Lists in a strategic merge patch: items matched by key, and the order they end up in.
import { goText, isObject, type Obj, own } from "./json.js";
import { badDirective, PatchProblem } from "./strategicProblem.js";

type MergeItem = (item: Obj, patch: Obj) => Obj;

/** `ordered` is the patch's own wish for the order; without it the patch's items come in the patch's order. */
export function mergeList(
  before: readonly unknown[],
  patch: readonly unknown[],
  key: string | undefined,
  ordered: readonly unknown[] | undefined,
  merge: MergeItem,
): readonly unknown[] {
  if (key === undefined) {
    const all = [...new Set([...before, ...patch])];
    return reordered(all, before, ordered ?? patch, undefined);
  }
  const { items, removed, replaces } = sorted(patch, key);
  if (replaces) return items;
  const result = before.filter((item) => !removed.has(identity(item, key)));
  for (const item of items) {
    const value = keyValue(item, key);
    const index = result.findIndex((one) => identity(one, key) === value);
    const found = result[index];
    if (isObject(found)) result[index] = merge(found, item);
    else result.push(merge({}, item));
  }
  return reordered(result, before, ordered ?? items, key);
}

/** Separates items from the directives between them. */
function sorted(patch: readonly unknown[], key: string) {
  const items: Obj[] = [];
  const removed = new Set<string>();
  let replaces = false;
  for (const item of patch) {
    if (!isObject(item))
      throw new PatchProblem(`map: ${goText(item)} does not contain declared merge key: ${key}`);
    if (!Object.hasOwn(item, "$patch")) items.push(item);
    else if (item["$patch"] === "delete") removed.add(keyValue(item, key));
    else if (item["$patch"] === "replace") replaces = true;
    else throw badDirective(item["$patch"], item);
  }
  return { items, removed, replaces };
}

function keyValue(item: Obj, key: string): string {
  if (own(item, key) === undefined) {
    throw new PatchProblem(`map: ${goText(item)} does not contain declared merge key: ${key}`);
  }
  return identity(item, key);
}

function identity(item: unknown, key: string | undefined): string {
  return goText(key !== undefined && isObject(item) ? own(item, key) : item);
}

/**
 * Items the patch speaks of stand in its order, the others in the order they had; the two are interleaved by the
 * order before. So what is new comes first.
 */
export function reordered(
  items: readonly unknown[],
  before: readonly unknown[],
  ordered: readonly unknown[],
  key: string | undefined,
): readonly unknown[] {
  const wishedPlace = places(ordered, key);
  const formerPlace = places(before, key);
  const place = (item: unknown, of: ReadonlyMap<string, number>) => of.get(identity(item, key));
  const spokenOf = items.filter((item) => place(item, wishedPlace) !== undefined);
  spokenOf.sort((a, b) => (place(a, wishedPlace) ?? 0) - (place(b, wishedPlace) ?? 0));
  const others = items.filter((item) => place(item, wishedPlace) === undefined);

  const result: unknown[] = [];
  let [next, other] = [0, 0];
  while (next < spokenOf.length && other < others.length) {
    const left = place(others[other], formerPlace);
    const right = place(spokenOf[next], formerPlace);
    if (left !== undefined && right !== undefined && left < right) result.push(others[other++]);
    else result.push(spokenOf[next++]);
  }
  return [...result, ...spokenOf.slice(next), ...others.slice(other)];
}

function places(items: readonly unknown[], key: string | undefined): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  items.forEach((item, index) => {
    const id = identity(item, key);
    if (!found.has(id)) found.set(id, index);
  });
  return found;
}
