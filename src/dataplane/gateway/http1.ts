// The HTTP/1.1 front on bare sockets: one connection at a time reads a request, has it served, writes the answer and
// goes on to the next. What a connection may hold and how long it may take is bounded by the sweep in `netFront`.
import type { Socket } from "node:net";
import {
  type BodySource,
  ChunkedDecoder,
  fieldOf,
  headEndOf,
  lastChunk,
  oneWriteBytes,
  type Piece,
  type ReplyHead,
  RequestBody,
  unreadBytes,
} from "../proxy/index.js";
import { Hop } from "./hop.js";
import { Incoming } from "./incoming.js";
import { sweepMs } from "./limits.js";
import { readInto } from "./readInto.js";
import { headText, notClean, refusalText } from "./replyText.js";
import { RequestReader } from "./requestHead.js";
import { type Front, type FrontReply, type Shared, serve } from "./serve.js";
import type { ListenerName } from "./table.js";
import { joinSockets } from "./tunnel.js";

export interface Http1Front {
  /** The socket by which the connection goes on: the accepted one, or another in its place. */
  accept(socket: Socket, secure: boolean): Socket;
  /** No connection outlives its request from now on, and none that is idle that long from now. */
  drain(lastRequestMs: number): void;
  close(): void;
}

/** The empty line after a head, with the end of the line before it. */
const headEndBytes = 4;
const cr = 0x0d;
const lf = 0x0a;

/** What the connections of one listener share. */
interface Common {
  readonly shared: Shared;
  readonly listener: ListenerName;
  readonly reader: RequestReader;
  readonly open: Set<ClientConnection>;
  /** The end of a head after which the connection stays. */
  readonly staying: string;
  /** Time to the nearest sweep: enough for minutes, and free. */
  nowMs: number;
}

export function netFront(shared: Shared, listener: ListenerName): Http1Front {
  const open = new Set<ClientConnection>();
  const { limits } = shared;
  const common: Common = {
    shared,
    listener,
    reader: new RequestReader(),
    open,
    staying: `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(limits.keepAliveMs / 1000)}\r\n\r\n`,
    nowMs: performance.now(),
  };
  const everyMs = Math.min(
    sweepMs,
    Math.max(10, Math.min(limits.headMs, limits.keepAliveMs, limits.firstByteMs, limits.lingerMs) / 4),
  );
  const sweeper = setInterval(() => {
    common.nowMs = performance.now();
    for (const connection of open) connection.sweep(common.nowMs);
  }, everyMs);
  sweeper.unref();
  return {
    accept(accepted, secure) {
      let connection: ClientConnection | undefined;
      const { reading } = shared.memory;
      const read = (length: number) => connection?.read(reading.subarray(0, length));
      // Whoever sniffed at it has put back what it read.
      const first: Buffer | null = secure ? null : accepted.read();
      const socket = (secure ? undefined : readInto(accepted, reading, read)) ?? accepted;
      connection = new ClientConnection(common, socket, secure);
      open.add(connection);
      if (socket === accepted) socket.on("data", connection.read);
      if (first !== null) connection.read(first);
      return socket;
    },
    drain(lastRequestMs) {
      // One in use a moment ago may have a request on its way: that one is served, and told that it was the last.
      const idle = () => {
        for (const connection of open) connection.closeIfIdle();
      };
      for (const connection of open) connection.closeIfIdle(common.nowMs - Math.max(everyMs, lastRequestMs));
      setTimeout(idle, lastRequestMs).unref();
    },
    close: () => clearInterval(sweeper),
  };
}

class ClientConnection {
  /** What was read and belongs to no request yet, or to a body nobody reads yet. */
  held: Buffer | undefined;
  private readonly hop: Hop;
  private request: ClientRequest | undefined;
  private sinceMs: number;
  private served = false;
  private advancing = false;
  /** The last answer is written; what still comes is read away. */
  private lingering = false;
  /** Neither bytes that come nor those that go are HTTP any more. */
  private tunnels = false;
  private unwanted = 0;
  /** Bytes of an unfinished head that were looked at. */
  private searched = 0;
  private checked = 0;

