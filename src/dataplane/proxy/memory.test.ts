import { describe, expect, it } from "vitest";
import { leastSpareBytes, mostSpareBytes, spareBytes } from "./limits.js";
import { Memory } from "./memory.js";

const from = Buffer.from(Array.from({ length: mostSpareBytes + 100 }, (_, index) => index % 251));

describe("copies of what was read", () => {
  it("are as it was, whatever their size", () => {
    const memory = new Memory();
    for (const length of [
      0,
      1,
      leastSpareBytes - 1,
      leastSpareBytes,
      16_384,
      16_385,
      65_535,
      mostSpareBytes,
    ]) {
      const copy = memory.copy(from, 7, 7 + length);
      expect(copy.equals(from.subarray(7, 7 + length)), String(length)).toBe(true);
      expect(copy.buffer).not.toBe(from.buffer);
    }
  });

  it("use again what was given back, and nothing else", () => {
    const memory = new Memory();
    const [one, other] = [memory.copy(from, 0, 40_000), memory.copy(from, 0, 40_000)];
    expect(one.buffer).not.toBe(other.buffer);
    memory.back([one]);
    const third = memory.copy(from, 1, 60_001);
    expect(third.buffer).toBe(one.buffer);
    expect(third.equals(from.subarray(1, 60_001))).toBe(true);
    expect(memory.copy(from, 0, 40_000).buffer).not.toBe(one.buffer);
    expect(other.equals(from.subarray(0, 40_000))).toBe(true);
  });

  it("fit in what they are given", () => {
    const memory = new Memory();
    const small = memory.copy(from, 0, leastSpareBytes);
    memory.back([small]);
    expect(memory.copy(from, 0, mostSpareBytes).buffer).not.toBe(small.buffer);
    expect(memory.copy(from, 0, 2 * (leastSpareBytes - 1)).buffer).toBe(small.buffer);
  });

  it("are kept up to a bound, and small ones not at all", () => {
    const memory = new Memory();
    const little = memory.copy(from, 0, 5_000);
    memory.back([little]);
    memory.copy(from, 1, 5_001);
    expect(little.equals(from.subarray(0, 5_000))).toBe(true);
    const count = spareBytes / mostSpareBytes;
    const copies = Array.from({ length: count + 5 }, () => memory.copy(from, 0, mostSpareBytes));
    memory.back(copies);
    const again = Array.from({ length: count + 5 }, () => memory.copy(from, 0, mostSpareBytes));
    const known = new Set(copies.map(({ buffer }) => buffer));
    expect(again.filter(({ buffer }) => known.has(buffer))).toHaveLength(count);
    expect(new Set(again.map(({ buffer }) => buffer)).size).toBe(count + 5);
  });
});
