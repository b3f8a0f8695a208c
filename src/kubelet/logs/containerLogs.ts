// A container's logs over its restarts: the latest instance and the one before it are kept, as in a real kubelet.
import { existsSync, statSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Log } from "../../ports/index.js";
import { terminationLogBytes, terminationLogLines } from "../limits.js";
import { type LogFile, logFile } from "./logFile.js";
import { type LogInstance, readLog } from "./readLog.js";

export interface ContainerLogs {
  /** Begins the log of the instance with this restart count. */
  open(instance: number): LogFile;
  /** Nothing when that instance never wrote a log here. */
  instance(number: number): LogInstance | undefined;
  /** When something was last written to that instance's log, if ever. */
  lastWordMs(instance: number): number | undefined;
  /** The last lines, for a termination message. */
  tail(instance: number): Promise<string>;
}

export function containerLogs(folder: string, clock: Clock, log: Log): ContainerLogs {
  const live = new Map<number, LogFile>();
  const pathOf = (instance: number) => join(folder, `${instance}.log`);

  function instanceOf(number: number): LogInstance | undefined {
    const file = live.get(number);
    if (file === undefined && !existsSync(pathOf(number))) return undefined;
    return { path: pathOf(number), live: file };
  }

  return {
    open(instance) {
      const path = pathOf(instance);
      const onTrouble = (error: unknown) =>
        log.error("cannot write a container's log", { path, error: String(error) });
      const file = logFile({ path, now: clock.now, onTrouble });
      live.set(instance, file);
      for (const old of live.keys()) if (old < instance - 1) live.delete(old);
      void forgetBefore(folder, instance - 1);
      return file;
    },
    instance: instanceOf,
    lastWordMs: (number) => statSync(pathOf(number), { throwIfNoEntry: false })?.mtimeMs,
    async tail(number) {
      const found = instanceOf(number);
      if (found === undefined) return "";
      const options = { follow: false, timestamps: false, tailLines: terminationLogLines };
      const chunks: Uint8Array[] = [];
      for await (const chunk of readLog(found, options, AbortSignal.timeout(5_000))) chunks.push(chunk);
      return Buffer.concat(chunks).subarray(-terminationLogBytes).toString();
    },
  };
}

async function forgetBefore(folder: string, instance: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const number = Number.parseInt(name, 10);
    if (number < instance) await rm(join(folder, name), { force: true });
  }
}
