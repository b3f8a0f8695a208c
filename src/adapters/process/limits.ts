// Bounds of the process sandbox, each with its why.

/** A process can outgrow its limit by what it allocates in this time; shorter costs CPU on an idle machine. */
export const memoryCheckMs = 200;
/** How often all processes are looked at, for new members of a group and for CPU time. */
export const usageWindowMs = 2_000;
/** A grandchild may hold the output open after its parent has gone; this long is waited for its last words. */
export const lastWordsMs = 500;
/** Nothing survives SIGKILL for long, except a process stuck in the kernel, which is not ours to wait for. */
export const sweepWaitMs = 2_000;
/** A killed process is gone within milliseconds, and a start waits for it. */
export const sweepPollMs = 20;
/** Containers that end together share one look through all processes for stragglers. */
export const stragglerBatchMs = 10;
/** Processes looked at in one go: a read of /proc takes up to 0.2 ms. */
export const scanSlice = 8;
/** Shells kept waiting: a pod with two containers, or two pods at once, start without a fork. About 1 MB each. */
export const spareShells = 2;
/**
 * Programs kept waiting, of each kind that was used: two starts at once find one each. Measured beside others
 * of their kind, memory that is nobody else's: storage initializer 6 MB, ONNX server 16 MB, scikit-learn server and its
 * Python 75 MB.
 */
export const sparesEach = 2;
/** What all programs that wait may hold together; past it a kind has fewer. */
export const sparesBytes = 320 * 1024 * 1024;
/** With less than this share of the machine's memory left, nothing is kept waiting. */
export const sparesFreeShare = 0.1;
/** Nobody started this kind of program for so long: the next start may take its time. */
export const sparesUnusedMs = 60 * 60 * 1000;
/** How often it is looked whether those that wait should go on waiting. */
export const sparesLookMs = 15_000;
/** Loading a program takes a processor for up to two seconds: not while starts follow one another so closely. */
export const programRefillMs = 400;
/** But where starts never stop following one another, so late at the latest. */
export const programRefillLatestMs = 10_000;
/** A program that cannot be loaded so often in a row is not tried again. */
export const programTries = 3;
/** A spare takes on what it is told within a millisecond or two; one that does not is not waited for. */
export const becomeMs = 1_000;
/** A new shell is made when a start has had the machine to itself for a moment. */
export const spareRefillMs = 100;
