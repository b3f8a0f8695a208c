import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PodSchema } from "../core/pod.types.js";
import {
  addQuantities,
  asMilli,
  asNumber,
  canonicalQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
} from "./index.js";

describe("canonicalQuantity", () => {
  it.each<[string | number, string | undefined]>([
    ["0.1", "100m"],
    ["1000m", "1"],
    ["1.5", "1500m"],
    ["00.50", "500m"],
    ["123456789n", "124m"],
    ["0.0001", "1m"],
    ["1u", "1m"],
    ["1000", "1k"],
    ["1000k", "1M"],
    ["1024", "1024"],
    ["1e3", "1e3"],
    ["12e-1", "1200e-3"],
    ["1KI", undefined],
    ["1024Mi", "1Gi"],
    ["1000Mi", "1000Mi"],
    ["1.5Gi", "1536Mi"],
    ["2048Ki", "2Mi"],
    ["1.5Ki", "1536"],
    ["+2", "+2"],
    ["-2000", "-2k"],
    ["1E", "1E"],
    [2, "2"],
    ["0", "0"],
    ["", undefined],
    [".", undefined],
    ["1..2", undefined],
    ["abc", undefined],
  ])("%s is %s", (given, want) => {
    expect(canonicalQuantity(given)).toBe(want);
  });
});

it.each([
  ["1Gi", 1_073_741_824, 1_073_741_824_000],
  ["100m", 0.1, 100],
  ["1", 1, 1000],
  ["1n", 1e-9, 1],
])("%s as numbers", (text, number, milli) => {
  expect(asNumber(text)).toBeCloseTo(number, 12);
  expect(asMilli(text)).toBe(milli);
});

it.each([
  ["1Gi", "1Gi", "2Gi"],
  ["0", "1Gi", "1Gi"],
  ["100m", "900m", "1"],
])("%s and %s are %s", (a, b, sum) => {
  expect(addQuantities(a, b)).toBe(sum);
});

describe("order", () => {
  const family = fc.constantFrom("decimal" as const, "binary" as const, "exponent" as const);
  const text = fc
    .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), family)
    .map(([milli, family]) => formatQuantity({ nano: milli * 1_000_000n, family }));

  it("is that of the numbers, and canonical spelling is stable", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareQuantities(a, b))).toBe(-Math.sign(compareQuantities(b, a)) + 0);
        const [left, right] = [parseQuantity(a), parseQuantity(b)];
        if (left === undefined || right === undefined) throw new Error("not read back");
        expect(compareQuantities(a, b)).toBe(left.nano < right.nano ? -1 : left.nano > right.nano ? 1 : 0);
        expect(canonicalQuantity(a)).toBe(a);
      }),
    );
  });
});

describe("canonicalQuantities", () => {
  it("rewrites them wherever the schema has them, and names what is none", () => {
    const pod = {
      spec: { containers: [{ name: "1000m", resources: { limits: { cpu: "1000m", memory: "x" } } }] },
    };
    expect(canonicalQuantities(PodSchema, pod)).toEqual({
      value: { spec: { containers: [{ name: "1000m", resources: { limits: { cpu: "1", memory: "x" } } }] } },
      invalid: ["spec.containers[0].resources.limits.memory"],
    });
  });

  it("hands back the same object when all is well", () => {
    const pod = { spec: { containers: [{ resources: { limits: { cpu: "1" } } }] } };
    expect(canonicalQuantities(PodSchema, pod).value).toBe(pod);
  });
});
