// A reply whose head a route changes, and which may decline an answer, so that the request can be sent again.
import { type Piece, type ReplyHead, withoutFields } from "../proxy/index.js";
import { declinedBytes } from "./limits.js";
import { PassingFrontReply } from "./replies.js";
import type { FrontReply } from "./serve.js";
import type { ResponseChange } from "./table.js";

export class ShapedReply extends PassingFrontReply {
  /** Asked before an answer begins: true declines it, and nothing of it reaches the client. */
  declines: ((head: ReplyHead) => boolean) | undefined;
  /** The answer under way is being read away. */
  declined = false;
  private swallowed = 0;

  constructor(
    inner: FrontReply,
    private readonly change: ResponseChange | undefined,
  ) {
    super(inner);
  }

  override begin(head: ReplyHead): void {
    if (this.declines?.(head) !== true) {
      this.inner.begin(this.changed(head));
      return;
    }
    this.declined = true;
    this.swallowed = 0;
    if ((head.length ?? 0) > declinedBytes) queueMicrotask(() => this.onGone?.());
  }

  override flush(): void {
    if (!this.declined) this.inner.flush();
  }

  override write(chunk: Piece): boolean {
    if (!this.declined) return this.inner.write(chunk);
    this.swallowed += chunk.length;
    // To the pod we are a client that has seen enough.
    if (this.swallowed > declinedBytes) queueMicrotask(() => this.onGone?.());
    return true;
  }

  override end(last: Piece | undefined, trailers: readonly string[]): void {
    if (!this.declined) this.inner.end(last, trailers);
  }

  override abort(): void {
    if (!this.declined) this.inner.abort();
  }

  protected override switched(head: ReplyHead): ReplyHead {
    return this.changed(head);
  }

  private changed(head: ReplyHead): ReplyHead {
    const { change } = this;
    if (change === undefined) return head;
    const kept = change.drop.size === 0 ? head.lines : withoutFields(head.lines, change.drop);
    return { ...head, lines: kept + change.text };
  }
}
