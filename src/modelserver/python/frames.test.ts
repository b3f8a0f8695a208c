import { describe, expect, it } from "vitest";
import { encodeFrame, type Frame, frameReader } from "./frames.js";

describe("frames", () => {
  const frames = [
    encodeFrame({ id: 1, note: "é" }, Buffer.from("first")),
    encodeFrame({ id: 2 }, new Uint8Array(0)),
    encodeFrame({ id: 3 }, new Uint8Array(70_000).fill(7)),
  ];
  const bytes = Buffer.concat(frames);

  it.each([1, 3, 9, 4096, bytes.length])("survive being cut into pieces of %i bytes", (size) => {
    const seen: Frame[] = [];
    const read = frameReader((frame) => seen.push(frame));
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
    expect(seen.map(({ header, payload }) => [header["id"], payload.length])).toEqual([
      [1, 5],
      [2, 0],
      [3, 70_000],
    ]);
    expect(seen[0]?.header["note"]).toBe("é");
  });

  it("refuses a length that no message has", () => {
    const read = frameReader(() => {});
    expect(() => read(Buffer.alloc(8, 0xff))).toThrow("larger than");
  });
});
