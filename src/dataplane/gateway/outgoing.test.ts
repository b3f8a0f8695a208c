import { describe, expect, it } from "vitest";
import { isTraceparent } from "./outgoing.js";

describe("a traceparent", () => {
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const span = "b7ad6b7169203331";

  it.each([
    [true, `00-${trace}-${span}-01`],
    [true, `00-${trace}-${span}-00`],
    [true, `cc-${trace}-${span}-01-what-a-later-version-adds`],
    [false, ""],
    [false, `00-${trace}-${span}`],
    [false, `00-${trace}-${span}-01-more`],
    [false, `00-${trace}-${span}-01x`],
    [false, `ff-${trace}-${span}-01`],
    [false, `00-${"0".repeat(32)}-${span}-01`],
    [false, `00-${trace}-${"0".repeat(16)}-01`],
    [false, `00-${trace.toUpperCase()}-${span}-01`],
    [false, `00-${trace}_${span}-01`],
    [false, `00-${trace.slice(1)}g-${span}-01`],
  ])("%s: %s", (good, value) => expect(isTraceparent(value)).toBe(good));
});
