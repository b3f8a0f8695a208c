import { describe, expect, it } from "vitest";
import { readYaml } from "./yaml.js";

describe("readYaml", () => {
  it.each<[string, string, unknown]>([
    ["a time stays text", "a: 2026-01-01T00:00:00Z", { a: "2026-01-01T00:00:00Z" }],
    ["a day stays text", "a: 2026-01-01", { a: "2026-01-01" }],
    ["numbers with colons stay text", "a: 12:30:45", { a: "12:30:45" }],
    ["yes is a boolean", "a: yes", { a: true }],
    ["bytes stay base64", "a: !!binary aGVsbG8=", { a: "aGVsbG8=" }],
    ["a set is a map", "a: !!set {b, c}", { a: { b: null, c: null } }],
    ["a merge key merges", "a: &x {b: 1}\nc: {<<: *x, d: 2}", { a: { b: 1 }, c: { b: 1, d: 2 } }],
    ["nothing is null", "# only words\n", null],
  ])("%s", async (_what, text, value) => {
    expect(await readYaml(text)).toEqual({ ok: true, value });
  });

  it.each([
    ["brackets without end", "[".repeat(20_000) + "]".repeat(20_000), "exceeded max depth"],
    ["dashes without end", "- ".repeat(20_000), "exceeded max depth"],
    ["a cycle", "a: &a [*a]", "exceeded max depth"],
    ["an alias of nothing", "a: *b", "Unresolved alias (the anchor must be set before the alias): b"],
    ["what is no number", "a: .nan", "the number NaN is out of range"],
    ["two documents", "a: 1\n---\nb: 2", "a body is one document"],
  ])("refuses %s", async (_what, text, because) => {
    expect(await readYaml(text)).toEqual({ ok: false, because });
  });
});