  constructor(
    readonly common: Common,
    readonly socket: Socket,
    secure: boolean,
  ) {
    this.hop = new Hop(socket.remoteAddress ?? "", secure, socket.remotePort);
    this.sinceMs = common.nowMs;
    socket.on("drain", this.drained);
    socket.on("end", this.ended);
    socket.on("error", nothing);
    socket.on("close", this.closed);
  }

  /** Bytes that may be read over when this returns. */
  readonly read = (bytes: Buffer): void => {
    const { request } = this;
    if (this.tunnels) this.socket.emit("data", this.own(bytes));
    else if (this.lingering) {
      this.unwanted += bytes.length;
      if (this.unwanted > this.common.shared.limits.lingerBytes) this.socket.destroy();
    } else if (request?.reading === true) {
      this.held = request.feed(bytes);
      if (this.held !== undefined) this.advance();
    } else {
      this.held = this.held === undefined ? bytes : Buffer.concat([this.held, bytes]);
      if (request === undefined) this.advance();
      else if (this.held.length > unreadBytes) this.socket.pause();
    }
    if (this.held !== undefined) this.held = this.own(this.held);
  };

  passes(bytes: Buffer): boolean {
    return bytes.buffer === this.common.shared.memory.reading.buffer;
  }

  private own(bytes: Buffer): Buffer {
    return this.passes(bytes) ? Buffer.from(bytes) : bytes;
  }

  private readonly drained = (): void => {
    this.request?.onDrain?.();
  };

  private readonly ended = (): void => {
    // Who hangs up while it waits wants no answer any more; what is written already may still be read.
    if (this.request === undefined) this.socket.end();
    else this.socket.destroy();
  };

  private readonly closed = (): void => {
    this.common.open.delete(this);
    this.request?.lose();
  };

  /** Serves what is there, one request after another; a loop, for a thousand may come in one read. */
  advance(): void {
    if (this.advancing) return;
    this.advancing = true;
    while (this.request === undefined && this.held !== undefined && !this.lingering && this.next(this.held));
    this.advancing = false;
  }

  /** True when a request was begun. */
  private next(bytes: Buffer): boolean {
    const { reader, shared } = this.common;
    let from = 0;
    // Some clients end a body with an empty line that nobody counts.
    while (bytes[from] === cr && bytes[from + 1] === lf) from += 2;
    if (from === bytes.length) {
      this.held = undefined;
      return false;
    }
    const stop = bytes.length;
    const end = headEndOf(bytes, Math.max(from, this.searched - headEndBytes), stop);
    if (end < 0) return this.wait(bytes, from);
    this.searched = 0;
    this.checked = 0;
    if (end - from > shared.limits.headBytes) return this.tooLong();
    // A short request is made a string once: its head and its body are parts of that.
    const text = bytes.toString("latin1", from, stop - from <= oneWriteBytes ? stop : end + 2);
    const incoming = reader.read(bytes, from, end + 2, this.hop, text);
    if (!(incoming instanceof Incoming)) {
      this.refuse(incoming.status, notClean(incoming.because));
      return false;
    }
    this.served = true;
    const request = new ClientRequest(this, incoming);
    this.request = request;
    const at = end + headEndBytes;
    this.held = request.open(bytes, at, stop - from <= oneWriteBytes ? text.slice(at - from) : undefined);
    serve(shared, incoming, request);
    return true;
  }

  /** Half a head is held; what is wrong with it already is said at once. */
  private wait(bytes: Buffer, from: number): boolean {
    if (bytes.length - from > this.common.shared.limits.headBytes) return this.tooLong();
    if (this.searched === 0) this.sinceMs = this.common.nowMs;
    this.searched = bytes.length;
    // Looked at anew each time it has doubled, so that a head sent byte by byte costs no more than one sent whole.
    if (bytes.length >= this.checked * 2 && !(bytes.length - from === 1 && bytes[from] === cr)) {
      this.checked = bytes.length;
      const wrong = this.common.reader.early(bytes, from);
      if (wrong !== undefined) this.refuse(wrong.status, notClean(wrong.because));
    }
    return false;
  }

  private tooLong(): false {
    this.refuse(431, notClean(`its head is longer than ${this.common.shared.limits.headBytes} bytes`));
    return false;
  }

