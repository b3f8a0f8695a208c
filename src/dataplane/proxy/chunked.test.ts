import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkedDecoder, lastChunk } from "./chunked.js";

/** Feeds bytes cut at the given places, and gives back the body and how it ended. */
function decode(bytes: Buffer, cuts: readonly number[]) {
  const decoder = new ChunkedDecoder();
  const edges = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((one, other) => one - other);
  let body = "";
  let from = 0;
  for (const edge of [...edges, bytes.length]) {
    if (edge === from) continue;
    const part = bytes.subarray(from, edge);
    const result = decoder.feed(part, 0, part.length, (start, stop) => {
      body += part.toString("latin1", start, stop);
    });
    if (result !== "more")
      return { result, body, rest: bytes.length - from - decoder.end, trailers: decoder.trailers };
    from = edge;
  }
  return { result: "more" as const, body, rest: 0, trailers: [] };
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
const chunks = fc.array(fc.string({ minLength: 1, maxLength: 40, unit: "binary-ascii" }), { maxLength: 6 });

describe("a chunked body", () => {
  it("is the same however it is cut, and ends where it ends", () => {
    fc.assert(
      fc.property(chunks, cuts, fc.boolean(), (parts, at, trailed) => {
        const text = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
        const trailers = trailed ? ["X-Sum", "42", "X-More", "y"] : [];
        const bytes = Buffer.from(text + lastChunk(trailers) + "GET /", "latin1");
        expect(decode(bytes, at)).toMatchObject({ result: "done", body: parts.join(""), trailers });
      }),
    );
  });

  it("leaves what follows untouched", () => {
    expect(decode(Buffer.from("1\r\na\r\n0\r\n\r\nnext"), []).rest).toBe(4);
    expect(decode(Buffer.from("1\r\na\r\n0\r\nX: y\r\n\r\nnext"), [3, 9, 12]).rest).toBe(4);
  });

  it("never yields more than was sent, whatever the bytes", () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(bytes, cuts, (raw, at) => {
        expect(decode(Buffer.from(raw), at).body.length).toBeLessThan(raw.length);
      }),
    );
  });

  it("takes no trailer that would change how the message is read", () => {
    const text = "0\r\nHost: x\r\nConnection: close\r\nX-Ok: y\r\n\r\n";
    expect(decode(Buffer.from(text), []).trailers).toEqual(["X-Ok", "y"]);
    for (const name of ["Content-Length", "TRANSFER-encoding"])
      expect(decode(Buffer.from(`0\r\n${name}: 5\r\n\r\n`), []).result).toEqual({
        because: `${name} among the trailers`,
      });
  });

  it("is refused with endless trailers or extensions", () => {
    expect(decode(Buffer.from(`0\r\n${"X: y\r\n".repeat(5000)}`), [100, 9000]).result).toEqual({
      because: "trailers too long",
    });
    expect(decode(Buffer.from(`1;${"x".repeat(5000)}`), []).result).toEqual({
      because: "a chunk extension too long",
    });
  });
});
