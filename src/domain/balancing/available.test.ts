import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ejectedForMs, type Holding, mayHold, pickFirstAvailable, pickRoundRobin } from "./index.js";

describe("pods that take so many at once", () => {
  const full = new Set(["a"]);
  const hasRoom = (pod: string) => !full.has(pod);

  it("the first with room, in order", () => {
    expect(pickFirstAvailable(["a", "b", "c"], hasRoom)).toBe("b");
    expect(pickFirstAvailable(["a"], hasRoom)).toBeUndefined();
  });

  it("each in turn, the full ones left out", () => {
    const pods = ["a", "b", "c"];
    const seen: string[] = [];
    let next = 0;
    for (let count = 0; count < 5; count += 1) {
      const at = pickRoundRobin(pods, next, hasRoom)!;
      seen.push(pods[at]!);
      next = at + 1;
    }
    expect(seen).toEqual(["b", "c", "b", "c", "b"]);
    expect(pickRoundRobin(["a"], 7, hasRoom)).toBeUndefined();
    expect(pickRoundRobin([], 0, hasRoom)).toBeUndefined();
  });
});

describe("a pod that refuses", () => {
  it("is left alone for longer each time, up to a bound", () => {
    const limits = { firstMs: 100, maxMs: 1_500 };
    expect([1, 2, 3, 4, 5, 500].map((refusals) => ejectedForMs(refusals, limits))).toEqual([
      100, 200, 400, 800, 1_500, 1_500,
    ]);
  });
});

describe("room to wait in", () => {
  const limits = { perRevision: 8, overall: { count: 10, bytes: 1_000 } };
  const held = (...counts: number[]): Holding[] => counts.map((count) => ({ count, bytes: count }));

  it("is for everybody while there is some", () => {
    expect(mayHold({ index: 0, bytes: 1 }, held(7, 2), limits)).toEqual({ kind: "yes" });
    expect(mayHold({ index: 0, bytes: 1 }, held(8, 0), limits)).toEqual({ kind: "no" });
  });

  it("is taken from whoever has the most", () => {
    expect(mayHold({ index: 0, bytes: 1 }, held(0, 8, 2), limits)).toEqual({ kind: "instead", of: 1 });
    expect(mayHold({ index: 1, bytes: 1 }, held(3, 7), limits)).toEqual({ kind: "no" });
  });

  it("is measured in bytes too", () => {
    const bytes = [
      { count: 1, bytes: 10 },
      { count: 2, bytes: 985 },
    ];
    expect(mayHold({ index: 0, bytes: 20 }, bytes, limits)).toEqual({ kind: "instead", of: 1 });
    expect(mayHold({ index: 1, bytes: 20 }, bytes, limits)).toEqual({ kind: "no" });
  });

  it("never lets a flood keep another from its equal share", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean()), { minLength: 50, maxLength: 400 }),
        (arrivals) => {
          const counts = [0, 0, 0, 0];
          // Revision 0 floods: three arrivals for each of the others'.
          for (const [who] of arrivals.flatMap((one) => [[0], [0], [0], one] as const)) {
            const verdict = mayHold({ index: who, bytes: 0 }, held(...counts), limits);
            if (verdict.kind === "no") continue;
            if (verdict.kind === "instead") counts[verdict.of]! -= 1;
            counts[who]! += 1;
            expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(10);
          }
          const asked = [0, 1, 2, 3].map((who) => arrivals.filter(([one]) => one === who).length);
          for (const who of [1, 2, 3]) expect(counts[who]).toBeGreaterThanOrEqual(Math.min(asked[who]!, 2));
        },
      ),
    );
  });
});
