import { expect, it } from "vitest";
import { warningHeaders } from "./respond.js";

it("tells warnings whole while they are few", () => {
  expect(warningHeaders([])).toEqual({});
  expect(warningHeaders(['unknown field "a"', "b".repeat(2_000)])).toEqual({
    Warning: ['299 - "unknown field \\"a\\""', `299 - "${"b".repeat(2_000)}"`],
  });
});

it("keeps them within what a client's parser takes", () => {
  for (const warnings of [
    Array.from({ length: 500 }, (_, at) => `unknown field "spec.field${at}"`),
    Array.from({ length: 50 }, () => "\\".repeat(5_000)),
    Array.from({ length: 5_000 }, () => "x"),
  ]) {
    const told = warningHeaders(warnings).Warning ?? [];
    expect(told.length).toBeGreaterThan(5);
    expect(told.join("").length).toBeLessThanOrEqual(4_096);
  }
});
