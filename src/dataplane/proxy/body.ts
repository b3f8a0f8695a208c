// A request's body on its way to a pod. Small ones are gathered first, so that they leave in one write and can be
// sent again; large ones stream, and what has left is remembered only while it is small enough to send again.
import type { Readable } from "node:stream";
import { mayTrail } from "./chunked.js";

export interface BodySink {
  /** The whole body at once; called instead of the others. */
  whole(body: Buffer): void;
  /** False asks to wait for `resume`. */
  write(chunk: Buffer): boolean;
  end(trailers: readonly string[]): void;
  /** The client broke off, or sent more than it may. */
  fail(how: BodyFailure): void;
}

export type BodyFailure = "clientGone" | "tooLarge" | "tooSlow";

export const bodyFailures: Readonly<Record<BodyFailure, string>> = {
  clientGone: "the client went away",
  tooLarge: "the body is larger than allowed",
  tooSlow: "the body did not come in time",
};

export interface BodyOptions {
  /** From Content-Length; undefined for chunked or HTTP/2 without one. */
  readonly length: number | undefined;
  readonly limitBytes: number;
  readonly gatherBytes: number;
  readonly replayBytes: number;
  readonly gatherMs: number;
  trailers(): readonly string[];
}

const empty = Buffer.alloc(0);

export class RequestBody {
  readonly length: number | undefined;
  /** Small enough to be gathered before it is sent. */
  readonly small: boolean;
  private sink: BodySink | undefined;
  private chunks: Buffer[] = [];
  private seen = 0;
  private replayable = true;
  private started = false;
  private state: "open" | "complete" | "failed" = "open";
  private how: BodyFailure = "clientGone";
  private waiting: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly stream: Readable,
    private readonly options: BodyOptions,
  ) {
    this.length = options.length;
    this.small = options.length !== undefined && options.length <= options.gatherBytes;
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
    this.timer = setTimeout(() => this.fail("tooSlow"), this.options.gatherMs);
    this.start();
  }

  /** Sends what there is, then what comes. A second sink gets the body from its beginning. */
  pump(sink: BodySink): void {
    if (this.state === "failed") {
      sink.fail(this.how);
      return;
    }
    if (this.complete && this.replayable && this.length !== undefined) {
      sink.whole(this.joined());
      return;
    }
    this.sink = sink;
    let room = true;
    for (const chunk of this.chunks) room = sink.write(chunk);
    if (this.complete) sink.end(this.options.trailers());
    else if (!this.started) this.start();
    else if (room) this.stream.resume();
  }

  unpump(): void {
    this.sink = undefined;
    if (this.state === "open" && this.started) this.stream.pause();
  }

  resume(): void {
    if (this.state === "open") this.stream.resume();
  }

  /** The answer has begun: nothing will be sent again. */
  forget(): void {
    this.replayable = false;
    this.chunks = [];
  }

  private joined(): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0] ?? empty;
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    const { stream } = this;
    stream.on("data", (chunk: Buffer) => this.take(chunk));
    stream.once("end", () => this.finish());
    stream.once("error", () => this.fail("clientGone"));
    stream.once("close", () => this.fail("clientGone"));
    // `close` comes once only; a client that left before anyone listened must be noticed too.
    if (stream.destroyed && !stream.readableEnded) this.fail("clientGone");
  }

  private take(chunk: Buffer): void {
    if (this.state !== "open") return;
    this.seen += chunk.length;
    if (this.seen > this.options.limitBytes) {
      this.fail("tooLarge");
      return;
    }
    if (this.replayable) {
      if (this.seen <= this.options.replayBytes) this.chunks.push(chunk);
      else this.forget();
    }
    if (this.sink === undefined) {
      if (this.waiting === undefined) this.stream.pause();
    } else if (!this.sink.write(chunk)) this.stream.pause();
  }

  private finish(): void {
    if (this.state !== "open") return;
    this.state = "complete";
    this.sink?.end(this.endTrailers());
    this.wake();
  }

  private endTrailers(): readonly string[] {
    const all = this.options.trailers();
    return all.length === 0
      ? all
      : all.flatMap((name, index) => (index % 2 === 0 && mayTrail(name) ? [name, all[index + 1] ?? ""] : []));
  }

  private fail(how: BodyFailure): void {
    if (this.state !== "open") return;
    this.state = "failed";
    this.how = how;
    this.stream.pause();
    this.sink?.fail(how);
    this.wake();
  }

  private wake(): void {
    clearTimeout(this.timer);
    const ready = this.waiting;
    this.waiting = undefined;
    ready?.();
  }
}
