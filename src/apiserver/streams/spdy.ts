// SPDY/3.1, the server's side and only what kubectl uses: streams either end may write, headers, pings.
import { Duplex } from "node:stream";
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib";
import { limits } from "../limits.js";
import { spdyDictionary } from "./spdyDictionary.js";

export interface SpdyStream extends Duplex {
  readonly headers: ReadonlyMap<string, string>;
}

export interface SpdySession {
  /** Ends the connection, and every stream with it. */
  close(): void;
  readonly closed: Promise<void>;
}

const synStream = 1;
const synReply = 2;
const rstStream = 3;
const ping = 6;
const goAway = 7;
const fin = 1;

/** Speaks SPDY over a byte stream: a socket after its upgrade, or a WebSocket's messages. */
export function spdySession(transport: Duplex, onStream: (stream: SpdyStream) => void): SpdySession {
  const dictionary = spdyDictionary();
  const inflate = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH });
  const deflate = createDeflate({ dictionary });
  const streams = new Map<number, SpdyStream>();
  let over = false;

  function write(frame: Buffer, sent?: (error?: Error | null) => void): void {
    if (over || transport.destroyed || transport.writableEnded) sent?.(new Error("the connection is closed"));
    else transport.write(frame, sent);
  }

  function makeStream(id: number, headers: ReadonlyMap<string, string>, inputOver: boolean): SpdyStream {
    const stream = new Duplex({
      read: () => {
        transport.resume();
      },
      write: (chunk: Buffer, _encoding, sent) => write(dataFrame(id, 0, chunk), sent),
      final: (sent) => write(dataFrame(id, fin, Buffer.alloc(0)), sent),
      destroy: (error, gone) => {
        streams.delete(id);
        if (error !== null) write(controlFrame(rstStream, 0, uint32s(id, 6)));
        gone(null);
      },
    });
    if (inputOver) stream.push(null);
    return Object.assign(stream, { headers });
  }

  async function onControl(type: number, flags: number, payload: Buffer): Promise<void> {
    switch (type) {
      case synStream: {
        const id = payload.readUInt32BE(0) & 0x7fffffff;
        const headers = parseHeaders(await through(inflate, payload.subarray(10)));
        if (streams.size >= limits.spdyStreams) {
          write(controlFrame(rstStream, 0, uint32s(id, 3)));
          return;
        }
        const stream = makeStream(id, headers, (flags & fin) !== 0);
        streams.set(id, stream);
        write(controlFrame(synReply, 0, Buffer.concat([uint32s(id), await through(deflate, uint32s(0))])));
        onStream(stream);
        return;
      }
      case rstStream: {
        const stream = streams.get(payload.readUInt32BE(0) & 0x7fffffff);
        stream?.push(null);
        stream?.destroy();
        return;
      }
      case ping:
        write(controlFrame(ping, 0, payload));
        return;
      case goAway:
        return;
    }
  }

  function onData(id: number, flags: number, payload: Buffer): void {
    const stream = streams.get(id);
    if (stream === undefined || stream.readableEnded) return;
    // There is no flow control per stream worth the name, so one that is not read holds up the connection.
    if (payload.length > 0 && !stream.push(payload)) transport.pause();
    if ((flags & fin) !== 0) stream.push(null);
  }

  async function read(): Promise<void> {
    let waiting: Buffer = Buffer.alloc(0);
    for await (const chunk of transport) {
      waiting = waiting.length === 0 ? (chunk as Buffer) : Buffer.concat([waiting, chunk as Buffer]);
      while (waiting.length >= 8) {
        const length = waiting.readUIntBE(5, 3);
        if (length > limits.spdyFrameBytes) throw new Error("a frame is too long");
        if (waiting.length < 8 + length) break;
        const flags = waiting.readUInt8(4);
        const payload = waiting.subarray(8, 8 + length);
        const head = waiting.readUInt32BE(0);
        waiting = waiting.subarray(8 + length);
        if (head & 0x80000000) await onControl(head & 0xffff, flags, payload);
        else onData(head, flags, payload);
      }
    }
  }

  function close(): void {
    if (over) return;
    over = true;
    for (const stream of streams.values()) {
      stream.push(null);
      stream.destroy();
    }
    streams.clear();
    inflate.close();
    deflate.close();
    transport.end();
  }

  const closed = read()
    .catch(() => {
      // A connection that breaks is a connection that ends; the streams hear of it either way.
      transport.destroy();
    })
    .finally(close);
  return { close, closed };
}

/** One header block through the session's one zlib stream: blocks are parts of it, each flushed. */
function through(codec: Inflate | Deflate, input: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const take = (part: Buffer) => parts.push(part);
    const fail = (error: Error) => reject(error);
    codec.on("data", take);
    codec.once("error", fail);
    codec.write(input);
    codec.flush(constants.Z_SYNC_FLUSH, () => {
      codec.off("data", take);
      codec.off("error", fail);
      resolve(Buffer.concat(parts));
    });
  });
}

function parseHeaders(block: Buffer): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  let at = 4;
  const text = () => {
    const length = block.readUInt32BE(at);
    at += 4 + length;
    return block.toString("utf8", at - length, at);
  };
  for (let left = block.readUInt32BE(0); left > 0; left--) headers.set(text(), text());
  return headers;
}

function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

function dataFrame(id: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(payload.length, 5, 3);
  return payload.length === 0 ? head : Buffer.concat([head, payload]);
}

function uint32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value, i * 4);
  });
  return bytes;
}
