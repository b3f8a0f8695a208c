// One request and its answer, as the proxy sees them: no routes, no pods, no policy.
import type { Socket } from "node:net";
import type { RequestBody } from "./body.js";

export interface Exchange {
  readonly method: string;
  /** Path and query as the pod gets them. */
  readonly target: string;
  /** Header fields as lines, Host first, each `Name: value` and a line end; no hop-by-hop fields, no framing. */
  readonly lines: string;
  readonly body: RequestBody | undefined;
  readonly expectContinue: boolean;
  /** The protocol a client wants to change to; such a request has no body. */
  readonly upgrade: string | undefined;
  readonly protocol: "http1" | "h2c";
  readonly timeoutMs: number | undefined;
  readonly reply: Reply;
}

export interface ReplyHead {
  readonly status: number;
  readonly reason: string;
  /** As in a request: `toLines` and `withoutFields` make and change them. */
  readonly lines: string;
  /** Known length, or undefined when only the end will tell. */
  readonly length: number | undefined;
  /** HEAD, 204 and 304 have none, whatever the headers say. */
  readonly hasBody: boolean;
  /** Its lines have a `Date`; one without gets it here, as HTTP wants. */
  readonly dated?: boolean;
}

/** Bytes of an answer: few of them come as a string of one character each, which is cheaper than a buffer. */
export type Piece = Buffer | string;

/** Where the answer goes. The front (HTTP/1.1 or HTTP/2) stands behind it. */
export interface Reply {
  /** Set by whoever forwards: called when a client that was too slow has caught up. */
  onDrain: (() => void) | undefined;
  /** Set by whoever forwards: called when the client has gone before the answer was complete. */
  onGone: (() => void) | undefined;
  readonly gone: boolean;
  /** True when all that was written has left, and its memory may be used again; undefined when nobody can say. */
  readonly flushed?: boolean | undefined;
  inform(status: number, lines: string): void;
  /** The head may wait for the bytes that follow at once; `flush` says that none do. */
  begin(head: ReplyHead): void;
  flush(): void;
  /** False asks to wait for `onDrain`. */
  write(chunk: Piece): boolean;
  end(last: Piece | undefined, trailers: readonly string[]): void;
  /** The answer cannot be completed: the client must notice, so its connection (or stream) dies. */
  abort(): void;
  /** After 101: from here the two sockets belong to each other. */
  switch?(head: ReplyHead, upstream: Socket, early: Buffer, done: () => void): void;
}

export type Forwarded =
  | { readonly outcome: "answered"; readonly status: number }
  /** The model saw nothing, the body is untouched: another pod may be tried. */
  | { readonly outcome: "refused"; readonly because: string; readonly how: "connect" | "timeout" | "full" }
  | {
      readonly outcome: "broken";
      readonly because: string;
      readonly how: "closed" | "malformed" | "timeout" | "clientGone" | "tooLarge" | "tooSlow";
      /** The answer had begun, so there is nothing left to say to the client. */
      readonly begun: boolean;
    };

/** Says once what became of it, maybe before it returns. */
export type Forward = (exchange: Exchange, address: string, done: (forwarded: Forwarded) => void) => void;
