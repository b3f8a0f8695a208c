// One HTTP/1.1 connection to a pod, carrying one exchange at a time.
import type { Socket } from "node:net";
import { type BodyFailure, type BodySink, clientWentAway, type RequestBody } from "./body.js";
import { ChunkedDecoder, lastChunk } from "./chunked.js";
import type { Exchange, Forwarded, Piece } from "./exchange.js";
import { FieldScanner, headEndOf } from "./fields.js";
import { lastBytesMs, longestTimerMs, oneWriteBytes, type ProxyLimits, unreadBytes } from "./limits.js";
import type { Memory } from "./memory.js";
import { type ResponseHead, readResponseHead } from "./responseHead.js";

/** `stale`: a kept connection closed before the first byte of an answer, and the body can be sent again. */
export type Ran = Forwarded | { readonly outcome: "stale" };

export interface ConnectionOwner {
  readonly memory: Memory;
  /** Time to the nearest sweep. */
  readonly nowMs: number;
  release(connection: Connection): void;
  gone(connection: Connection): void;
}

type Broken = Extract<Forwarded, { outcome: "broken" }>;

const continueLine = 100;
const switching = 101;

export class Connection implements BodySink {
  /** When an idle one must no longer be used, by the pool's clock. */
  idleUntilMs = 0;
  /** The pod's own idle time, from its last answer. */
  podIdleMs: number | undefined;

  private exchange: Exchange | undefined;
  private done: ((ran: Ran) => void) | undefined;
  private served = 0;
  private phase: "head" | "length" | "chunked" | "untilClose" = "head";
  private pending: Buffer | undefined;
  private left = 0;
  private decoder: ChunkedDecoder | undefined;
  private head: ResponseHead | undefined;
  private heard = false;
  private begun = false;
  private requestDone = false;
  private chunkedRequest = false;
  private paused = false;
  /** Nobody is at its other end any more. */
  private lost = false;
  private headText = "";
  /** When a byte moved last, by the owner's clock. */
  private movedMs = 0;
  private deadline: NodeJS.Timeout | undefined;
  private firesMs = 0;
  private dueMs = 0;
  private limitMs = 0;
  private continueTimer: NodeJS.Timeout | undefined;
  /** Copies of what was read that may not have left yet. */
  private lent: Buffer[] = [];

  constructor(
    readonly socket: Socket,
    readonly address: string,
    private readonly limits: ProxyLimits,
    private readonly owner: ConnectionOwner,
  ) {
    socket.on("drain", () => {
      this.movedMs = this.owner.nowMs;
      this.exchange?.body?.resume();
    });
    socket.on("end", () => this.ended());
    socket.on("error", (error: NodeJS.ErrnoException) =>
      this.collapse("closed", `the connection broke (${error.code ?? error.message})`),
    );
    socket.on("close", () => {
      clearTimeout(this.deadline);
      this.collapse("closed", "the connection closed");
      this.owner.gone(this);
    });
  }

  /** What has not moved since then has stalled. */
  sweep(sinceMs: number): void {
    if (this.exchange !== undefined && this.movedMs < sinceMs)
      this.collapse("timeout", `no byte moved for ${this.limits.stallMs} ms`);
  }

  /**
   * Its pod has ended. Where the network went with the pod nobody says so to the socket, so it ends here once what
   * still was on its way has come; a client that reads slowly may have the rest of its answer.
   */
  lose(because: string): void {
    this.lost = true;
    const { socket } = this;
    let had = socket.bytesRead;
    const look = () => {
      if (socket.destroyed) return;
      if (socket.bytesRead === had && !socket.isPaused()) {
        this.collapse("closed", because);
        return;
      }
      had = socket.bytesRead;
      setTimeout(look, lastBytesMs).unref();
    };
    setTimeout(look, lastBytesMs).unref();
  }

  run(exchange: Exchange, done: (ran: Ran) => void): void {
    this.movedMs = this.owner.nowMs;
    this.exchange = exchange;
    this.done = done;
    this.phase = "head";
    this.pending = undefined;
    this.head = undefined;
    this.heard = false;
    this.begun = false;
    this.requestDone = false;
    const { body, reply } = exchange;
    reply.onGone = this.clientGone;
    reply.onDrain = this.clientDrained;
    this.arm(Math.min(exchange.timeoutMs ?? this.limits.answerMs, longestTimerMs));

    this.chunkedRequest = body !== undefined && body.length === undefined;
    const head = requestHead(exchange);
    if (body === undefined) {
      this.socket.write(head, "latin1");
      this.requestDone = true;
    } else if (exchange.expectContinue) {
      this.socket.write(head, "latin1");
      this.continueTimer = setTimeout(() => this.goOn(body), this.limits.continueMs);
    } else {
      this.headText = head;
      body.pump(this);
      // A body that streams takes the head along in one write if its first bytes are here, and else must not hold it.
      if (this.headText !== "") setImmediate(this.flushHead);
    }
  }

