// Tells HTTP/2 from HTTP/1.1 by the first bytes of a connection, and gives them back unread.
import type { Socket } from "node:net";

/** No HTTP/1.1 method begins so; the whole preface is checked by whoever speaks HTTP/2. */
const preface = "PRI ";

export function sniff(socket: Socket, firstByteMs: number, isHttp1: () => void, isHttp2: () => void): void {
  // Until a parser listens, a broken or silent connection has no other ear.
  const giveUp = () => socket.destroy();
  socket.on("error", giveUp);
  socket.on("end", giveUp);
  socket.setTimeout(firstByteMs, giveUp);
  let held: Buffer | undefined;
  const look = () => {
    const bytes: Buffer | null = socket.read();
    if (bytes !== null) held = held === undefined ? bytes : Buffer.concat([held, bytes]);
    const seen = held?.toString("latin1", 0, preface.length) ?? "";
    if (seen.length < preface.length && preface.startsWith(seen)) {
      if (!socket.destroyed) socket.once("readable", look);
      return;
    }
    socket.setTimeout(0);
    socket.removeListener("timeout", giveUp);
    socket.removeListener("error", giveUp);
    socket.removeListener("end", giveUp);
    if (held !== undefined) socket.unshift(held);
    if (seen === preface) isHttp2();
    else isHttp1();
  };
  look();
}
