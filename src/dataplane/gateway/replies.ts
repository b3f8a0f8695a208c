// Replies that stand before a front's own: one that tells of what passes, and one for an answer nobody waits for.
import type { Socket } from "node:net";
import type { Activity } from "../activator/index.js";
import type { Piece, Reply, ReplyHead } from "../proxy/index.js";
import type { FrontReply } from "./serve.js";

/** Passes everything on; what stands before a reply says only what it does else. */
class PassingReply<Inner extends Reply> implements Reply {
  readonly switch?: NonNullable<Reply["switch"]>;

  constructor(protected readonly inner: Inner) {
    if (inner.switch !== undefined)
      this.switch = (head: ReplyHead, upstream: Socket, early: Buffer, done: () => void) =>
        inner.switch?.(this.switched(head), upstream, early, done);
  }

  get onDrain() {
    return this.inner.onDrain;
  }

  set onDrain(run: (() => void) | undefined) {
    this.inner.onDrain = run;
  }

  get onGone() {
    return this.inner.onGone;
  }

  set onGone(run: (() => void) | undefined) {
    this.inner.onGone = run;
  }

  get gone(): boolean {
    return this.inner.gone;
  }

  get flushed(): boolean | undefined {
    return this.inner.flushed;
  }

  inform(status: number, lines: string): void {
    this.inner.inform(status, lines);
  }

  begin(head: ReplyHead): void {
    this.inner.begin(head);
  }

  flush(): void {
    this.inner.flush();
  }

  write(chunk: Piece): boolean {
    return this.inner.write(chunk);
  }

  end(last: Piece | undefined, trailers: readonly string[]): void {
    this.inner.end(last, trailers);
  }

  abort(): void {
    this.inner.abort();
  }

  /** The connection becomes a tunnel: the head that says so. */
  protected switched(head: ReplyHead): ReplyHead {
    return head;
  }
}

/** The same before a front's own. */
export class PassingFrontReply extends PassingReply<FrontReply> implements FrontReply {
  get timing() {
    return this.inner.timing;
  }

  set timing(run: (() => string) | undefined) {
    this.inner.timing = run;
  }
}

/** For revisions that limit how an answer may dawdle. A tunnel's bytes are no answer: as in Knative they neither begin one nor keep it alive. */
export class WatchedReply extends PassingReply<Reply> {
  constructor(
    inner: Reply,
    private readonly activity: Activity,
  ) {
    super(inner);
  }

  override begin(head: ReplyHead): void {
    this.activity.begun();
    this.inner.begin(head);
  }

  override write(chunk: Piece): boolean {
    this.activity.moved();
    return this.inner.write(chunk);
  }
}

/** Whoever still forwards to it is told at once that nobody listens. */
export function cutOff(): Reply {
  return {
    onDrain: undefined,
    get onGone() {
      return undefined;
    },
    set onGone(run: (() => void) | undefined) {
      if (run !== undefined) queueMicrotask(run);
    },
    gone: true,
    inform: () => {},
    begin: () => {},
    flush: () => {},
    write: () => true,
    end: () => {},
    abort: () => {},
  };
}
