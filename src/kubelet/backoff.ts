// How long to wait before a container that ended is started again.
import { restartBackoffFirstMs, restartBackoffMaxMs, restartBackoffResetMs } from "./limits.js";

export interface Backoff {
  /** The wait now due. */
  readonly delayMs: number;
  /** The wait after the next end, if it comes soon. */
  readonly nextMs: number;
}

export const noBackoff: Backoff = { delayMs: 0, nextMs: 0 };

/** The first restart is at once; then 10 s, doubling to five minutes. A long life wipes the slate. */
export function afterEnd(before: Backoff, livedMs: number): Backoff {
  const delayMs = livedMs >= restartBackoffResetMs ? 0 : before.nextMs;
  return { delayMs, nextMs: Math.min(Math.max(delayMs * 2, restartBackoffFirstMs), restartBackoffMaxMs) };
}

/** 10s, 1m20s, 5m0s: how Go prints a duration, and users grep for it. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
