// Many requests, only so many at once.

/** Runs all, some at a time; gives back what each came to, in order. Never rejects. */
export async function boundedly<A, B>(
  items: readonly A[],
  atOnce: number,
  run: (item: A) => Promise<B>,
): Promise<readonly PromiseSettledResult<B>[]> {
  const results: PromiseSettledResult<B>[] = [];
  let next = 0;
  async function work(): Promise<void> {
    while (next < items.length) {
      const index = next;
      next += 1;
      try {
        results[index] = { status: "fulfilled", value: await run(items[index] as A) };
      } catch (reason) {
        results[index] = { status: "rejected", reason };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}

/** The first error among results, or undefined. */
export function firstError(results: readonly PromiseSettledResult<unknown>[]): unknown {
  return results.find((result) => result.status === "rejected")?.reason;
}
