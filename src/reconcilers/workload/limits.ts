/** Pods one look at a ReplicaSet may create or delete; the rest follows in the next look (upstream's own number). */
export const podsPerLook = 500;

/** Requests under way at once for one owner: enough to overlap waiting for the disk, few enough to stay fair. */
export const requestsAtOnce = 16;

/** Failed pods a ReplicaSet leaves lying for people to read; older ones are cleared away. */
export const failedPodsKept = 5;

/** How soon, and how late at most, pods that the API refused are asked for again. */
export const refusedAgainFirstMs = 1_000;
export const refusedAgainMaxMs = 30_000;

/** Addresses in one EndpointSlice (upstream's own number). */
export const endpointsPerSlice = 100;

/** When what keeps a namespace or a custom kind is counted again, should no event tell that it is gone. */
export const lookAgainMs = 1_000;

/** Collections of one namespace under way at once. */
export const collectionsAtOnce = 8;

/** Objects the garbage collector judges at once (upstream's own number). */
export const collectorWorkers = 20;

/** Owners remembered as gone, so that their many dependents need no look-up each. */
export const goneOwnersKept = 10_000;

/** When an owner that only the API knew is looked for in memory again. */
export const ownerUnseenMs = 1_000;

/** When objects whose changes no event tells are counted again for a quota. */
export const recountMs = 30_000;

/** How often a HorizontalPodAutoscaler looks at what its pods use (upstream's own number). */
export const usageEveryMs = 15_000;

/** A pod's processor time while it starts says nothing of its load (upstream's own numbers). */
export const cpuStartMs = 300_000;
export const firstReadyMs = 30_000;
