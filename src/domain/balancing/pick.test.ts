import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pickLeastLoaded } from "./pick.js";

interface Pod {
  readonly load: number;
}
const load = (pod: Pod) => pod.load;
const pods = (max: number) =>
  fc.array(fc.record({ load: fc.integer({ min: 0, max: 3 }) }), { minLength: 1, maxLength: max });
const dice = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

describe("picking a pod", () => {
  it("takes one of the least loaded", () => {
    fc.assert(
      fc.property(pods(32), dice, (targets, roll) => {
        expect(pickLeastLoaded(targets, load, () => roll)?.load).toBe(Math.min(...targets.map(load)));
      }),
    );
  });

  it("breaks ties evenly", () => {
    const targets = [{ load: 1 }, { load: 0 }, { load: 0 }, { load: 2 }, { load: 0 }];
    const seen = [0, 1 / 3, 2 / 3].map((roll) =>
      targets.indexOf(pickLeastLoaded(targets, load, () => roll + 0.01)!),
    );
    expect(seen).toEqual([1, 2, 4]);
  });

  it("never takes the one that has just refused", () => {
    fc.assert(
      fc.property(pods(64), dice, fc.nat(), (targets, roll, at) => {
        const refused = targets[at % targets.length]!;
        const picked = pickLeastLoaded(targets, load, () => roll, refused);
        if (targets.length === 1) expect(picked).toBeUndefined();
        else expect(picked).not.toBe(refused);
      }),
    );
  });

  it("prefers the less loaded of two among very many", () => {
    const targets = Array.from({ length: 100 }, (_, index) => ({ load: index }));
    const rolls = [0.9, 0.1];
    expect(pickLeastLoaded(targets, load, () => rolls.shift()!)?.load).toBe(10);
  });

  it("has nothing to pick from nothing", () => {
    expect(pickLeastLoaded([], load, () => 0)).toBeUndefined();
  });
});