  refuse(status: number, message: string): void {
    this.common.shared.stats.answered("BadRequest");
    this.held = undefined;
    if (!this.socket.writable) this.socket.destroy();
    else this.linger(refusalText(status, message));
  }

  /** Writes the last there is to say; then reads away what still comes, for a reset would overtake the answer. */
  private linger(text: string): void {
    this.lingering = true;
    this.held = undefined;
    this.request = undefined;
    this.sinceMs = this.common.nowMs;
    if (text === "") this.socket.end();
    else this.socket.end(text, "latin1");
    this.socket.resume();
  }

  /** An answer is complete. */
  answered(request: ClientRequest, close: boolean): void {
    if (this.request !== request) return;
    this.sinceMs = this.common.nowMs;
    if (close) {
      this.linger("");
      return;
    }
    // A rest of a body too small to close for.
    if (request.discards()) return;
    this.over();
  }

  /** The next one, if it is here already. */
  over(): void {
    this.request = undefined;
    if (this.held !== undefined) this.advance();
    if (this.socket.isPaused()) this.socket.resume();
  }

  switch(text: string, upstream: Socket, early: Buffer, done: () => void): void {
    const { socket, held } = this;
    this.common.open.delete(this);
    socket.removeListener("data", this.read);
    socket.removeListener("drain", this.drained);
    socket.removeListener("end", this.ended);
    socket.removeListener("close", this.closed);
    this.request = undefined;
    this.held = undefined;
    this.tunnels = true;
    socket.write(text, "latin1");
    if (early.length > 0) socket.write(early);
    if (held !== undefined) upstream.write(held);
    joinSockets(socket, upstream, done);
  }

  closeIfIdle(sinceMs = Number.POSITIVE_INFINITY): void {
    if (this.request === undefined && this.held === undefined && this.sinceMs <= sinceMs)
      this.socket.destroy();
  }

  sweep(nowMs: number): void {
    const { headMs, keepAliveMs, firstByteMs, lingerMs } = this.common.shared.limits;
    const waitedMs = nowMs - this.sinceMs;
    if (this.lingering) {
      if (waitedMs > lingerMs) this.socket.destroy();
    } else if (this.request !== undefined) {
      if (this.request.discarding && waitedMs > headMs) this.socket.destroy();
    } else if (this.held !== undefined) {
      if (waitedMs > headMs) this.refuse(408, `the head of the request did not come within ${headMs} ms`);
    } else if (waitedMs > (this.served ? keepAliveMs : firstByteMs)) this.socket.destroy();
  }
}

function nothing(): void {
  // A broken connection closes, and that is what counts.
}

/** One request on a connection: where its body comes from, and where its answer goes. */
class ClientRequest implements Front, FrontReply, BodySource {
  readonly overH2 = false;
  onDrain: (() => void) | undefined;
  onGone: (() => void) | undefined;
  timing: (() => string) | undefined;
  gone = false;
  body: RequestBody | undefined;
  /** Bytes that come belong to this request's body, and somebody takes them. */
  reading = false;
  discarding = false;
  private left = 0;
  private decoder: ChunkedDecoder | undefined;
  private bodyDone = true;
  private abandoned = false;
  private continued = false;
  private begun = false;
  private ended = false;
  private close = false;
  private chunked = false;
  private head = "";
  /** Copies of what was read that the body still needs. */
  private lent: Buffer[] = [];

  constructor(
    private readonly connection: ClientConnection,
    private readonly incoming: Incoming,
  ) {}

  get listener(): ListenerName {
    return this.connection.common.listener;
  }

  get reply(): FrontReply {
    return this;
  }

  /** Takes the body if all of it is there, and gives back what is not taken. */
  open(bytes: Buffer, from: number, text: string | undefined): Buffer | undefined {
    const { incoming } = this;
    const { limits } = this.connection.common.shared;
    const length = incoming.contentLength ?? 0;
    if (incoming.chunked) {
      this.decoder = new ChunkedDecoder();
      this.bodyDone = false;
      this.body = new RequestBody(this, undefined, limits);
    } else if (length > 0) {
      const end = from + length;
      if (end <= bytes.length) {
        const whole = text === undefined ? this.lend(bytes.subarray(from, end)) : text.slice(0, length);
        this.body = new RequestBody(this, length, limits, whole);
        return end === bytes.length ? undefined : bytes.subarray(end);
      }
      this.left = length;
      this.bodyDone = false;
      this.body = new RequestBody(this, length, limits);
    }
    return from === bytes.length ? undefined : bytes.subarray(from);
  }

