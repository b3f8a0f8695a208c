/**
 * One installer at a time, across processes. The lock is a file that its holder keeps touching; one that is no
 * longer touched, or whose holder is gone, is taken over. Two installs at once would only waste time, never
 * corrupt: each fills a folder of its own and the first rename wins.
 */

import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { lockBeatMs, lockPollMs, lockStaleMs, progressMs } from "./limits.js";

export interface LockOptions {
  readonly signal: AbortSignal | undefined;
  readonly onWait: (holderPid: number, waitedMs: number) => void;
}

export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await acquire(path, options);
  const beat = setInterval(() => touch(path), lockBeatMs);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    rmSync(path, { force: true });
  }
}

async function acquire(path: string, { signal, onWait }: LockOptions): Promise<void> {
  const sinceMs = Date.now();
  let saidMs = 0;
  while (!take(path)) {
    signal?.throwIfAborted();
    const holder = holderOf(path);
    if (holder === "stale") {
      rmSync(path, { force: true });
      continue;
    }
    if (holder !== "gone" && Date.now() - saidMs >= progressMs) {
      saidMs = Date.now();
      onWait(holder, saidMs - sinceMs);
    }
    await wait(lockPollMs, undefined, signal ? { signal } : {});
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function holderOf(path: string): number | "stale" | "gone" {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    const silentMs = Date.now() - statSync(path).mtimeMs;
    // An empty file is a lock just being written.
    if (silentMs > lockStaleMs) return "stale";
    if (pid > 0 && !isAlive(pid)) return "stale";
    return pid;
  } catch {
    return "gone";
  }
}

function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Taken over while this process slept; the rename at the end decides who wins.
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