  whole(body: string | readonly Buffer[]): void {
    const head = this.headText;
    this.headText = "";
    const only = typeof body !== "string" && body.length === 1 ? body[0] : undefined;
    if (typeof body === "string") this.socket.write(head + body, "latin1");
    else if (only !== undefined && only.length <= oneWriteBytes)
      this.socket.write(head + only.toString("latin1"), "latin1");
    else {
      this.socket.cork();
      if (head !== "") this.socket.write(head, "latin1");
      for (const chunk of body) this.socket.write(chunk);
      this.socket.uncork();
    }
    this.requestDone = true;
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    const { socket } = this;
    this.movedMs = this.owner.nowMs;
    let before = this.headText;
    this.headText = "";
    if (this.chunkedRequest) before += `${chunk.length.toString(16)}\r\n`;
    const after = this.chunkedRequest ? "\r\n" : "";
    if (chunk.length <= oneWriteBytes) socket.write(before + chunk.toString("latin1") + after, "latin1");
    else if (before === "" && after === "") socket.write(chunk);
    else {
      socket.cork();
      if (before !== "") socket.write(before, "latin1");
      socket.write(chunk);
      if (after !== "") socket.write(after, "latin1");
      socket.uncork();
    }
    return socket.writableLength < unreadBytes;
  }

  get flushed(): boolean {
    return this.socket.writableLength === 0;
  }

  end(trailers: readonly string[]): void {
    this.flushHead();
    if (this.chunkedRequest) this.socket.write(lastChunk(trailers), "latin1");
    this.requestDone = true;
  }

  private readonly scanner = new FieldScanner();

  private readonly flushHead = (): void => {
    if (this.headText === "") return;
    this.socket.write(this.headText, "latin1");
    this.headText = "";
  };

  /** Its timer is made anew only when it would fire too late; one that fires too early is set to what is left. */
  private arm(ms: number): void {
    const nowMs = performance.now();
    this.limitMs = ms;
    this.dueMs = nowMs + ms;
    if (this.deadline === undefined || this.firesMs > this.dueMs) this.setDeadline(nowMs, ms);
  }

  private setDeadline(nowMs: number, ms: number): void {
    clearTimeout(this.deadline);
    this.firesMs = nowMs + ms;
    this.deadline = setTimeout(this.fired, ms);
    this.deadline.unref();
  }

  private readonly fired = (): void => {
    this.deadline = undefined;
    if (this.exchange === undefined) return;
    const nowMs = performance.now();
    const leftMs = this.dueMs - nowMs;
    // Timers may fire a part of a millisecond early.
    if (leftMs >= 1) this.setDeadline(nowMs, leftMs);
    else this.collapse("timeout", `no complete answer within ${this.limitMs} ms`);
  };

  private goOn(body: RequestBody): void {
    clearTimeout(this.continueTimer);
    if (this.continueTimer === undefined) return;
    this.continueTimer = undefined;
    this.exchange?.reply.inform(continueLine, "");
    body.pump(this);
  }

  private readonly clientGone = (): void => this.breakOff("clientGone", clientWentAway);

  private readonly clientDrained = (): void => {
    const reply = this.exchange?.reply;
    if (reply !== undefined) this.takeBack(reply);
    this.resume();
  };

