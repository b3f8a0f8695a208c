/** First wait after a failed reconcile; doubles each time. Upstream's own numbers (5 ms), which users' logs show. */
export const backoffFirstMs = 5;

/** Longest wait between tries: a mended world is noticed within half a minute without any event. */
export const backoffMaxMs = 30_000;

/** Reconciles of one kind under way at once: enough to overlap waiting for the disk, few enough to stay fair. */
export const workersPerKind = 8;

/** A warm pod is up within this time: what is only told of it is then told once. */
export const newsRestMs = 20;

/** Where rounds never stop following one another, news waits no longer than nobody notices. */
export const newsLatestMs = 80;

/** From the first request for a sleeping Revision to its answer, when its program waits loaded: what is told of it can wait so long. */
export const hurryMs = 40;

/** In such a moment a status lets the steps go first that bring the pod up: most often they have ended by then. */
export const letPassMs = 25;

/** How long a write waits for its own echo in the lister before going on without it. */
export const echoWaitMs = 2_000;

/** How often a status write is tried again after losing a race. */
export const statusTries = 5;

/** Wait before listing again when a watch broke. */
export const relistFirstMs = 20;
export const relistMaxMs = 5_000;

/** Events remembered so that the same thing again is counted, not told anew. */
export const rememberedEvents = 4_096;
