// The activator's bounds, each with its why.
import type { EjectionLimits, HoldLimits } from "../../domain/balancing/index.js";

export interface ThrottlerLimits {
  readonly hold: HoldLimits;
  readonly ejection: EjectionLimits;
  readonly refusedHoldMs: number;
  readonly brokenHoldMs: number;
}

export const throttlerLimits: ThrottlerLimits = {
  hold: {
    /** As Knative's activator: what waits longer than this many places is better told to come back. */
    perRevision: 10_000,
    /** A held request keeps a socket and its buffers; so many fit a laptop beside the models themselves. */
    overall: { count: 20_000, bytes: 256 * 1024 ** 2 },
  },
  /** A pod that restarts is back within a second; one that is gone leaves the endpoints long before the maximum. */
  ejection: { firstMs: 100, maxMs: 30_000 },
  /** Pods that are said to be ready and refuse all the same: longer than a restart takes, shorter than patience. */
  refusedHoldMs: 10_000,
  /** A revision whose pods fail may heal; nobody should wait five minutes to hear that it has not. */
  brokenHoldMs: 5_000,
};

/** What a held request costs beside its body: socket, parser, head. */
export const heldRequestBytes = 8 * 1024;

/** Of a held body only this much is read before its sender is made to wait. */
export const heldBodyBytes = 64 * 1024;

/** As Knative's activator reports, and as its autoscaler counts. */
export const reportEveryMs = 1_000;
