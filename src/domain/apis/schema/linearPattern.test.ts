import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linearPattern } from "./linearPattern.js";

const patterns = [
  "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
  "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$",
  "(a|b)*c",
  "^(?:ab{1,2})+$",
  "^([^.]+\\.?)+$",
  "a{2,}b?",
  "^$",
  "",
];

describe("linearPattern", () => {
  it.each(patterns)("'%s' says what the built-in engine says", (source) => {
    const test = linearPattern(source);
    const builtin = new RegExp(source);
    const text = fc.string({ unit: fc.constantFrom(..."ab.-c0Mi+eE"), maxLength: 12 });
    fc.assert(
      fc.property(text, (one) => {
        expect(test?.(one)).toBe(builtin.test(one));
      }),
    );
  });

  it("takes no longer for what makes others explode", () => {
    expect(linearPattern("^(a+)+$")?.("a".repeat(5000) + "!")).toBe(false);
    expect(linearPattern("^(a|a)*$")?.("a".repeat(5000))).toBe(true);
  });

  it.each(["(?=a)", "\\1", "(a", "[a", "a{2000}"])("%s is not ours to read", (source) => {
    expect(linearPattern(source)).toBeUndefined();
  });
});
