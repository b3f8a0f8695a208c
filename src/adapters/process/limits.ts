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
/** A new spare is made when a start has had the machine to itself for a moment. */
export const spareRefillMs = 100;
