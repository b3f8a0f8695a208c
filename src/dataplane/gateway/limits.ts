// The gateway's bounds, each with its why. The proxy beneath keeps its own.

export interface FrontLimits {
  readonly headBytes: number;
  readonly headMs: number;
  readonly keepAliveMs: number;
  readonly firstByteMs: number;
  readonly lingerMs: number;
  readonly lingerBytes: number;
}

export const frontLimits: FrontLimits = {
  /** A head longer than this is no model request; it also bounds what one idle connection can hold. */
  headBytes: 32 * 1024,
  /** As Knative's queue-proxy: a head that takes a minute is a slow attack, not a slow network. */
  headMs: 60_000,
  /** Longer than the idle time of common load balancers, so that they close first and never race a request. */
  keepAliveMs: 75_000,
  /** Time to show the first bytes that tell HTTP/1.1 from HTTP/2, and for a TLS handshake. */
  firstByteMs: 60_000,
  /** After a last answer the client's bytes are read away this long: a reset would take the answer from it. */
  lingerMs: 2_000,
  /** As much of what a refused client still sends is read away; more is not worth the answer. */
  lingerBytes: 4 * 1024 * 1024,
};

/** How often connections are looked at for one that has run out of time; less often where times are long. */
export const sweepMs = 5_000;

/** Streams one HTTP/2 client may hold open at once: several times the usual default of gRPC servers. */
export const h2StreamLimit = 512;

/** What one HTTP/2 stream may send ahead: 64 KiB halves the speed of large tensors. */
export const h2WindowBytes = 256 * 1024;

/** A pod that gives a call up this long before the caller's deadline did it for the deadline: clocks tick in steps. */
export const deadlineMarginMs = 2;

/** VirtualServices one request may pass. KServe needs two, a DomainMapping before it three. */
export const chainLimit = 8;

/** Ends one host may fan out to over all splits and rules, so that nested splits cannot multiply without end. */
export const leafLimit = 1024;

/** Hosts named in a 404: enough to spot a typing error, too few to flood a terminal. */
export const hostsShown = 10;

/** Scaling from zero takes about this long when images are warm. */
export const retryAfterSeconds = 1;

/** As Envoy: the first wait before another try is at most this, each later one twice as long... */
export const backOffFirstMs = 25;

/** ...up to so many times the first. */
export const backOffMaxTimes = 10;

/** Tries after the first may be this share of all requests under way: more would turn a bad minute into a storm. */
export const retryShare = 0.2;

/** A quiet gateway may always try this many again at once. */
export const retriesAlways = 16;

/** Of an answer that is not passed on so much is read away; past it, a new connection is the cheaper one. */
export const declinedBytes = 64 * 1024;

/** A copy is sent when the whole body is here, so it is kept till then. Larger requests are not copied. */
export const mirrorBodyBytes = 1024 * 1024;

/** Copies under way at once: a slow mirror may take this much from real requests, and no more. */
export const mirrorsAtOnce = 256;
