import { describe, expect, it } from "vitest";
import { type BodySink, type BodySource, RequestBody } from "./body.js";

const limits = { bodyBytes: 1000, gatherBytes: 100, gatherMs: 1000, replayBytes: 10 };

function world(length: number | undefined) {
  const said: string[] = [];
  const source: BodySource = {
    start: () => {},
    pause: () => said.push("pause"),
    resume: () => said.push("resume"),
    abandon: () => {},
    spent: () => said.push("spent"),
  };
  const sink: BodySink & { flushed: boolean } = {
    flushed: true,
    whole: (body: string | readonly Buffer[]) => void said.push(`whole ${body}`),
    write: (chunk: Buffer) => {
      said.push(`write ${chunk}`);
      return sink.flushed;
    },
    end: () => said.push("end"),
    fail: () => said.push("fail"),
  };
  const body = new RequestBody(source, length, limits);
  return { body, sink, said, take: (text: string) => body.take(Buffer.from(text)) };
}

describe("a body's memory", () => {
  it("is kept while the body can be sent again", () => {
    const { body, sink, said, take } = world(8);
    body.gather(() => {});
    take("ab");
    take("cd");
    body.finish([]);
    body.pump(sink);
    expect(said).toEqual(["whole ab,cd"]);
    body.forget();
    expect(said).toEqual(["whole ab,cd", "spent"]);
  });

  it("is kept until what was written last has left", () => {
    const { body, sink, said, take } = world(undefined);
    body.pump(sink);
    take("123456");
    take("789012");
    expect(said).toEqual(["write 123456", "write 789012", "spent"]);
    sink.flushed = false;
    take("345");
    expect(said.slice(3)).toEqual(["write 345", "pause"]);
    sink.flushed = true;
    body.resume();
    expect(said.slice(5)).toEqual(["spent", "resume"]);
  });

  it("is kept for good when somebody else has seen it, or nobody can say that it has left", () => {
    const seen = world(4);
    seen.body.gather(() => {});
    seen.body.keep(10);
    seen.take("abcd");
    seen.body.finish([]);
    seen.body.pump(seen.sink);
    seen.body.whole((whole) => expect(String(whole)).toBe("abcd"));
    seen.body.forget();
    seen.body.release();
    expect(seen.said).toEqual(["whole abcd"]);

    const { body, sink, said, take } = world(undefined);
    const { flushed, ...silent } = sink;
    expect(flushed).toBe(true);
    body.pump(silent);
    take("12345678901");
    expect(said).toEqual(["write 12345678901"]);
  });
});
