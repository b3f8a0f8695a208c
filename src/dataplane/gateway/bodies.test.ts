// Bodies of every size, both ways at once, through pods and to clients of every pace: what memory they share on the way
// must never show.
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { portOf, tableFor, World } from "../../../test/dataplane/testing.js";
import { dice } from "../../../test/world/index.js";

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.dispose());

/** A whole number below that, the same for the same seed. */
function wholes(seed: number): (below: number) => number {
  const random = dice(seed);
  return (below) => Math.floor(random() * below);
}

/** Every byte tells whose it is and where it belongs. */
function body(owner: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(((owner << 22) | (at >> 2)) >>> 0, at);
  return bytes;
}

/** Takes what comes apart by hand: the test must not lean on what it tests. */
function reader(socket: Socket): { line(): Promise<string>; bytes(count: number): Promise<Buffer> } {
  let held: Buffer[] = [];
  let count = 0;
  let wake = () => {};
  let over = false;
  socket.on("data", (bytes: Buffer) => {
    held.push(bytes);
    count += bytes.length;
    wake();
  });
  socket.on("close", () => {
    over = true;
    wake();
  });
  const until = async (enough: () => boolean) => {
    while (!enough()) {
      if (over) throw new Error("the connection closed too early");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const joined = () => {
    const [only] = held;
    const all = held.length === 1 && only !== undefined ? only : Buffer.concat(held);
    held = [all];
    return all;
  };
  const bytes = async (wanted: number) => {
    await until(() => count >= wanted);
    const all = joined();
    held = [all.subarray(wanted)];
    count -= wanted;
    return all.subarray(0, wanted);
  };
  return {
    bytes,
    async line() {
      await until(() => joined().includes("\r\n"));
      return (await bytes(joined().indexOf("\r\n") + 2)).toString("latin1").trimEnd();
    },
  };
}

function dawdle(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}

type Reader = ReturnType<typeof reader>;

async function readMessage(from: Reader): Promise<{ start: string; body: Buffer }> {
  const start = await from.line();
  let length = 0;
  let chunked = false;
  for (let line = await from.line(); line !== ""; line = await from.line()) {
    length = Number(/^content-length: (\d+)/i.exec(line)?.[1] ?? length);
    chunked ||= /^transfer-encoding: chunked/i.test(line);
  }
  if (!chunked) return { start, body: await from.bytes(length) };
  const chunks: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt(await from.line(), 16);
    chunks.push(await from.bytes(size));
    await from.line();
    if (size === 0) return { start, body: Buffer.concat(chunks) };
  }
}

/** In pieces of any size, framed either way. */
async function send(
  socket: Socket,
  start: string,
  bytes: Buffer,
  next: (below: number) => number,
): Promise<void> {
  const chunked = next(2) === 0;
  const framing = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${bytes.length}`;
  let pieces = Buffer.from(`${start}\r\nHost: model.test\r\n${framing}\r\n\r\n`);
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + 1 + next(next(3) === 0 ? 2_000 : 70_000));
    at += piece.length;
    pieces = chunked
      ? Buffer.concat([pieces, Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")])
      : Buffer.concat([pieces, piece]);
    if (next(3) > 0) continue;
    const room = socket.write(pieces);
    pieces = Buffer.alloc(0);
    if (!room) await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
    if (next(4) === 0) await pause(next(4));
  }
  socket.write(Buffer.concat([pieces, Buffer.from(chunked ? "0\r\n\r\n" : "")]));
}

/** Answers with what it got; sometimes it dawdles, so that what is sent to it piles up. */
async function echoPod(seed: number, dawdleMs = 15): Promise<number> {
  const next = wholes(seed);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    world.atEnd(() => socket.destroy());
    const from = reader(socket);
    const serve = async () => {
      for (;;) {
        if (next(3) === 0) dawdle(socket, next(dawdleMs));
        const got = await readMessage(from);
        await send(socket, "HTTP/1.1 200 OK", got.body, next);
      }
    };
    serve().catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.atEnd(() => void server.close());
  return portOf(server);
}

async function converse(port: number, owner: number, requests: number, large?: number): Promise<string[]> {
  const next = wholes(owner + 1_000);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  world.atEnd(() => socket.destroy());
  const from = reader(socket);
  const wrong: string[] = [];
  for (let count = 0; count < requests; count += 1) {
    const sizes = [next(9_000), 8_000 + next(400), next(70_000), 65_000 + next(1_100), next(400_000)];
    const bytes = body(owner, large ?? (sizes[next(sizes.length)] as number));
    const sent = send(socket, "POST /echo HTTP/1.1", bytes, next);
    if (large !== undefined || next(3) === 0) dawdle(socket, large === undefined ? next(15) : 150);
    const got = await readMessage(from);
    await sent;
    if (!got.start.includes(" 200 ") || !got.body.equals(bytes))
      wrong.push(
        `client ${owner}, request ${count}: ${got.start}, ${got.body.length} of ${bytes.length} bytes`,
      );
  }
  socket.destroy();
  return wrong;
}

describe("bodies that pass at the same time", () => {
  it("arrive as they were sent, at whatever pace and size", async () => {
    const { port, gateway } = await world.start(tableFor([await echoPod(1), await echoPod(2)]));
    const all = Array.from({ length: 24 }, (_, owner) => converse(port, owner + 1, 12));
    expect((await Promise.all(all)).flat()).toEqual([]);
    await expect.poll(() => gateway.stats().connections).toBe(0);
  });

  it("wait their turn where they pile up, while others pass", async () => {
    const { port } = await world.start(tableFor([await echoPod(1, 500), await echoPod(2)]));
    // More than two sockets hold for a reader that has stopped.
    const bytes = 12 * 1024 * 1024;
    const large = Array.from({ length: 3 }, (_, owner) => converse(port, owner + 1, 2, bytes));
    const others = Array.from({ length: 12 }, (_, owner) => converse(port, owner + 10, 30));
    expect((await Promise.all([...large, ...others])).flat()).toEqual([]);
  });
});
