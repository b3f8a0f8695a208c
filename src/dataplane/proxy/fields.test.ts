import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { headEndOf } from "./fields.js";

describe("the end of a head", () => {
  const pieces = fc.array(fc.constantFrom("\r", "\n", "\r\n", "a", "ab", "abc: d"), { maxLength: 30 });

  it("is where the first empty line begins, wherever the search does", () => {
    fc.assert(
      fc.property(pieces, fc.nat({ max: 40 }), fc.nat({ max: 8 }), (parts, start, behind) => {
        const bytes = Buffer.from(parts.join(""), "latin1");
        const from = Math.min(start, bytes.length);
        // What lies behind the bytes that count was read before, and ends nothing.
        const stop = Math.max(from, bytes.length - behind);
        expect(headEndOf(bytes, from, stop)).toBe(
          bytes.subarray(0, stop).indexOf("\r\n\r\n", from, "latin1"),
        );
      }),
    );
  });
});
