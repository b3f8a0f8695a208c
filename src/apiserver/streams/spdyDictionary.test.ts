import { expect, it } from "vitest";
import { spdyDictionary } from "./spdyDictionary.js";

it("is the dictionary both ends agreed on", () => {
  const dictionary = spdyDictionary();
  expect(dictionary.length).toBe(1423);
  expect(adler32(dictionary).toString(16)).toBe("e3c6a7c2");
});

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}
