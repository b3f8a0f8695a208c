// Bounds of the kubelet, each with its why. Where a real kubelet has a number, it is the same one.

/** First wait before a container that keeps failing is started again; doubles each time. */
export const restartBackoffFirstMs = 10_000;
export const restartBackoffMaxMs = 300_000;
/** A container that ran this long has earned a fresh start. */
export const restartBackoffResetMs = 600_000;
/** How long the end itself is shown before the wait for the next start is: else `kubectl get pods` never says Error. */
export const endShownMs = 2_000;

/** How often an engine that is away is asked for the containers an earlier life left in it: soon at first, and never rarer. */
export const awayFirstMs = 250;
export const awayMaxMs = 2_000;

/** A missing ConfigMap or volume usually comes within moments of the pod that names it. */
export const setupRetryFirstMs = 500;
export const setupRetryMaxMs = 10_000;

/** From not Ready to SIGTERM: gateways must have stopped sending by then. */
export const lameDuckMs = 400;
/** Longest wait for pods when Drydock itself ends, whatever grace they ask for. */
export const closeGraceMs = 5_000;
/** From a container's last moment of grace to the news that it has ended. */
export const closeEndMs = 1_000;

/** How often a start-up is looked at: every `everyMs` until `untilMs` after the container's start. */
export const eagerProbes: readonly { readonly untilMs: number; readonly everyMs: number }[] = [
  { untilMs: 2_000, everyMs: 20 },
  { untilMs: 10_000, everyMs: 50 },
  { untilMs: 60_000, everyMs: 200 },
  { untilMs: Number.POSITIVE_INFINITY, everyMs: 1_000 },
];
/** What a container says while it starts has it asked at once, so many times: the word it is up may follow any other. */
export const stirsAtOnce = 20;
/** However much it says after that, it is asked no more often than this. */
export const eagerRestMs = 1;
/** A probe by command costs a process each time. */
export const eagerExecMs = 250;
export const defaultPeriodMs = 10_000;
/** How often a pod is asked whether it is ready while its engine is away: a request may wait for one that is gone. */
export const doubtedMs = 500;
/** A forwarder that finds nobody listening hangs up within a few milliseconds; a server waits for its first byte. */
export const forwardedSettleMs = 60;
/** What of a failed probe's answer goes into an event. */
export const probeOutputBytes = 1_024;

/** Pods that start at once, for each processor: one loads while another waits for its disk or its probe. */
export const startsPerProcessor = 2;
/** A start that takes longer waits for something else than a processor, or is one of few. */
export const startTurnMs = 10_000;
/** While starts wait for their turn, the processors are looked at so often ... */
export const startLookMs = 50;
/** ... and with so much of them unused, another begins. */
export const startIdleShare = 0.2;

/** A warm start is over sooner; people and controllers hear of the steps of a slower one so much later. */
export const statusRestMs = 40;
/** A warm start is told from a good one, and a good one from one that loads for a minute. */
export const startBucketsMs = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000,
];
/** Status is written again after a failure, soon and then less soon. */
export const statusRetryFirstMs = 50;
export const statusRetryMaxMs = 5_000;
/** How long a deletion waits for the pod's last status: its reader may be the reason it cannot be written. */
export const finalStatusMs = 1_000;
/** Progress of a download is news for people, who do not read faster. */
export const progressEveryMs = 500;

/** How often the volumes of a pod that is being prepared are measured. */
export const growthEveryMs = 10_000;
/** Progress told more often than this is no news to a deadline of minutes. */
export const growthToldMs = 10_000;
/** More files than this are not looked at: what has so many has grown already. */
export const growthFiles = 10_000;

/** An image that is only announced is fetched this much later: a pod that wants it now is to be first. */
export const fetchAheadAfterMs = 2_000;

/** Below the ephemeral range of Linux and macOS, so that no outgoing connection takes a port first. */
export const hostPortFirst = 20_000;
export const hostPortLast = 29_999;
/** How many ports are tried before the machine counts as full. */
export const hostPortTries = 500;

/** One container's logs: this many files of this size. */
export const logFileBytes = 10 * 1024 * 1024;
export const logFiles = 3;
/** A longer line is cut into parts, as container engines do. */
export const logLineBytes = 16 * 1024;
/** Unwritten output past this makes the container wait for the disk. */
export const logQueueBytes = 1024 * 1024;
export const logReadBytes = 64 * 1024;

export const terminationMessageBytes = 4_096;
export const terminationLogBytes = 2_048;
export const terminationLogLines = 80;

/** At most so many pods; the node says so, and host ports suffice for it. */
export const maxPods = 500;
