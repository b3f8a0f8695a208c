// Every bound of the model server, with its why.

/** Upstream's old buffer of 100 MiB: a batch of images fits, a stray upload does not fill the memory. */
export const defaultMaxBodyBytes = 104_857_600;

/** Rows joined into one call. Past this a call takes long enough that the next requests feel it. */
export const defaultMaxBatchRows = 512;

/** Requests waiting for the model. The breaker in front holds far fewer; this one only keeps memory bounded. */
export const maxQueuedRequests = 10_000;

/** How deep nested lists may go: no tensor has more dimensions, and the stack is finite. */
export const maxTensorRank = 16;

/** Upstream's idle time of a kept-alive connection. */
export const defaultKeepAliveSeconds = 65;

/** Upstream's grace after SIGTERM; the kubelet kills at its own deadline anyway. */
export const drainMs = 30_000;

/** How often idle connections are closed while draining. */
export const drainPollMs = 20;

/** Requests a spare server asks itself: from about this many on, answers get no faster. */
export const rehearsals = 12;

/** One frame from the Python worker: larger than any sane answer, small enough to refuse garbage. */
export const maxFrameBytes = 1_073_741_824;

/** What is kept of the Python worker's stderr, so that its last line can name the cause of its death. */
export const stderrTailBytes = 16_384;

/** scikit-learn imports in a second; a large forest on a slow disk takes many. */
export const workerStartMs = 300_000;

/** After this long without an exit, a Python worker that was asked to leave is killed. */
export const workerStopMs = 2_000;

/** How long the end of a dead worker's stderr is waited for. */
export const workerLastWordsMs = 250;
