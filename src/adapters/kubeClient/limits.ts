export const limits = {
  /** A request that has no answer by then has none coming; watches are not bound by this. */
  answerMs: 60_000,
  /** Connections to one API server; each watch takes one of its own besides. */
  connections: 32,
  /** The server ends a watch after this, and we go on from where it was: neither side trusts a silence for longer. */
  watchSeconds: { least: 240, most: 300 },
  /** One event; the API's own bound on an object is 3 MiB. */
  lineBytes: 16 * 1024 * 1024,
  answerBytes: 512 * 1024 * 1024,
  /** How long a credential plugin may think. */
  pluginMs: 60_000,
  /** A credential is renewed when it has less than this to live. */
  renewMs: 30_000,
} as const;
