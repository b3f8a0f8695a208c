// Sizes of folders, and progress told by how they grow.

import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { progressMs } from "./limits.js";

/** Bytes of all files below; files that vanish meanwhile count as nothing. */
export async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesBelow(path);
    else bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

export function megabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${Math.round(bytes / 1_000_000)} MB`;
}

export function secondsSince(startMs: number): string {
  return `${Math.round((Date.now() - startMs) / 1000)} s`;
}

/** Tells every few seconds how much lies in the folder, while the work goes on. */
export async function withProgress<T>(
  folder: string,
  what: string,
  onProgress: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const startMs = Date.now();
  let counting = false;
  const timer = setInterval(() => {
    if (counting) return;
    counting = true;
    void bytesBelow(folder).then((bytes) => {
      counting = false;
      onProgress(`${what}: ${megabytes(bytes)} on disk, ${secondsSince(startMs)}`);
    });
  }, progressMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
