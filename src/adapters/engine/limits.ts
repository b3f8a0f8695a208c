// Bounds of the container sandbox, each with its why.

/** A socket that is there and does not answer belongs to an engine that hangs; nobody waits longer to know. */
export const versionWithinMs = 3_000;
/** Calls that an engine answers from what it knows. Creating, starting and pulling take what they take. */
export const callWithinMs = 30_000;
/** How often an engine that went away is asked whether it is back: soon at first, and never rarer than this. */
export const awayFirstMs = 100;
export const awayMaxMs = 2_000;
/** An engine that is restarted is back within this; only longer absences are news for users. */
export const awayToldMs = 1_000;
/** Between the end of a container's output and the engine's knowing that it has ended, and the other way round. */
export const lastWordsMs = 1_000;
/** How often a container is looked at though nothing was heard of its end, and how often once it was told to end. */
export const lookAgainMs = 10_000;
export const endingLookMs = 250;
/** A program of another kind of machine fails in its first moment; one that ran longer than this was run by an emulator. */
export const atOnceMs = 5_000;
/** What an engine keeps of a container's output: enough to bridge its own restart, since the kubelet has the log. */
export const engineLogBytes = 1024 * 1024;
/** One frame of multiplexed output; engines send at most 32 KB at a time, and a larger one is no frame at all. */
export const frameMaxBytes = 16 * 1024 * 1024;
/** Use of processor and memory is asked for again when an answer is this old. */
export const usageWindowMs = 2_000;
/** A container that cannot be removed now is tried again: an engine that is restarted is back within this. */
export const removeAgainMs = 1_000;
export const removeTries = 8;
/** Networks that wait for pods of the same ports: two wake at once now and then, and each costs some 3 MB. */
export const sparesEach = 2;
/** Most pods have one port, and it is 8080. */
export const spareKinds = 2;
/** A spare is made when no pod has asked for this long: those that start are not to wait for it. */
export const spareRefillMs = 1_000;
/** Nobody has started such a pod for this long: what waits for one goes. */
export const sparesUnusedMs = 60 * 60 * 1000;
/** Containers that are cleared away at the same time, so that a sweep does not drown the engine. */
export const sweepAtOnce = 4;
/** How long the end of Drydock waits for the engine to clear away: it may be gone itself. */
export const closeWithinMs = 10_000;
/** A command that was told to end: its output stays open this long at most. */
export const execEndMs = 500;
