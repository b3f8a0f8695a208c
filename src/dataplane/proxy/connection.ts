// One HTTP/1.1 connection to a pod, carrying one exchange at a time.
import type { Socket } from "node:net";
import { type BodyFailure, type BodySink, bodyFailures, type RequestBody } from "./body.js";
import { ChunkedDecoder, lastChunk } from "./chunked.js";
import type { Exchange, Forwarded } from "./exchange.js";
import { FieldScanner } from "./fields.js";
import { longestTimerMs, oneWriteBytes, type ProxyLimits, unreadBytes } from "./limits.js";
import { type BadHead, type ResponseHead, readResponseHead } from "./responseHead.js";

/** `stale`: a kept connection closed before the first byte of an answer, and the body can be sent again. */
export type Ran = Forwarded | { readonly outcome: "stale" };

export interface ConnectionOwner {
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
  private headText = "";
  private deadline: NodeJS.Timeout | undefined;
  private deadlineMs = 0;
  private continueTimer: NodeJS.Timeout | undefined;

  constructor(
    readonly socket: Socket,
    readonly address: string,
    private readonly limits: ProxyLimits,
    private readonly owner: ConnectionOwner,
  ) {
    socket.on("data", (bytes: Buffer) => this.read(bytes));
    socket.on("drain", () => this.exchange?.body?.resume());
    socket.on("end", () => this.ended());
    socket.on("error", (error: NodeJS.ErrnoException) =>
      this.collapse("closed", `the connection broke (${error.code ?? error.message})`),
    );
    socket.on("close", () => {
      clearTimeout(this.deadline);
      this.collapse("closed", "the connection closed");
      this.owner.gone(this);
    });
    socket.setTimeout(limits.stallMs, () =>
      this.collapse("timeout", `no byte moved for ${limits.stallMs} ms`),
    );
  }

