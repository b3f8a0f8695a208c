/** Probes under way at once, as upstream's prober has workers. */
export const atOnce = 15;

/** A gateway that cannot say in a second what it serves is not ready. */
export const answerWithinMs = 1_000;

/** A gateway that was told a moment ago needs a moment: asked this often, this far apart, before the first answer counts. */
export const quickTries = 20;
export const betweenQuickTriesMs = 5;

/** After that a host is asked again after 50 ms, and each time after twice as long, up to half a minute. */
const firstWaitMs = 50;
const longestWaitMs = 30_000;

export function waitMs(triesBefore: number): number {
  return Math.min(firstWaitMs * 2 ** Math.min(triesBefore, 20), longestWaitMs);
}

/** Hosts that are due this close to each other are asked together. */
export const togetherMs = 20;

/** What stands in front may go without a word to us. */
export const inFrontAgainMs = longestWaitMs;

/** A policy reaches the gateway on a watch of its own: what was answered this soon after it changed is asked again. */
export const policyArrivesMs = 1_000;

/** Owners remembered; one that falls out is merely asked again. Twice the routes one machine serves. */
export const ownersKept = 4_096;
