import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chiSquare, criticalAt999 } from "../../../test/chiSquare.js";
import { dice } from "../../../test/world/dice.js";
import { chooseArm, makeSplit } from "./split.js";

const weights = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 8 });

describe("a split", () => {
  it("gives each arm exactly its share, and an arm of no weight nothing", () => {
    fc.assert(
      fc.property(weights, (list) => {
        const arms = list.map((weight, index) => ({ weight, index }));
        const split = makeSplit(arms);
        const total = list.reduce((sum, weight) => sum + weight, 0);
        if (total === 0) return split === undefined;
        // The dice go evenly through every whole weight, so counts must equal weights and not merely resemble them.
        const counts = list.map(() => 0);
        for (let roll = 0; roll < total; roll += 1) {
          const arm = chooseArm(split!, () => (roll + 0.5) / total);
          counts[arm.index] = (counts[arm.index] ?? 0) + 1;
        }
        expect(counts).toEqual(list);
        return true;
      }),
    );
  });

  it("stays inside its arms whatever the dice show", () => {
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (list, roll) => {
        const split = makeSplit(list.map((weight) => ({ weight })));
        if (split !== undefined) expect(chooseArm(split, () => roll).weight).toBeGreaterThan(0);
      }),
    );
  });

  it.each([[[50, 50]], [[90, 10]], [[99, 1]], [[1, 2, 3, 4]], [[70, 20, 5, 4, 1]]])(
    "of %j comes out so over 100,000 requests",
    (list) => {
      const split = makeSplit(list.map((weight, index) => ({ weight, index })));
      const random = dice(20_260_101);
      const counts = list.map(() => 0);
      const requests = 100_000;
      for (let request = 0; request < requests; request += 1) {
        const { index } = chooseArm(split!, random);
        counts[index] = (counts[index] ?? 0) + 1;
      }
      const total = list.reduce((sum, weight) => sum + weight, 0);
      expect(
        chiSquare(
          counts,
          list.map((weight) => (requests * weight) / total),
        ),
      ).toBeLessThan(criticalAt999[list.length - 1] as number);
    },
  );

  it("has no arms when nothing has weight", () => {
    expect(makeSplit([])).toBeUndefined();
    expect(makeSplit([{ weight: 0 }, { weight: Number.NaN }, { weight: -1 }])).toBeUndefined();
  });
});
