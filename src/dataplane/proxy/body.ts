// A request's body on its way to a pod. Small ones are gathered first, so that they leave in one write and can be
// sent again; large ones stream, and what has left is remembered only while it is small enough to send again.
import type { Readable } from "node:stream";
import { mayTrail } from "./chunked.js";
import type { Piece } from "./exchange.js";
import type { ProxyLimits } from "./limits.js";

export interface BodySink {
  /** All that was written has left; undefined when nobody can say. */
  readonly flushed?: boolean;
  /** The whole body at once, as a string of one character each or in the pieces it came in; instead of the others. */
  whole(body: string | readonly Buffer[]): void;
  /** False asks to wait for `resume`. */
  write(chunk: Buffer): boolean;
  end(trailers: readonly string[]): void;
  /** The client broke off, or sent more than it may. */
  fail(how: BodyFailure, because: string): void;
}

/** Where the bytes come from: once started, it calls `take`, and `finish` or `lost` at the end. */
export interface BodySource {
  start(body: RequestBody): void;
  pause(): void;
  resume(): void;
  /** Nothing more will be read of it. */
  abandon(): void;
  /** Nobody will look again at what was taken so far. */
  spent?(): void;
}

export type BodyFailure = "clientGone" | "tooLarge" | "tooSlow";

export const clientWentAway = "the client went away";

export type BodyLimits = Pick<ProxyLimits, "bodyBytes" | "gatherBytes" | "gatherMs" | "replayBytes">;

const empty = Buffer.alloc(0);
const none: Buffer[] = [];

