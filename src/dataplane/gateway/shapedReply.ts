// A reply whose head a route changes, and which may decline an answer, so that the request can be sent again.
import type { Socket } from "node:net";
import { type Piece, type ReplyHead, withoutFields } from "../proxy/index.js";
import { declinedBytes } from "./limits.js";
import type { FrontReply } from "./serve.js";
import type { ResponseChange } from "./table.js";

export class ShapedReply implements FrontReply {
  /** Asked before an answer begins: true declines it, and nothing of it reaches the client. */
  declines: ((head: ReplyHead) => boolean) | undefined;
  onDrain: (() => void) | undefined;
  onGone: (() => void) | undefined;
  readonly switch?: NonNullable<FrontReply["switch"]>;
  /** The answer under way is being read away. */
  declined = false;
  private swallowed = 0;

  constructor(
    private readonly inner: FrontReply,
    private readonly change: ResponseChange | undefined,
  ) {
    inner.onDrain = () => this.onDrain?.();
    inner.onGone = () => this.onGone?.();
    if (inner.switch !== undefined)
      this.switch = (head: ReplyHead, upstream: Socket, early: Buffer, done: () => void) =>
        inner.switch?.(this.changed(head), upstream, early, done);
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
    if (this.declines?.(head) !== true) {
      this.inner.begin(this.changed(head));
      return;
    }
    this.declined = true;
    this.swallowed = 0;
    if ((head.length ?? 0) > declinedBytes) queueMicrotask(() => this.onGone?.());
  }

  flush(): void {
    if (!this.declined) this.inner.flush();
  }

  write(chunk: Piece): boolean {
    if (!this.declined) return this.inner.write(chunk);
    this.swallowed += chunk.length;
    // To the pod we are a client that has seen enough.
    if (this.swallowed > declinedBytes) queueMicrotask(() => this.onGone?.());
    return true;
  }

  end(last: Piece | undefined, trailers: readonly string[]): void {
    if (!this.declined) this.inner.end(last, trailers);
  }

  abort(): void {
    if (!this.declined) this.inner.abort();
  }

  private changed(head: ReplyHead): ReplyHead {
    const { change } = this;
    if (change === undefined) return head;
    const kept = change.drop.size === 0 ? head.lines : withoutFields(head.lines, change.drop);
    return { ...head, lines: kept + change.text };
  }
}
