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
  /** Nothing more is written. */
  stop(): void;
}

export interface StatusWriterOptions {
  readonly make: () => PodStatus;
  readonly write: (status: PodStatus) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

export function statusWriter({ make, write, clock, log }: StatusWriterOptions): StatusWriter {
  const stopped = new AbortController();
  let isDirty = false;
  let written: string | undefined;
  let writing: Promise<void> | undefined;

  async function run(): Promise<void> {
    // Changes of the same moment go in one write.
    await new Promise<void>((resolve) => setImmediate(resolve));
    let waitMs = statusRetryFirstMs;
    while (isDirty && !stopped.signal.aborted) {
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
          stopped.abort(); // the pod is gone; the watch will say so too
          break;
        }
        log.error("pod status not written, trying again", { error: String(error) });
        isDirty = true;
        await pause(clock, waitMs, stopped.signal);
        waitMs = Math.min(waitMs * 2, statusRetryMaxMs);
      }
    }
    writing = undefined;
  }

  function publish(): void {
    if (stopped.signal.aborted) return;
    isDirty = true;
    writing ??= run();
  }

  return {
    publish,
    flush: async () => {
      while (writing !== undefined) await writing;
    },
    stop: () => stopped.abort(),
  };
}
