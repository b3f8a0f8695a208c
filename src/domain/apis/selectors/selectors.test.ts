import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelSelectorMatches, labelSelectorText, parseFieldSelector, parseLabelSelector } from "./index.js";

const matches = (text: string, labels: Record<string, string> | undefined) => {
  const parsed = parseLabelSelector(text);
  return parsed.ok ? parsed.matches(labels) : parsed.message;
};

describe("parseLabelSelector", () => {
  it.each<[string, Record<string, string>, boolean]>([
    ["", {}, true],
    ["a", { a: "" }, true],
    ["!a", { b: "" }, true],
    ["!a", { a: "" }, false],
    ["a=b", { a: "b" }, true],
    ["a==b,c=d", { a: "b", c: "e" }, false],
    ["a!=b", {}, true],
    ["a=", { a: "" }, true],
    ["a in (x, y)", { a: "y" }, true],
    ["a notin (x,y)", {}, true],
    ["a in ()", { a: "" }, true],
    ["in in (in)", { in: "in" }, true],
    ["a>1", { a: "2" }, true],
    ["a<1", { a: "x" }, false],
    ["a in (x,),b", { a: "", b: "1" }, true],
  ])("'%s' on %j", (text, labels, want) => {
    expect(matches(text, labels)).toBe(want);
  });

  it.each([
    ["a in b", "unable to parse requirement: found 'b' expected: '('"],
    ["==b", "found '==', expected: !, identifier, or 'end of string'"],
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["a,", "found '', expected: identifier after ','"],
    [
      "a>x",
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
  ])("'%s' is refused", (text, message) => {
    expect(matches(text, {})).toBe(message);
  });

  it("names the value and key at fault", () => {
    expect(matches("n=-x", {})).toMatch(
      /^unable to parse requirement: values\[0\]\[n\]: Invalid value: "-x": a valid label must be an empty string/,
    );
  });

  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const requirement = fc.oneof(
    word,
    word.map((key) => `!${key}`),
    fc.tuple(word, fc.constantFrom("=", "==", "!="), word).map((parts) => parts.join("")),
    fc
      .tuple(word, fc.constantFrom("in", "notin"), fc.array(word, { minLength: 1, maxLength: 3 }))
      .map(([key, operator, values]) => `${key} ${operator} (${values.join(",")})`),
  );
  it("means the same in its canonical spelling", () => {
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 4 }), fc.dictionary(word, word), (parts, labels) => {
        const first = parseLabelSelector(parts.join(","));
        if (!first.ok) throw new Error(first.message);
        const second = parseLabelSelector(first.text);
        if (!second.ok) throw new Error(second.message);
        expect(second.text).toBe(first.text);
        expect(second.matches(labels)).toBe(first.matches(labels));
      }),
    );
  });
});

describe("selectors in specs", () => {
  const selector = {
    matchLabels: { app: "a" },
    matchExpressions: [
      { key: "tier", operator: "In", values: ["y", "x"] },
      { key: "old", operator: "DoesNotExist" },
    ],
  };

  it("match, and can be spelled for a query", () => {
    expect(labelSelectorText(selector)).toBe("app=a,!old,tier in (x,y)");
    expect(labelSelectorMatches(selector, { app: "a", tier: "x" })).toBe(true);
    expect(labelSelectorMatches(selector, { app: "a", tier: "x", old: "" })).toBe(false);
    expect(labelSelectorMatches({}, undefined)).toBe(true);
    expect(labelSelectorMatches(undefined, {})).toBe(false);
  });
});

describe("parseFieldSelector", () => {
  const pod = {
    metadata: { name: "p", namespace: "n" },
    spec: { nodeName: "x,y" },
    status: { phase: "Running" },
  };
  const own = ["spec.nodeName", "status.phase", "spec.hostNetwork"];
  it.each([
    ["metadata.name=p", true],
    ["metadata.name==p,status.phase!=Failed", true],
    ["status.phase!=Running", false],
    ["spec.nodeName=x\\,y", true],
    ["spec.hostNetwork=false", true],
    ["", true],
  ])("%s", (text, want) => {
    const parsed = parseFieldSelector(text, own);
    expect(parsed.ok && parsed.matches(pod)).toBe(want);
  });

  it.each([
    ["spec.foo=1", own, "field label not supported: spec.foo"],
    ["data=1", [], '"data" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    ["bogus", own, "invalid selector: 'bogus'; can't understand 'bogus'"],
  ])("%s is refused", (text, supported, message) => {
    expect(parseFieldSelector(text, supported)).toEqual({ ok: false, message });
  });

  it("speaks of custom kinds in their own words", () => {
    expect(parseFieldSelector("data=1", [], "custom")).toEqual({
      ok: false,
      message: "field label not supported: data",
    });
  });

  it("knows when one name is meant", () => {
    expect(parseFieldSelector("metadata.name=p", [])).toMatchObject({ name: "p", namespace: undefined });
  });

  it("finds an event by its source, old style or new", () => {
    const parsed = parseFieldSelector("source=kubelet", ["source"]);
    expect(parsed.ok && parsed.matches({ source: { component: "kubelet" } })).toBe(true);
    expect(parsed.ok && parsed.matches({ reportingComponent: "kubelet" })).toBe(true);
  });
});
