/**
 * Brings one pod's status to the API: at most one write at a time, what changes meanwhile goes with the next one,
 * and a write that failed is tried again with what is true by then.
 */
import type { PodStatus } from "../../domain/apis/core/pod.types.js";
import { type Clock, isPortError, type Log } from "../../ports/index.js";
import { statusRetryFirstMs, statusRetryMaxMs } from "../limits.js";
import { pause } from "../times.js";

export interface StatusWriter {
  /** Something changed. */
  publish(): void;
  /** Resolves when what is known now is written, or can no longer be. */
  flush(): Promise<void>;
}

export interface StatusWriterOptions {
  readonly make: () => PodStatus;
  readonly write: (status: PodStatus) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when nothing more is to be written. */
  readonly over: AbortSignal;
}

export function statusWriter({ make, write, clock, log, over }: StatusWriterOptions): StatusWriter {
  let isGone = false;
  let isDirty = false;
  let written: string | undefined;
  let writing: Promise<void> | undefined;

  async function run(): Promise<void> {
    // Changes of the same moment go in one write.
    await new Promise<void>((resolve) => setImmediate(resolve));
    let waitMs = statusRetryFirstMs;
    while (isDirty && !isGone && !over.aborted) {
      isDirty = false;
      const status = make();
      const text = JSON.stringify(status);
      if (text === written) continue;
      try {
        await write(status);
        written = text;
        waitMs = statusRetryFirstMs;
      } catch (error) {
        if (isPortError(error, "NotFound")) {
          isGone = true; // the watch will say so too
          break;
        }
        log.error("pod status not written, trying again", { error: String(error) });
        isDirty = true;
        await pause(clock, waitMs, over);
        waitMs = Math.min(waitMs * 2, statusRetryMaxMs);
      }
    }
    writing = undefined;
  }

  function publish(): void {
    if (isGone || over.aborted) return;
    isDirty = true;
    writing ??= run();
  }

  return {
    publish,
    flush: async () => {
      while (writing !== undefined) await writing;
    },
  };
}
