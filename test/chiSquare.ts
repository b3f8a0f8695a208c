// Whether counts are what chance makes of the shares they should have.

export function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, index) => {
    const want = expected[index] as number;
    return sum + (count - want) ** 2 / want;
  }, 0);
}

/** By degrees of freedom: what an honest split exceeds once in a thousand times. */
export const criticalAt999: readonly number[] = [0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32];