  private pause(): void {
    this.paused = true;
    this.socket.pause();
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  /** Bytes of the pool's one buffer: they are used or copied here and now. */
  read(bytes: Buffer, length: number): void {
    if (this.exchange === undefined) {
      // Nobody asked: a pod out of step would answer the next request with the last one's answer.
      this.socket.destroy();
      return;
    }
    this.heard = true;
    this.movedMs = this.owner.nowMs;
    if (this.phase === "head") this.readHead(bytes, length);
    else this.readBody(bytes, 0, length);
  }

  private readHead(received: Buffer, length: number): void {
    let bytes = received;
    let stop = length;
    if (this.pending !== undefined) {
      bytes = Buffer.concat([this.pending, received.subarray(0, length)]);
      stop = bytes.length;
      this.pending = undefined;
    }
    for (let from = 0; from < stop; ) {
      const exchange = this.exchange;
      if (exchange === undefined) return;
      const end = headEndOf(bytes, from, stop);
      if ((end < 0 ? stop : end) - from > this.limits.headBytes) {
        this.collapse("malformed", `the response head is longer than ${this.limits.headBytes} bytes`);
        return;
      }
      if (end < 0) {
        this.pending = copied(bytes, from, stop);
        return;
      }
      // A short answer is made a string once: its head and its body are parts of that.
      const textEnd = stop - from <= oneWriteBytes ? stop : end + 2;
      const text = bytes.toString("latin1", from, textEnd);
      const head = readResponseHead(this.scanner, bytes, from, end + 2, exchange.method, text);
      if (head.outcome === "bad") {
        this.collapse("malformed", `the response is not HTTP: ${head.because}`);
        return;
      }
      const at = end + 4 - from;
      from = end + 4;
      if (head.status === switching) {
        this.switch(exchange, head, copied(bytes, from, stop));
        return;
      }
      if (head.status >= 200) {
        this.answer(exchange, head, bytes, from, stop, textEnd === stop ? text.slice(at) : undefined);
        return;
      }
      this.inform(exchange, head);
    }
  }

  private inform(exchange: Exchange, head: ResponseHead): void {
    if (head.status !== continueLine) exchange.reply.inform(head.status, head.lines);
    else if (exchange.expectContinue && exchange.body !== undefined) this.goOn(exchange.body);
  }

  private answer(
    exchange: Exchange,
    head: ResponseHead,
    bytes: Buffer,
    at: number,
    stop: number,
    text: string | undefined,
  ): void {
    clearTimeout(this.continueTimer);
    this.continueTimer = undefined;
    this.head = head;
    this.begun = true;
    exchange.body?.forget();
    exchange.reply.begin(head);
    switch (head.framing) {
      case "none":
        if (at < stop) this.refuseReuse(head);
        this.finish(undefined, none);
        return;
      case "length":
        if (text !== undefined && text.length === head.length) {
          this.finish(text, none);
          return;
        }
        this.phase = "length";
        this.left = head.length ?? 0;
        break;
      case "chunked":
        this.phase = "chunked";
        this.decoder = new ChunkedDecoder();
        break;
      case "untilClose":
        this.phase = "untilClose";
    }
    if (at < stop) this.readBody(bytes, at, stop);
    else exchange.reply.flush();
  }

  private readBody(bytes: Buffer, from: number, stop: number): void {
    const reply = this.exchange?.reply;
    if (reply === undefined) return;
    if (this.phase === "chunked") {
      this.readChunks(this.decoder as ChunkedDecoder, reply, bytes, from, stop);
      return;
    }
    if (this.phase === "length") {
      const { left, head } = this;
      if (stop - from >= left) {
        if (stop - from > left && head !== undefined) this.refuseReuse(head);
        this.finish(this.pieceOf(bytes, from, from + left, reply), none);
        return;
      }
      this.left = left - (stop - from);
    }
    if (!reply.write(this.pieceOf(bytes, from, stop, reply))) this.pause();
    this.takeBack(reply);
  }

  /** Bytes of a buffer that is read into again: a small piece as a string, a large one as a buffer of its own. */
  private pieceOf(bytes: Buffer, from: number, stop: number, reply: Exchange["reply"]): Piece {
    if (stop - from <= oneWriteBytes) return bytes.toString("latin1", from, stop);
    // Whoever cannot say when it has left keeps it.
    if (reply.flushed === undefined) return copied(bytes, from, stop);
    const piece = this.owner.memory.copy(bytes, from, stop);
    this.lent.push(piece);
    return piece;
  }

  private takeBack(reply: Exchange["reply"]): void {
    const { lent } = this;
    if (lent.length === 0 || reply.flushed !== true) return;
    this.lent = [];
    this.owner.memory.back(lent);
  }

  private readChunks(
    decoder: ChunkedDecoder,
    reply: Exchange["reply"],
    bytes: Buffer,
    from: number,
    stop: number,
  ): void {
    // Where one chunk ends and another begins means nothing: small ones that came together leave together.
    let gathered = "";
    let room = true;
    const gathers = stop - from <= oneWriteBytes;
    const decoded = decoder.feed(bytes, from, stop, (start, end) => {
      if (gathers) gathered += bytes.toString("latin1", start, end);
      else room = reply.write(this.pieceOf(bytes, start, end, reply));
    });
    if (!gathers) this.takeBack(reply);
    if (decoded === "done") {
      if (decoder.end < stop && this.head !== undefined) this.refuseReuse(this.head);
      this.finish(gathered === "" ? undefined : gathered, decoder.trailers);
      return;
    }
    if (gathered !== "") room = reply.write(gathered);
    if (decoded !== "more") this.collapse("malformed", `the response body is not HTTP: ${decoded.because}`);
    else if (!room && this.exchange !== undefined) this.pause();
  }

  /** Bytes after the end of an answer belong to nobody: the connection is not used again. */
  private refuseReuse(head: ResponseHead): void {
    this.head = { ...head, keepAlive: false };
  }

  private finish(last: Piece | undefined, trailers: readonly string[]): void {
    const { exchange, done, head, lent } = this;
    if (exchange === undefined || done === undefined || head === undefined) return;
    this.clear(exchange);
    this.served += 1;
    if (head.keepAlive && this.requestDone && !this.lost && !this.socket.destroyed) {
      this.podIdleMs = head.idleMs;
      this.resume();
      this.owner.release(this);
    } else this.socket.destroy();
    exchange.reply.end(last, trailers);
    if (lent.length > 0 && exchange.reply.flushed === true) this.owner.memory.back(lent);
    done({ outcome: "answered", status: head.status });
  }

  private switch(exchange: Exchange, head: ResponseHead, early: Buffer): void {
    const { reply } = exchange;
    if (exchange.upgrade === undefined || reply.switch === undefined) {
      this.collapse("malformed", "the pod switched protocols unasked");
      return;
    }
    const done = this.done;
    this.clear(exchange);
    clearTimeout(this.deadline);
    this.socket.removeAllListeners("data");
    this.socket.removeAllListeners("drain");
    this.socket.removeAllListeners("end");
    this.socket.setTimeout(this.limits.tunnelIdleMs, () => this.socket.destroy());
    reply.switch(head, this.socket, early, () => done?.({ outcome: "answered", status: switching }));
  }

  private ended(): void {
    if (this.phase === "untilClose" && this.begun && this.exchange !== undefined)
      this.finish(undefined, none);
    else
      this.collapse(
        "closed",
        this.begun
          ? "the connection closed in the middle of the answer"
          : "the connection closed before it answered",
      );
  }

  fail(how: BodyFailure, because: string): void {
    this.breakOff(how, because);
  }

  private collapse(how: Broken["how"], because: string): void {
    this.socket.destroy();
    this.breakOff(how, because);
  }

  private breakOff(how: Broken["how"], because: string): void {
    const { exchange, done } = this;
    if (exchange === undefined || done === undefined) return;
    // What a pod had when it ended may be what ended it.
    const again =
      how === "closed" && !this.heard && !this.lost && this.served > 0 && (exchange.body?.canReplay ?? true);
    this.clear(exchange);
    this.socket.destroy();
    if (again) {
      done({ outcome: "stale" });
      return;
    }
    if (this.begun) exchange.reply.abort();
    done({ outcome: "broken", because, how, begun: this.begun });
  }

  private clear(exchange: Exchange): void {
    this.exchange = undefined;
    this.done = undefined;
    this.decoder = undefined;
    this.pending = undefined;
    this.headText = "";
    this.lent = [];
    clearTimeout(this.continueTimer);
    this.continueTimer = undefined;
    exchange.body?.unpump();
    exchange.reply.onGone = undefined;
    exchange.reply.onDrain = undefined;
  }
}

const none: readonly string[] = [];

function copied(bytes: Buffer, from: number, stop: number): Buffer {
  const copy = Buffer.allocUnsafe(stop - from);
  bytes.copy(copy, 0, from, stop);
  return copy;
}

/** The head is written anew from checked parts; nothing of the client's framing is carried over. */
function requestHead(exchange: Exchange): string {
  const { body, method, upgrade } = exchange;
  let head = `${method} ${exchange.target} HTTP/1.1\r\n${exchange.lines}`;
  if (upgrade !== undefined) return `${head}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`;
  if (body === undefined) {
    // Some servers answer 411 to these when no length is named.
    const usual = method === "POST" || method === "PUT" || method === "PATCH";
    return usual ? `${head}Content-Length: 0\r\n\r\n` : `${head}\r\n`;
  }
  if (exchange.expectContinue) head += "Expect: 100-continue\r\n";
  return body.length === undefined
    ? `${head}Transfer-Encoding: chunked\r\n\r\n`
    : `${head}Content-Length: ${body.length}\r\n\r\n`;
}