  start(): void {
    this.reading = true;
    const { connection } = this;
    const { held } = connection;
    connection.held = undefined;
    if (held !== undefined) this.refeed(held);
    if (!this.bodyDone && this.reading && connection.socket.isPaused()) connection.socket.resume();
  }

  pause(): void {
    if (!this.bodyDone) this.connection.socket.pause();
  }

  resume(): void {
    this.connection.socket.resume();
  }

  abandon(): void {
    this.abandoned = true;
    this.reading = false;
  }

  spent(): void {
    const { lent } = this;
    this.lent = [];
    this.connection.common.shared.memory.back(lent);
  }

  /** These bytes for as long as the body needs them. */
  private lend(bytes: Buffer): Buffer {
    if (!this.connection.passes(bytes)) return bytes;
    const copy = this.connection.common.shared.memory.copy(bytes, 0, bytes.length);
    this.lent.push(copy);
    return copy;
  }

  /** What is left when the body ends within these bytes. */
  feed(bytes: Buffer): Buffer | undefined {
    if (this.decoder !== undefined) return this.feedChunks(this.decoder, bytes);
    const { left } = this;
    if (bytes.length < left) {
      this.left = left - bytes.length;
      if (!this.discarding) this.body?.take(this.lend(bytes));
      return undefined;
    }
    this.left = 0;
    this.finishBody(bytes.length === left ? bytes : bytes.subarray(0, left), []);
    return bytes.length === left ? undefined : bytes.subarray(left);
  }

  private feedChunks(decoder: ChunkedDecoder, bytes: Buffer): Buffer | undefined {
    const own = this.lend(bytes);
    // Not to be had back while parts of it are still to be taken.
    const copies = this.lent;
    this.lent = [];
    const decoded = decoder.feed(own, 0, own.length, (from, stop) =>
      this.body?.take(stop - from === own.length ? own : own.subarray(from, stop)),
    );
    this.lent = copies;
    if (decoded === "more") return undefined;
    if (decoded === "done") {
      this.finishBody(undefined, decoder.trailers);
      return decoder.end === bytes.length ? undefined : bytes.subarray(decoder.end);
    }
    // What follows may be anything, and the model must not take the half for the whole.
    this.reading = false;
    if (this.begun || this.gone) this.connection.socket.destroy();
    else {
      const { connection } = this;
      this.lose();
      connection.refuse(400, notClean(decoded.because));
    }
    return undefined;
  }

  private finishBody(last: Buffer | undefined, trailers: readonly string[]): void {
    this.reading = false;
    this.bodyDone = true;
    if (this.discarding) this.connection.over();
    else {
      if (last !== undefined) this.body?.take(this.lend(last));
      this.body?.finish(trailers);
    }
  }

  /** After a complete answer: true while a rest of the body is read away. */
  discards(): boolean {
    if (this.bodyDone) return false;
    this.discarding = true;
    this.reading = true;
    const { connection } = this;
    const { held } = connection;
    connection.held = undefined;
    connection.socket.resume();
    if (held !== undefined) this.refeed(held);
    return true;
  }

  private refeed(held: Buffer): void {
    const { connection } = this;
    connection.held = this.feed(held);
    if (connection.held !== undefined) connection.advance();
  }

  /** The client is gone. */
  lose(): void {
    if (this.gone) return;
    this.gone = true;
    this.reading = false;
    this.body?.lost();
    if (!this.ended) this.onGone?.();
  }

  get flushed(): boolean {
    return this.connection.socket.writableLength === 0;
  }

  inform(status: number, lines: string): void {
    if (this.gone || this.begun || this.incoming.http10) return;
    if (status === 100) this.continued = true;
    this.connection.socket.write(`${headText({ ...interim, status, lines })}\r\n`, "latin1");
  }

