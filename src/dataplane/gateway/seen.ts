// What there is to say of a request once it was answered, for whoever keeps a log of requests. Nothing of this runs
// while nobody does.
import type { Socket } from "node:net";
import type { PodAddress } from "../activator/index.js";
import type { Piece, ReplyHead } from "../proxy/index.js";
import type { Incoming } from "./incoming.js";
import type { FrontReply } from "./serve.js";

export interface SeenRequest {
  readonly incoming: Incoming;
  readonly overH2: boolean;
  /** 0 when the client left before there was one. */
  readonly status: number;
  readonly bytes: number;
  readonly latencyMs: number;
  /** Where the route led; undefined when it led to no pods. */
  readonly revision: { readonly namespace: string; readonly name: string } | undefined;
  readonly pod: PodAddress | undefined;
}

/** Counts what passes. */
export class CountedReply implements FrontReply {
  status = 0;
  bytes = 0;
  readonly switch?: NonNullable<FrontReply["switch"]>;

  constructor(private readonly inner: FrontReply) {
    if (inner.switch !== undefined)
      this.switch = (head: ReplyHead, upstream: Socket, early: Buffer, done: () => void) => {
        this.status = head.status;
        inner.switch?.(head, upstream, early, done);
      };
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

  get timing() {
    return this.inner.timing;
  }

  set timing(run: (() => string) | undefined) {
    this.inner.timing = run;
  }

  get gone(): boolean {
    return this.inner.gone;
  }

  inform(status: number, lines: string): void {
    this.inner.inform(status, lines);
  }

  begin(head: ReplyHead): void {
    this.status = head.status;
    this.inner.begin(head);
  }

  flush(): void {
    this.inner.flush();
  }

  write(chunk: Piece): boolean {
    this.bytes += chunk.length;
    return this.inner.write(chunk);
  }

  end(last: Piece | undefined, trailers: readonly string[]): void {
    this.bytes += last?.length ?? 0;
    this.inner.end(last, trailers);
  }

  abort(): void {
    this.inner.abort();
  }
}
