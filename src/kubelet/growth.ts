/**
 * Whether an init container gets anywhere: what it writes into the pod's volumes grows. That is how a download that
 * takes long is told from one that hangs, whoever wrote the downloader.
 */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../ports/index.js";
import { growthEveryMs, growthFiles } from "./limits.js";
import { pause } from "./times.js";

/** Calls back each time the folder has changed in size, until the signal is aborted. */
export async function watchGrowth(
  folder: string,
  clock: Clock,
  signal: AbortSignal,
  onGrowth: () => void,
): Promise<void> {
  let bytes = await folderBytes(folder);
  while (!signal.aborted) {
    await pause(clock, growthEveryMs, signal);
    if (signal.aborted) return;
    const now = await folderBytes(folder);
    if (now !== bytes && !signal.aborted) onGrowth();
    bytes = now;
  }
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries.slice(0, growthFiles)) {
      if (!entry.isFile()) continue;
      bytes += await lstat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0, // moved or removed meanwhile: the next look sees what became of it
      );
    }
  } catch {
    // A folder that cannot be read shows no growth, which is all that is asked here.
  }
  return bytes;
}
