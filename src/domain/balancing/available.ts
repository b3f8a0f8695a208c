// Policies for pods that take so many requests and no more (Knative's containerConcurrency).

/** One to three at a time: the first pod, by address, with room. The others stay empty and may be taken away. */
export function pickFirstAvailable<T>(targets: readonly T[], hasRoom: (target: T) => boolean): T | undefined {
  for (const target of targets) if (hasRoom(target)) return target;
  return undefined;
}

/** More than three: each pod in its turn, beginning at `from`, those that are full left out. */
export function pickRoundRobin<T>(
  targets: readonly T[],
  from: number,
  hasRoom: (target: T) => boolean,
): number | undefined {
  for (let step = 0; step < targets.length; step += 1) {
    const at = (from + step) % targets.length;
    if (hasRoom(targets[at] as T)) return at;
  }
  return undefined;
}
