// What there is to say of a request once it was answered, for whoever keeps a log of requests. Nothing of this runs
// while nobody does.
import type { PodAddress } from "../activator/index.js";
import type { Piece, ReplyHead } from "../proxy/index.js";
import type { Incoming } from "./incoming.js";
import { PassingFrontReply } from "./replies.js";

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
export class CountedReply extends PassingFrontReply {
  status = 0;
  bytes = 0;

  override begin(head: ReplyHead): void {
    this.status = head.status;
    this.inner.begin(head);
  }

  override write(chunk: Piece): boolean {
    this.bytes += chunk.length;
    return this.inner.write(chunk);
  }

  override end(last: Piece | undefined, trailers: readonly string[]): void {
    this.bytes += last?.length ?? 0;
    this.inner.end(last, trailers);
  }

  protected override switched(head: ReplyHead): ReplyHead {
    this.status = head.status;
    return head;
  }
}
