import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeWindow } from "./window.js";

/** Writes as [second, value], the moment that is asked for, and the average then. */
type Row = readonly [
  name: string,
  seconds: number,
  writes: readonly (readonly [number, number])[],
  now: number,
  want: number,
];

describe("the linear average", () => {
  it.each<Row>([
    ["of nothing is nothing", 6, [], 100, 0],
    ["begins with the first second alone", 6, [[100, 7]], 100, 7],
    [
      "shares among the seconds since the first write",
      6,
      [
        [100, 6],
        [101, 0],
        [102, 3],
      ],
      102,
      3,
    ],
    [
      "adds up what several say in one second",
      6,
      [
        [100, 4],
        [100, 5],
      ],
      100,
      9,
    ],
    [
      "counts a gap shorter than the window as zero",
      6,
      [
        [100, 8],
        [103, 0],
      ],
      103,
      2,
    ],
    [
      "forgets what fell out of the ring",
      3,
      [
        [100, 9],
        [101, 3],
        [102, 3],
        [103, 3],
      ],
      103,
      3,
    ],
    [
      "waits while nobody writes: the seconds heard stay the divisor",
      10,
      [
        [100, 6],
        [101, 6],
      ],
      104,
      6,
    ],
    [
      "loses what grows too old in silence",
      4,
      [
        [100, 8],
        [101, 4],
        [102, 2],
        [103, 2],
      ],
      105,
      2,
    ],
    ["is nothing when the silence is as long as the window", 4, [[100, 8]], 104, 0],
    [
      "begins anew after such a silence",
      4,
      [
        [100, 8],
        [104, 3],
      ],
      104,
      3,
    ],
    [
      "takes a late word into its own second",
      6,
      [
        [102, 6],
        [100, 3],
      ],
      102,
      3,
    ],
    [
      "ignores what is older than the window",
      3,
      [
        [110, 5],
        [100, 999],
      ],
      110,
      5,
    ],
    [
      "asked for a moment before the last write is that of the last write",
      6,
      [
        [100, 4],
        [101, 2],
      ],
      99,
      3,
    ],
    [
      "is rounded to six places",
      6,
      [
        [100, 1],
        [101, 0],
        [102, 0],
      ],
      102,
      0.333333,
    ],
  ])("%s", (_name, seconds, writes, now, want) => {
    const window = makeWindow(seconds);
    for (const [second, value] of writes) window.record(second, value);
    expect(window.average(now)).toBe(want);
  });

  it("is empty only when the silence is longer than the window", () => {
    const window = makeWindow(6);
    expect(window.isEmpty(0)).toBe(true);
    window.record(100.9, 1);
    expect(window.isEmpty(106.9)).toBe(false);
    expect(window.isEmpty(107)).toBe(true);
  });

  it("keeps the newest when it shrinks, and all when it grows", () => {
    const window = makeWindow(4);
    for (const [second, value] of [
      [100, 1],
      [101, 2],
      [102, 3],
      [103, 4],
    ] as const)
      window.record(second, value);
    window.resize(2);
    expect(window.average(103)).toBe(3.5);
    window.resize(6);
    expect(window.average(103)).toBe(3.5);
    window.record(104, 1);
    expect(window.average(104)).toBeCloseTo(8 / 3, 6);
  });

  it("says what a list of all writes says", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 50 })), {
          maxLength: 60,
        }),
        fc.integer({ min: 0, max: 15 }),
        (size, steps, silence) => {
          const window = makeWindow(size);
          const heard: [number, number][] = [];
          let now = 1000;
          let first = 1000;
          for (const [step, value] of steps) {
            const last = heard.at(-1)?.[0];
            now += step;
            if (last === undefined || now - last >= size) first = now;
            window.record(now, value);
            heard.push([now, value]);
          }
          const last = heard.at(-1)?.[0] ?? 0;
          const at = now + silence;
          const sum = heard
            .filter(([second]) => second > at - size && second >= first)
            .reduce((total, [, value]) => total + value, 0);
          const divisor = Math.min(last - first + 1, size - (at - last));
          const want = heard.length === 0 || at - last >= size ? 0 : sum / divisor;
          expect(window.average(at)).toBeCloseTo(want, 5);
        },
      ),
    );
  });
});

describe("the weighted average", () => {
  it("weighs the newest second most, at least a fifth", () => {
    const window = makeWindow(60, "weighted-exponential");
    window.record(100, 10);
    expect(window.average(100)).toBeCloseTo(2, 6);
    expect(window.average(101)).toBeCloseTo(1.6, 6);
    window.record(101, 10);
    expect(window.average(101)).toBeCloseTo(3.6, 6);
  });

  it("has a coefficient that covers a short window", () => {
    const window = makeWindow(6, "weighted-exponential");
    for (let second = 100; second < 106; second += 1) window.record(second, 10);
    expect(window.average(105)).toBeCloseTo(10 * 0.9999, 6);
    expect(window.average(111)).toBe(0);
  });
});
