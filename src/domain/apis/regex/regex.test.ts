import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeRegex, makeReplacement, type Regex } from "./index.js";

function regex(source: string, ignoreCase = false): Regex {
  const made = makeRegex(source, ignoreCase);
  if ("because" in made) throw new Error(made.because);
  return made;
}

const replaced = (source: string, rewrite: string, text: string) => {
  const made = makeReplacement(source, rewrite);
  return "because" in made ? made : made.replace(text);
};

const patterns = [
  "^iris\\.default(\\.svc(\\.cluster\\.local)?)?(?::\\d{1,5})?$",
  "/v1/models/[\\w-]+:(?:predict|explain)",
  "(a|b)*c",
  "(?:ab{1,2})+",
  "([^.]+\\.?)+",
  "a{2,}b?",
  "a*?b+?c",
  "^$",
  "",
  "a|^b$|",
  "(a*)*b",
  "[^a-b]?c|[-a]0",
  "(a|ab)(c|bc)0*",
];

describe("a regular expression", () => {
  it.each(patterns)("'%s' matches what the built-in engine matches", (source) => {
    const builtin = new RegExp(`^(?:${source})$`);
    const ours = regex(source);
    const text = fc.string({ unit: fc.constantFrom(..."abc.-0:/é"), maxLength: 10 });
    fc.assert(fc.property(text, (one) => void expect(ours.matches(one)).toBe(builtin.test(one))));
  });

  it("is anyone's: random ones agree with the built-in engine, matches, places and groups", () => {
    const leaf = fc.constantFrom("a", "b", ".", "[ab]", "[^b]", "\\d", "", "^", "$");
    const tree = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie("node"), tie("node")).map(([one, other]) => one + other),
        fc.tuple(tie("node"), tie("node")).map(([one, other]) => `(${one}|${other})`),
        tie("node").map((one) => `(${one})`),
      ),
    })).node;
    // A repeated group that may be empty is where RE2 and JavaScript part, so only what reads something is repeated.
    const repeated = fc
      .tuple(
        fc.constantFrom("a", "b", "(?:ab|a)", "[^b]", "(b|ba)"),
        fc.constantFrom("*", "+", "?", "*?", "{1,2}", "{2}"),
      )
      .map(([one, sign]) => one + sign);
    const source = fc.array(fc.oneof(tree, repeated), { maxLength: 4 }).map((parts) => parts.join(""));
    const text = fc.string({ unit: fc.constantFrom(..."ab1"), maxLength: 8 });
    fc.assert(
      fc.property(source, text, (one, against) => {
        expect(regex(one).matches(against)).toBe(new RegExp(`^(?:${one})$`).test(against));
        expect(replaced(one, "<\\0>", against)).toBe(against.replace(new RegExp(one, "g"), "<$&>"));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, string, boolean]>([
    ["(?i)/V1/.*", "/v1/x", true],
    ["/(?i:V1)/X", "/v1/x", false],
    ["\\Q/a.b\\E", "/a.b", true],
    ["\\Q/a.b\\E", "/aXb", false],
    ["[[:alpha:]]+[[:^digit:]]", "abc", true],
    ["\\x2f\\x{61}", "/a", true],
    ["\\A/a\\z", "/a", true],
    ["a{,2}", "a{,2}", true],
    ["[]a]+", "]a", true],
    [".", "\n", false],
    ["(?s).", "\n", true],
  ])("%s of RE2 on %j: %s", (source, text, want) => {
    expect(regex(source).matches(text)).toBe(want);
  });

  it.each([
    ["(?=a)", "(?=a is not part of RE2"],
    ["(?<!a)b", "(?<! is not part of RE2"],
    ["(a)\\1", "\\1 is not supported"],
    ["(a", "a group is not closed"],
    ["a)", "unexpected )"],
    ["[a", "a class is not closed"],
    ["a{2000}", "bad repetition {2000}: at most 1000, and not backwards"],
    ["(?:a{1000}){1000}", "it is too large once its repetitions are written out"],
    ["a**", "two repetitions in a row after *"],
    ["*a", "* repeats nothing"],
    ["\\bword", "\\b is not supported"],
    ["(?m)^a", "the flag m is not supported"],
    ["(".repeat(200), "groups nested more than 100 deep"],
  ])("%s is refused: %s", (source, because) => {
    expect(makeRegex(source)).toEqual({ because });
  });
});

describe("time", () => {
  const hostile: readonly (readonly [string, string])[] = [
    ["(a+)+", "a"],
    ["(a|a)*", "a"],
    ["(a|aa)+", "a"],
    ["(.*a){12}", "a"],
    [".*.*.*.*=.*", "x"],
    ["(?:a?){50}a{50}", "a"],
    ["([a-z]+[0-9]*)*#", "a0"],
    ["^(/?[^/]+)*/?$", "/a"],
    ["(x+x+)+y", "x"],
    [".*(?:ab|ba).{60}", "ab"],
  ];

  /** The least of a few runs: what the machine does beside us is not the expression's doing. */
  const least = (run: () => void) => {
    const times = Array.from({ length: 5 }, () => {
      const from = performance.now();
      run();
      return performance.now() - from;
    });
    return Math.min(...times);
  };

  it.each(hostile)("%s grows with the text and not faster", (source, unit) => {
    const short = `${unit.repeat(1_000)}!`;
    const long = `${unit.repeat(16_000)}!`;
    const ours = regex(source);
    const shortMs = least(() => void ours.matches(short));
    const longMs = least(() => void ours.matches(long));
    // Sixteen times the text; a quadratic engine would take 256 times as long, a backtracking one for ever.
    expect(longMs).toBeLessThan(Math.max(shortMs, 0.1) * 16 * 5);
  });

  it.each(hostile)("%s rewrites in bounded time too", (source, unit) => {
    const from = performance.now();
    replaced(source, "x", unit.repeat(4_000));
    expect(performance.now() - from).toBeLessThan(10_000);
  });

  it("does not let remembered states grow: an expression of 2^60 sets runs on a few hundred", () => {
    const ours = regex(".*a.{60}");
    let text = "";
    for (let index = 0, dice = 1; index < 20_000; index += 1) {
      dice = (dice * 1_103_515_245 + 12_345) % 2 ** 31;
      text += dice & 65_536 ? "a" : "b";
    }
    expect(ours.matches(`${text}a${"b".repeat(60)}`)).toBe(true);
    expect(ours.matches(`${text}b${"b".repeat(60)}`)).toBe(false);
  });
});

describe("a replacement", () => {
  it.each([
    ["^/p(/v1/.*:explain)$", "\\1", "/p/v1/m:explain", "/v1/m:explain"],
    ["/(a)(b)?", "[\\1\\2\\0]", "/ab/a", "[ab/ab][a/a]"],
    ["x*", "-", "ab", "-a-b-"],
    ["a", "\\\\", "a", "\\"],
    ["none", "x", "/path", "/path"],
    ["a|ab", "x", "ab", "xb"],
  ])("%s by %s of %s", (source, rewrite, text, want) => {
    expect(replaced(source, rewrite, text)).toBe(want);
  });

  it("names a group that is not there", () => {
    expect(replaced("(a)", "\\2", "a")).toEqual({ because: "there is no group 2, only 1" });
  });
});