  run(exchange: Exchange, done: (ran: Ran) => void): void {
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

  whole(chunks: readonly Buffer[]): void {
    const head = this.headText;
    this.headText = "";
    const [only] = chunks;
    if (only !== undefined && chunks.length === 1 && only.length <= oneWriteBytes) {
      this.socket.write(head + only.toString("latin1"), "latin1");
    } else {
      this.socket.cork();
      if (head !== "") this.socket.write(head, "latin1");
      for (const chunk of chunks) this.socket.write(chunk);
      this.socket.uncork();
    }
    this.requestDone = true;
  }

  write(chunk: Buffer): boolean {
    if (chunk.length === 0) return true;
    const { socket } = this;
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

  private arm(ms: number): void {
    // One timer serves a connection all its life: renewing it costs far less than making another.
    if (this.deadline !== undefined && this.deadlineMs === ms) {
      this.deadline.refresh();
      return;
    }
    clearTimeout(this.deadline);
    this.deadlineMs = ms;
    this.deadline = setTimeout(() => this.collapse("timeout", `no complete answer within ${ms} ms`), ms);
    this.deadline.unref();
  }

  private goOn(body: RequestBody): void {
    clearTimeout(this.continueTimer);
    if (this.continueTimer === undefined) return;
    this.continueTimer = undefined;
    this.exchange?.reply.inform(continueLine, "");
    body.pump(this);
  }

  private readonly clientGone = (): void => this.breakOff("clientGone", bodyFailures.clientGone);

  private readonly clientDrained = (): void => {
    this.socket.resume();
  };

  private read(bytes: Buffer): void {
    if (this.exchange === undefined) {
      // Nobody asked: a pod out of step would answer the next request with the last one's answer.
      this.socket.destroy();
      return;
    }
    this.heard = true;
    if (this.phase === "head") this.readHead(bytes);
    else this.readBody(bytes, 0);
  }

  private readHead(received: Buffer): void {
    let bytes = this.pending === undefined ? received : Buffer.concat([this.pending, received]);
    this.pending = undefined;
    for (;;) {
      const exchange = this.exchange;
      if (exchange === undefined) return;
      const end = bytes.indexOf("\r\n\r\n", 0, "latin1");
      if (end < 0 ? bytes.length > this.limits.headBytes : end > this.limits.headBytes) {
        this.collapse("malformed", `the response head is longer than ${this.limits.headBytes} bytes`);
        return;
      }
      if (end < 0) {
        this.pending = bytes;
        return;
      }
      const head: ResponseHead | BadHead = readResponseHead(this.scanner, bytes, 0, end + 2, exchange.method);
      if (head.outcome === "bad") {
        this.collapse("malformed", `the response is not HTTP: ${head.because}`);
        return;
      }
      if (head.status === switching) {
        this.switch(exchange, head, bytes.subarray(end + 4));
        return;
      }
      if (head.status >= 200) {
        this.answer(exchange, head, bytes, end + 4);
        return;
      }
      this.inform(exchange, head);
      bytes = bytes.subarray(end + 4);
      if (bytes.length === 0) return;
    }
  }

  private inform(exchange: Exchange, head: ResponseHead): void {
    if (head.status !== continueLine) exchange.reply.inform(head.status, head.lines);
    else if (exchange.expectContinue && exchange.body !== undefined) this.goOn(exchange.body);
  }

  private answer(exchange: Exchange, head: ResponseHead, bytes: Buffer, at: number): void {
    clearTimeout(this.continueTimer);
    this.continueTimer = undefined;
    this.head = head;
    this.begun = true;
    exchange.body?.forget();
    exchange.reply.begin(head);
    switch (head.framing) {
      case "none":
        if (at < bytes.length) head = this.refuseReuse(head);
        this.finish(undefined, []);
        return;
      case "length":
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
    if (at < bytes.length) this.readBody(bytes, at);
    else exchange.reply.flush();
  }

  private readBody(bytes: Buffer, from: number): void {
    const reply = this.exchange?.reply;
    if (reply === undefined) return;
    if (this.phase === "chunked") {
      this.readChunks(bytes, from);
      return;
    }
    const slice = from === 0 ? bytes : bytes.subarray(from);
    if (this.phase === "length") {
      if (slice.length >= this.left) {
        if (slice.length > this.left && this.head !== undefined) this.head = this.refuseReuse(this.head);
        this.finish(slice.length === this.left ? slice : slice.subarray(0, this.left), []);
        return;
      }
      this.left -= slice.length;
    }
    if (!reply.write(slice)) this.socket.pause();
  }

  private readChunks(bytes: Buffer, from: number): void {
    const decoder = this.decoder as ChunkedDecoder;
    const reply = this.exchange?.reply;
    let room = true;
    const decoded = decoder.feed(bytes, from, (slice) => {
      room = reply?.write(slice) ?? true;
    });
    if (decoded === "done") {
      if (decoder.end < bytes.length && this.head !== undefined) this.head = this.refuseReuse(this.head);
      this.finish(undefined, decoder.trailers);
    } else if (decoded !== "more")
      this.collapse("malformed", `the response body is not HTTP: ${decoded.because}`);
    else if (!room && this.exchange !== undefined) this.socket.pause();
  }

  /** Bytes after the end of an answer belong to nobody: the connection is not used again. */
  private refuseReuse(head: ResponseHead): ResponseHead {
    this.head = { ...head, keepAlive: false };
    return this.head;
  }

  private finish(last: Buffer | undefined, trailers: readonly string[]): void {
    const { exchange, done, head } = this;
    if (exchange === undefined || done === undefined || head === undefined) return;
    this.clear(exchange);
    this.served += 1;
    if (head.keepAlive && this.requestDone && !this.socket.destroyed) {
      this.podIdleMs = head.idleMs;
      this.socket.resume();
      this.owner.release(this);
    } else this.socket.destroy();
    exchange.reply.end(last, trailers);
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
    this.socket.removeAllListeners("timeout");
    this.socket.setTimeout(this.limits.tunnelIdleMs, () => this.socket.destroy());
    reply.switch(head, this.socket, early, () => done?.({ outcome: "answered", status: switching }));
  }

  private ended(): void {
    if (this.phase === "untilClose" && this.begun && this.exchange !== undefined) this.finish(undefined, []);
    else
      this.collapse(
        "closed",
        this.begun
          ? "the connection closed in the middle of the answer"
          : "the connection closed before it answered",
      );
  }

  fail(how: BodyFailure): void {
    this.breakOff(how, bodyFailures[how]);
  }

  private collapse(how: Broken["how"], because: string): void {
    this.socket.destroy();
    this.breakOff(how, because);
  }

  private breakOff(how: Broken["how"], because: string): void {
    const { exchange, done } = this;
    if (exchange === undefined || done === undefined) return;
    const again = how === "closed" && !this.heard && this.served > 0 && (exchange.body?.canReplay ?? true);
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
    clearTimeout(this.continueTimer);
    this.continueTimer = undefined;
    exchange.body?.unpump();
    exchange.reply.onGone = undefined;
    exchange.reply.onDrain = undefined;
  }
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
