/**
 * Brings one pod's status to the API: at most one write at a time, what changes meanwhile goes with the next one,
 * and a write that failed is tried again with what is true by then. Steps of a start that all goes well wait a moment
 * for the next one: a pod that is up in a few milliseconds is told of once.
 */
import type { PodStatus } from "../../domain/apis/core/pod.types.js";
import { type Clock, isPortError, type Log } from "../../ports/index.js";
import { statusRestMs, statusRetryFirstMs, statusRetryMaxMs } from "../limits.js";
import { pause } from "../times.js";

export interface StatusWriter {
  /** Something changed. */
  publish(): void;
  /** Resolves when what is known now is written, or can no longer be. */
  flush(): Promise<void>;
}

export interface StatusWriterOptions {
  readonly make: () => PodStatus;
  /** Nobody acts on what is known now before more is: it may be told a moment later. */
  readonly mayWait: () => boolean;
  readonly write: (status: PodStatus) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when nothing more is to be written. */
  readonly over: AbortSignal;
}

export function statusWriter({ make, mayWait, write, clock, log, over }: StatusWriterOptions): StatusWriter {
  let isGone = false;
  let isDirty = false;
  let written: string | undefined;
  let writing: Promise<void> | undefined;
  let hurry = new AbortController();

  async function run(): Promise<void> {
    let waitMs = statusRetryFirstMs;
    while (isDirty && !isGone && !over.aborted) {
      if (mayWait()) await rest();
      // Changes of the same moment go in one write.
      else await Promise.resolve();
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

  async function rest(): Promise<void> {
    hurry = new AbortController();
    await pause(clock, statusRestMs, AbortSignal.any([hurry.signal, over]));
  }

  function publish(): void {
    if (isGone || over.aborted) return;
    isDirty = true;
    if (!mayWait()) hurry.abort();
    writing ??= run();
  }

  return {
    publish,
    flush: async () => {
      hurry.abort();
      while (writing !== undefined) await writing;
    },
  };
}
