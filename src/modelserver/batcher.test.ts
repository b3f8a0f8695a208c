import { describe, expect, it } from "vitest";
import type { Predictions } from "./backend.js";
import { batcher } from "./batcher.js";

interface Item {
  readonly rows: number;
  readonly shape: string | undefined;
  readonly values: readonly number[];
}

const item = (values: readonly number[], shape = "w1"): Item => ({ rows: values.length, shape, values });
const loner = (values: readonly number[]): Item => ({ rows: values.length, shape: undefined, values });

/** A model that doubles, refuses 13, and is held until released. */
function heldModel() {
  const calls: number[][] = [];
  let release: (() => void)[] = [];
  return {
    calls,
    async run(batch: readonly Item[]): Promise<readonly Predictions[]> {
      const all = batch.flatMap(({ values }) => values);
      calls.push(all);
      await new Promise<void>((resolve) => release.push(resolve));
      if (all.includes(13)) throw new Error("13 is bad luck");
      return batch.map(({ values }) => values.map((value) => value * 2));
    },
    async finish() {
      // Until no call starts any more.
      for (let quiet = 0; quiet < 3; quiet++) {
        await new Promise((resolve) => setImmediate(resolve));
        if (release.length > 0) quiet = 0;
        for (const go of release) go();
        release = [];
      }
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("the batcher", () => {
  it("joins what queued while the previous call ran, and hands each its own rows", async () => {
    const model = heldModel();
    const { submit } = batcher(model, 100);
    const first = submit(item([1]));
    await turn();
    const others = [submit(item([2, 3])), submit(item([4]))];
    await model.finish();
    expect(await Promise.all([first, ...others])).toEqual([[2], [4, 6], [8]]);
    expect(model.calls).toEqual([[1], [2, 3, 4]]);
  });

  it("lets a bad row fail only the request that brought it", async () => {
    const model = heldModel();
    const { submit } = batcher(model, 100);
    const results = Promise.allSettled([submit(item([1])), submit(item([13])), submit(item([2]))]);
    await model.finish();
    expect(
      (await results).map((one) => (one.status === "fulfilled" ? one.value : one.reason.message)),
    ).toEqual([[2], "13 is bad luck", [4]]);
  });

  it("never mixes shapes, and leaves alone what has none", async () => {
    const model = heldModel();
    const { submit } = batcher(model, 100);
    const all = Promise.all([
      submit(item([1], "a")),
      submit(item([2], "b")),
      submit(item([3], "a")),
      submit(loner([4])),
      submit(loner([5])),
    ]);
    await model.finish();
    await all;
    expect(model.calls).toEqual([[1, 3], [2], [4], [5]]);
  });

  it("keeps a call within its bound, but takes a larger request whole", async () => {
    const model = heldModel();
    const { submit } = batcher(model, 3);
    const all = Promise.all([
      submit(item([1, 2])),
      submit(item([3, 4])),
      submit(item([5])),
      submit(item([6, 7, 8, 9])),
    ]);
    await model.finish();
    await all;
    expect(model.calls).toEqual([
      [1, 2],
      [3, 4, 5],
      [6, 7, 8, 9],
    ]);
  });
});
