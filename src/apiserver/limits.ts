// Every bound of the API server, with its why.

export const limits = {
  /** All Warning headers of an answer together; when they are more, each is cut to so many characters and the last are left out. */
  warningsBytes: 4_096,
  warningChars: 256,
  /** The real server's bound on one body; larger objects would not fit its store either. */
  bodyBytes: 3 * 1024 * 1024,
  /** No real object nests so deep, and everything that walks one must fit the stack. */
  bodyDepth: 500,
  /** kubectl's own retries expect a window of minutes; ours is per kind, so quiet kinds keep theirs for long. */
  historyEvents: 4096,
  historyMs: 10 * 60_000,
  /** A watcher that lets this much pile up is cut with 410: it lists again, and the server keeps its memory. */
  watchBacklogBytes: 16 * 1024 * 1024,
  watchBacklogEvents: 16_384,
  /** One flush must not grow without end, or its failure would reject the whole house. */
  commitBatch: 512,
  /** So many writes do not wait for more while the disk is idle. */
  commitEarly: 32,
  /** Writes waiting for the disk. Past this the disk is dead or drowning, and callers should hear so. */
  commitQueue: 20_000,
  /** How often the store is told to forget, in revisions, and how much it may keep for a curious reader. */
  compactEvery: 5_000,
  compactKeep: 1_000,
  /** Upstream's own number of tries at a free generated name. */
  generateNameTries: 8,
  /** Clients reconnect after each; a random point avoids all of them coming back at once. */
  watchTimeoutMs: { least: 30 * 60_000, most: 60 * 60_000 },
  bookmarkMs: 60_000,
  /** How long a list waits for a revision that is not there yet. */
  futureRevisionMs: 3_000,
  /** Below this, packing costs more than the loopback saves. */
  gzipBytes: 128 * 1024,
  jsonPatchOperations: 10_000,
  /** Headers come first, within this. */
  headersMs: 30_000,
  /** A body of 3 MiB takes less than this on any line worth serving. */
  requestMs: 120_000,
  /** Longer than clients keep an idle connection, so that it is they who let go of it. */
  keepAliveMs: 120_000,
  /** exec, attach and port-forward with no byte either way. */
  streamIdleMs: 4 * 60 * 60_000,
  /** Streams of one port-forward session. */
  spdyStreams: 1024,
  /** One SPDY frame may claim 16 MiB; nobody sends that. */
  spdyFrameBytes: 4 * 1024 * 1024,
} as const;