  begin(head: ReplyHead): void {
    if (this.gone || this.begun) return;
    this.begun = true;
    const { incoming } = this;
    const { shared } = this.connection.common;
    this.close =
      !incoming.keepAlive ||
      shared.draining ||
      incoming.upgrade !== undefined ||
      // What was sent along with an offer may be in the protocol that was offered.
      (incoming.declined && this.connection.held !== undefined) ||
      this.leavesBodyUnread();
    let text = headText(head);
    if (lacksLength(head, incoming.method)) text += "Content-Length: 0\r\n";
    if (head.dated !== true) text += `Date: ${shared.date()}\r\n`;
    if (this.timing !== undefined) text += `Server-Timing: ${this.timing()}\r\n`;
    if (head.hasBody && head.length === undefined) {
      // HTTP/1.0 knows no chunks: there the end of the connection is the end of the answer.
      if (incoming.http10) this.close = true;
      else {
        this.chunked = true;
        text += "Transfer-Encoding: chunked\r\n";
      }
    }
    this.head = text + (this.close ? closing : this.connection.common.staying);
  }

  /** What is left of a body would be taken for the next request; a small rest is read away instead. */
  private leavesBodyUnread(): boolean {
    if (this.bodyDone) return false;
    if (this.abandoned || this.decoder !== undefined) return true;
    // A client told no instead of 100 may send its body or not, and nobody can say which.
    if (this.incoming.expect !== undefined && !this.continued) return true;
    return this.left > this.connection.common.shared.limits.gatherBytes;
  }

  flush(): void {
    if (this.head === "" || this.gone) return;
    this.connection.socket.write(this.head, "latin1");
    this.head = "";
  }

  write(chunk: Piece): boolean {
    const { socket } = this.connection;
    if (this.gone || chunk.length === 0) return true;
    this.send(socket, chunk, "");
    return socket.writableLength < unreadBytes;
  }

  end(last: Piece | undefined, trailers: readonly string[]): void {
    if (this.gone || this.ended) return;
    this.ended = true;
    const { socket } = this.connection;
    const tail = this.chunked ? lastChunk(trailers) : "";
    if (last !== undefined && last.length > 0) this.send(socket, last, tail);
    else if (this.head !== "" || tail !== "") {
      socket.write(this.head + tail, "latin1");
      this.head = "";
    }
    this.connection.answered(this, this.close);
  }

  /** A small piece leaves with its head and framing as one string, which is one system call and no buffer. */
  private send(socket: Socket, chunk: Piece, tail: string): void {
    let before = this.head;
    let after = tail;
    this.head = "";
    if (this.chunked) {
      before += `${chunk.length.toString(16)}\r\n`;
      after = `\r\n${tail}`;
    }
    if (typeof chunk === "string") {
      socket.write(before + chunk + after, "latin1");
      return;
    }
    if (chunk.length <= oneWriteBytes) {
      socket.write(before + chunk.toString("latin1") + after, "latin1");
      return;
    }
    if (before === "" && after === "") {
      socket.write(chunk);
      return;
    }
    socket.cork();
    if (before !== "") socket.write(before, "latin1");
    socket.write(chunk);
    if (after !== "") socket.write(after, "latin1");
    socket.uncork();
  }

  abort(): void {
    const { socket } = this.connection;
    this.gone = true;
    // An answer that ends with its connection would look whole.
    if (this.incoming.http10 && !this.incoming.secure) socket.resetAndDestroy();
    else socket.destroy();
  }

  switch(head: ReplyHead, upstream: Socket, early: Buffer, done: () => void): void {
    this.ended = true;
    const text = `${headText(head)}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    this.connection.switch(text, upstream, early, done);
  }
}

/** HTTP/2 ends an answer without a word about its length; here silence would mean that one follows. */
function lacksLength({ hasBody, length, status, lines }: ReplyHead, method: string): boolean {
  if (hasBody || length !== 0 || method === "HEAD" || status === 204 || status === 304) return false;
  return fieldOf(lines, "content-length") === undefined;
}

const interim: Pick<ReplyHead, "reason" | "length" | "hasBody"> = {
  reason: "",
  length: undefined,
  hasBody: false,
};
const closing = "Connection: close\r\n\r\n";
