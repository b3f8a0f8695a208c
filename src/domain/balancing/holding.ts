// Who may wait for a pod when room to wait is scarce.

export interface Holding {
  readonly count: number;
  readonly bytes: number;
}

export interface HoldLimits {
  readonly perRevision: number;
  readonly overall: Holding;
}

export type MayHold =
  | { readonly kind: "yes" }
  /** Nobody holds more than the one who asks. */
  | { readonly kind: "no" }
  /** There is room once the revision that holds the most gives up its newest. */
  | { readonly kind: "instead"; readonly of: number };

/**
 * Max-min fair: while there is room everybody gets it; after that only who holds less than the most gets any, and from
 * that one. So a flood towards one revision displaces itself and nobody else.
 */
export function mayHold(
  asks: { readonly index: number; readonly bytes: number },
  held: readonly Holding[],
  limits: HoldLimits,
): MayHold {
  const mine = held[asks.index] as Holding;
  if (mine.count >= limits.perRevision) return { kind: "no" };
  let count = 0;
  let bytes = 0;
  for (const one of held) {
    count += one.count;
    bytes += one.bytes;
  }
  const tooMany = count + 1 > limits.overall.count;
  const tooMuch = bytes + asks.bytes > limits.overall.bytes;
  if (!tooMany && !tooMuch) return { kind: "yes" };
  const size = (holding: Holding) => (tooMuch ? holding.bytes : holding.count);
  let most = asks.index;
  for (const [index, one] of held.entries()) if (size(one) > size(held[most] as Holding)) most = index;
  const after = size(mine) + (tooMuch ? asks.bytes : 1);
  return most !== asks.index && size(held[most] as Holding) >= after
    ? { kind: "instead", of: most }
    : { kind: "no" };
}
