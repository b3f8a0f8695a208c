// After 101 the gateway speaks no protocol any more: two sockets joined byte by byte.
import type { Duplex } from "node:stream";

/** Ends with either side; `done` runs once both are gone. */
export function joinSockets(one: Duplex, other: Duplex, done: () => void): void {
  pass(one, other);
  pass(other, one);
  let open = true;
  const over = () => {
    one.destroy();
    other.destroy();
    if (open) done();
    open = false;
  };
  one.once("close", over);
  other.once("close", over);
}

/** Bytes one way, no faster than they are taken. */
function pass(from: Duplex, to: Duplex): void {
  from.on("data", (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.resume();
}
