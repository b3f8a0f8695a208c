// The highest of the last while, without keeping what can no longer be it.

export interface Sample {
  readonly slot: number;
  readonly value: number;
}

/** Falling values, oldest and highest first, after one more. Within a slot the highest counts. */
export function slidingMax(
  samples: readonly Sample[],
  nowMs: number,
  value: number,
  spanMs: number,
  slotMs: number,
): readonly Sample[] {
  const slot = Math.floor(nowMs / slotMs);
  const slots = Math.max(1, Math.ceil(spanMs / slotMs));
  const kept = samples.filter((sample) => sample.value > value && sample.slot > slot - slots);
  // What fell in this slot before and is higher stands for it.
  return kept.at(-1)?.slot === slot ? kept : [...kept, { slot, value }];
}
