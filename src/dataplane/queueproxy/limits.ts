// The queue-proxy's bounds, each with its why. All of them are Knative's own, for its kubelet and activator count on them.

/** Requests that may wait for each place at the user's container. */
export const queuePerPlace = 10;

/** With no period of its own a readiness probe is asked so often, so quickly and for so long by one call. */
export const aggressive = { everyMs: 50, timeoutMs: 100, withinMs: 10_000 };

/** Drained when no request has come for that long: by then every activator has heard. */
export const quietMs = 30_000;

/** A preStop without SIGTERM after it means that only the user's container is started again. */
export const termAfterStopMs = 1_000;

/** Upgraded connections get this long after the last plain request. */
export const tunnelDrainMs = 60_000;

/** How often a mounted certificate is looked at for a new one. */
export const certificateLookMs = 60_000;

/** The scraper asks each second. */
export const statEveryMs = 1_000;

/** Go's own, when nobody says how long a profile is to be. */
export const profileUsualSeconds = 30;

/** A profile grows with its time, and whoever asks waits for all of it. */
export const profileLongestSeconds = 300;
