import type { Resource } from "../../../domain/apis/kind.js";
import type { State } from "../state.js";

/** A namespace's objects of one kind as the next writer must count them: what is on its way to disk is there already. */
export function latestIn(state: State, id: string, namespace: string): readonly Resource[] {
  const collection = state.collection(id);
  const settled = collection.list({ namespace }).filter(({ key }) => !collection.isPending(key));
  const underWay = [...collection.pendingKeys()]
    .filter((key) => key.startsWith(`${namespace}/`))
    .flatMap((key) => collection.latest(key) ?? []);
  return [...settled, ...underWay].map(({ object }) => object);
}
