// The proxy's bounds, each with its why.

export interface ProxyLimits {
  readonly connectMs: number;
  readonly answerMs: number;
  readonly stallMs: number;
  readonly continueMs: number;
  readonly gatherMs: number;
  readonly idleMs: number;
  readonly idlePerAddress: number;
  readonly connectionsPerAddress: number;
  readonly headBytes: number;
  readonly gatherBytes: number;
  readonly replayBytes: number;
  readonly tunnelIdleMs: number;
  readonly bodyBytes: number;
}

export const proxyLimits: ProxyLimits = {
  /** Pods are near: what has not shaken hands by now is gone, and another pod may be waiting. */
  connectMs: 3_000,
  /** A whole exchange where the route names no timeout: Knative's upper bound for a revision. */
  answerMs: 600_000,
  /** No byte either way for this long: the peer is gone without a word. As long as the slowest answer may take. */
  stallMs: 600_000,
  /** After this a server that ignores `Expect` would deadlock with a client that honours it. */
  continueMs: 1_000,
  /** A small body that takes a minute to come is a slow attack, not a slow network. */
  gatherMs: 60_000,
  /** Longer than a burst's gaps; pods that close earlier say so in `Keep-Alive` or just do it. */
  idleMs: 60_000,
  /** Enough for a full burst to find warm connections, few enough not to hold a pod's descriptors. */
  idlePerAddress: 256,
  /** A pod with more requests than this at once is drowning; more sockets would not help it. */
  connectionsPerAddress: 8_192,
  /** Response heads larger than this are no answer of a model. */
  headBytes: 64 * 1024,
  /** Bodies up to here, as most tensors are, are gathered before they are sent: one write, and no pod waits for a slow client. */
  gatherBytes: 96 * 1024,
  /** Kept of a request's body until the first byte of the answer, so that a stale connection costs no request. */
  replayBytes: 128 * 1024,
  /** WebSockets speak rarely, but one silent for an hour has been forgotten. */
  tunnelIdleMs: 3_600_000,
  /** Models take large tensors, disks do not take endless ones. */
  bodyBytes: 4 * 1024 ** 3,
};

/** Below this a body travels with its head in one write of one string, the cheapest write Node has. */
export const oneWriteBytes = 8 * 1024;

/** What one read from a pod may bring: as much as Node reads at once by itself. */
export const readBytes = 64 * 1024;

/** Copies of what was read have buffers that are used again, from what does not travel as a string... */
export const leastSpareBytes = oneWriteBytes + 1;

/** ...to what one read may bring. */
export const mostSpareBytes = readBytes;

/** Such buffers that are kept while nobody needs them: a hundred large requests at once, of 64 KiB each. */
export const spareBytes = 8 * 1024 * 1024;

/** Size line of a chunk with its extensions, which nobody here reads. */
export const chunkLineLimit = 4 * 1024;

/** Trailers are few and short where they are used at all (gRPC status, checksums). */
export const trailerLimitBytes = 16 * 1024;

/** HTTP/2 connections to one pod; each carries as many streams as the pod allows. */
export const h2SessionsPerAddress = 8;

/** Of a pod that has ended its last bytes are here at once: whoever brings none for this long will bring none. */
export const lastBytesMs = 200;

/** `setTimeout` turns anything longer into one millisecond. */
export const longestTimerMs = 2 ** 31 - 1;

/** What a peer that reads slowly may leave unread in us before the other side is held back. */
export const unreadBytes = 64 * 1024;
