// Which arm of a weighted split one request takes. Weights are whatever the route says; only their ratios count.

export interface Weighted {
  readonly weight: number;
}

/** The arms that can be chosen, each with the upper edge of its share of [0, total). */
export interface Split<T> {
  readonly arms: readonly T[];
  readonly edges: readonly number[];
  readonly total: number;
}

/** Arms of no weight are left out, so no roll of the dice can ever land on one. Nothing left is no split. */
export function makeSplit<T extends Weighted>(arms: readonly T[]): Split<T> | undefined {
  const chosen = arms.filter((arm) => Number.isFinite(arm.weight) && arm.weight > 0);
  const edges: number[] = [];
  let total = 0;
  for (const arm of chosen) {
    total += arm.weight;
    edges.push(total);
  }
  return total > 0 ? { arms: chosen, edges, total } : undefined;
}

/** One roll of the dice, one arm: each is chosen in exactly the share its weight has of the total. */
export function chooseArm<T>(split: Split<T>, random: () => number): T {
  const { arms, edges } = split;
  const last = arms.length - 1;
  if (last > 0) {
    const roll = random() * split.total;
    for (let index = 0; index < last; index += 1) {
      if (roll < (edges[index] as number)) return arms[index] as T;
    }
  }
  return arms[last] as T;
}
