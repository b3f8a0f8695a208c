// Every bound of the installer, with its why.

/** Progress is for a person watching: more often than this is noise, less looks like a hang. */
export const progressMs = 2_000;

/** The holder of a lock shows it is alive this often; several missed beats make the lock stale. */
export const lockBeatMs = 2_000;
export const lockStaleMs = 15_000;

/** How often a waiting process looks whether the lock is free. */
export const lockPollMs = 200;

/** Enough of a tool's output to find the line that says why it failed. */
export const outputTailBytes = 65_536;

/** A cold download of 290 MB on a slow line; past this something is stuck. */
export const installMs = 30 * 60_000;

/** Asking a Python who it is; a version manager's shim can take a second. */
export const probeMs = 15_000;
