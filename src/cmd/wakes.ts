// When a request last found a Revision asleep: the beginning of the cold start of the pod that is made for it.
import type { Pod } from "../domain/apis/core/pod.types.js";
import { serving } from "../domain/apis/serving/keys.js";
import type { Clock, Key } from "../ports/index.js";

export interface Wakes {
  begun(key: Key): void;
  /** For the first pod made after it; undefined for one that nobody waited for. */
  ofPod(pod: Pod): number | undefined;
}

/** A pod seen later than this was made for another reason. */
const wakeWithinMs = 30_000;

export function followWakes(clock: Clock): Wakes {
  const wokenMs = new Map<string, number>();
  return {
    begun({ namespace, name }) {
      wokenMs.set(`${namespace}/${name}`, clock.now());
    },
    ofPod({ metadata }) {
      const key = `${metadata.namespace ?? ""}/${metadata.labels?.[serving.revision] ?? ""}`;
      const atMs = wokenMs.get(key);
      wokenMs.delete(key);
      return atMs !== undefined && clock.now() - atMs < wakeWithinMs ? atMs : undefined;
    },
  };
}