export class RequestBody {
  /** Small enough to be gathered before it is sent. */
  readonly small: boolean;
  private sink: BodySink | undefined;
  private chunks: Buffer[] = [];
  /** Instead of chunks, where all of it was there with the head and is short. */
  private text: string | undefined;
  private seen = 0;
  private replayable = true;
  /** Somebody has what may be ours no longer. */
  private shown = false;
  private replayBytes: number;
  private keepers = 0;
  private forgotten = false;
  private whenWhole: ((body: Buffer | undefined) => void) | undefined;
  private started = false;
  private state: "open" | "complete" | "failed" = "open";
  private how: BodyFailure = "clientGone";
  private trailers: readonly string[] = [];
  private waiting: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    /** Never started when all was there with the head. */
    private readonly source: BodySource | undefined,
    /** From Content-Length; undefined for chunked or HTTP/2 without one. */
    readonly length: number | undefined,
    private readonly limits: BodyLimits,
    whole?: Piece,
  ) {
    this.replayBytes = limits.replayBytes;
    this.small = length !== undefined && length <= limits.gatherBytes;
    if (whole !== undefined) {
      if (typeof whole === "string") this.text = whole;
      else this.chunks.push(whole);
      this.state = "complete";
    }
  }

  get complete(): boolean {
    return this.state === "complete";
  }

  /** All that was sent so far can be sent once more. */
  get canReplay(): boolean {
    return this.replayable && this.state !== "failed";
  }

  /** Runs `ready` when a small body is all here, or has failed, which the sink will hear when it is pumped. */
  gather(ready: () => void): void {
    if (this.state !== "open") {
      ready();
      return;
    }
    this.waiting = ready;
    this.timer = setTimeout(() => this.fail("tooSlow"), this.limits.gatherMs);
    this.start();
  }

  /** Runs `ready` when all is here, or else after this turn: the one message of a call comes right behind its head. */
  soon(ready: () => void): void {
    if (this.state !== "open" || this.started) {
      ready();
      return;
    }
    let waits = true;
    const once = () => {
      if (waits) ready();
      waits = false;
    };
    this.waiting = once;
    this.start();
    setImmediate(() => {
      if (this.waiting === once) this.wake();
    });
  }

  /** All of it, when that is here already and nothing follows it. */
  get all(): Buffer | undefined {
    return this.complete && this.replayable && this.trailers.length === 0 ? this.joined() : undefined;
  }

  /** Sends what there is, then what comes. A second sink gets the body from its beginning. */
  pump(sink: BodySink): void {
    if (this.state === "failed") {
      sink.fail(this.how, this.because(this.how));
      return;
    }
    this.sink = sink;
    if (this.complete && this.replayable && this.length !== undefined) {
      sink.whole(this.text ?? this.chunks);
      return;
    }
    let room = true;
    for (const chunk of this.chunks) room = sink.write(chunk);
    if (this.complete) sink.end(this.trailers);
    else if (!this.started) this.start();
    else if (room) this.source?.resume();
  }

  unpump(): void {
    this.sink = undefined;
    if (this.state === "open" && this.started) this.source?.pause();
  }

  resume(): void {
    this.spend();
    if (this.state === "open") this.source?.resume();
  }

  /** The answer has begun: nothing will be sent again, unless somebody keeps it. */
  forget(): void {
    this.forgotten = true;
    this.letGo();
  }

  /** Until `release` it can be sent again, answer or not, if it has no more bytes than these. */
  keep(limitBytes: number): void {
    this.keepers += 1;
    this.replayBytes = Math.max(this.replayBytes, limitBytes);
  }

  release(): void {
    this.keepers -= 1;
    this.letGo();
  }

  /** Runs once all has come; without it when it could not be kept or did not come whole. */
  whole(run: (body: Buffer | undefined) => void): void {
    if (this.state === "open") this.whenWhole = run;
    else run(this.complete && this.replayable ? this.joined() : undefined);
  }

  private letGo(): void {
    if (this.keepers > 0 || !this.forgotten) return;
    this.drop();
    this.spend();
  }

  private drop(): void {
    this.replayable = false;
    this.text = undefined;
    this.chunks = none;
  }

  /** Not before what was taken last is written. */
  private spend(): void {
    if (!this.replayable && !this.shown && this.sink?.flushed === true) this.source?.spent?.();
  }

  take(chunk: Buffer): void {
    if (this.state !== "open") return;
    this.seen += chunk.length;
    if (this.seen > this.limits.bodyBytes) {
      this.fail("tooLarge");
      return;
    }
    if (this.replayable) {
      if (this.seen <= this.replayBytes) this.chunks.push(chunk);
      else this.drop();
    }
    if (this.sink === undefined) {
      if (this.waiting === undefined) this.source?.pause();
      // Nobody knows how much is to come: more than this does not wait for the rest.
      else if (this.length === undefined && this.seen > this.limits.gatherBytes) this.wake();
    } else {
      if (!this.sink.write(chunk)) this.source?.pause();
      this.spend();
    }
  }

  finish(trailers: readonly string[]): void {
    if (this.state !== "open") return;
    this.state = "complete";
    this.trailers = mayFollow(trailers);
    this.sink?.end(this.trailers);
    this.wake();
  }

  /** The client went away, or what it sent is no body. */
  lost(): void {
    this.fail("clientGone");
  }

  private joined(): Buffer {
    if (this.text !== undefined) return Buffer.from(this.text, "latin1");
    this.shown = true;
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0] ?? empty;
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    this.source?.start(this);
  }

  private fail(how: BodyFailure): void {
    if (this.state !== "open") return;
    this.state = "failed";
    this.how = how;
    this.source?.abandon();
    this.sink?.fail(how, this.because(how));
    this.wake();
  }

  private because(how: BodyFailure): string {
    if (how === "clientGone") return clientWentAway;
    return how === "tooLarge"
      ? `a body may have ${this.limits.bodyBytes} bytes`
      : `the body did not come within ${this.limits.gatherMs} ms`;
  }

  private wake(): void {
    clearTimeout(this.timer);
    const { whenWhole } = this;
    if (whenWhole !== undefined) this.whole(whenWhole);
    const ready = this.waiting;
    this.waiting = undefined;
    ready?.();
  }
}

function mayFollow(trailers: readonly string[]): readonly string[] {
  if (trailers.length === 0) return trailers;
  return trailers.flatMap((name, index) =>
    index % 2 === 0 && mayTrail(name) ? [name, trailers[index + 1] ?? ""] : [],
  );
}

/** Node's streams as a source: what `node:http` and `node:http2` give. */
export function streamSource(stream: Readable, trailers: () => readonly string[]): BodySource {
  return {
    start(body) {
      stream.on("data", (chunk: Buffer) => body.take(chunk));
      const lost = () => body.lost();
      stream.on("end", () => body.finish(trailers()));
      stream.on("error", lost);
      stream.on("close", lost);
      // `close` comes once only; a client that left before anyone listened must be noticed too.
      if (stream.destroyed && !stream.readableEnded) body.lost();
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    abandon: () => void stream.pause(),
  };
}
