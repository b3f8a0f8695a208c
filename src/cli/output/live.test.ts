import { expect, test } from "vitest";
import type { Terminal } from "../context.js";
import { liveBlock, progress } from "./live.js";

function terminal(errIsTty: boolean) {
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  return { written, fake: { out: write, err: write, errIsTty, columns: 12 } as unknown as Terminal };
}

test("a block goes back up over what it drew, in one write", () => {
  const { written, fake } = terminal(true);
  const block = liveBlock(fake);
  block.draw(["a", "b"]);
  block.draw(["c"]);
  expect(written).toEqual(["a\u001b[K\nb\u001b[K\n\u001b[J", "\u001b[2Ac\u001b[K\n\u001b[J"]);
});

test("a line too long for the terminal is cut, colours and all that closes them kept whole", () => {
  const { written, fake } = terminal(true);
  liveBlock(fake).draw(["\u001b[31mtwelve\u001b[39m letters and more"]);
  expect(written[0]).toBe("\u001b[31mtwelve\u001b[39m let…\u001b[0m\u001b[K\n\u001b[J");
});

test("progress is one changing line on a terminal, and plain lines elsewhere", () => {
  const on = terminal(true);
  const shown = progress(on.fake);
  shown.say("one");
  shown.say("one");
  shown.say("two");
  shown.done();
  expect(on.written).toEqual(["\rone\u001b[K", "\rtwo\u001b[K", "\r\u001b[K"]);
  const off = terminal(false);
  progress(off.fake).say("one");
  expect(off.written).toEqual(["one\n"]);
});
