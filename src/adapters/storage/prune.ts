// Makes room among the layers that are kept: the least recently used go first. Models keep their files: they are links.

import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "./errors.js";
import { type Changes, partPrefix, type Taken } from "./layers.js";
import { abandonedMs, defaultLayerCacheBytes } from "./limits.js";

export async function pruneLayers(
  cache: string,
  env: Readonly<Record<string, string | undefined>>,
  inUse: readonly Taken[],
): Promise<void> {
  const used = new Set(inUse.map(({ folder }) => folder));
  const kept: { readonly folder: string; readonly usedMs: number; readonly bytes: number }[] = [];
  for (const name of await readdir(cache).catch(() => [])) {
    const folder = join(cache, name);
    if (name.startsWith(partPrefix)) await removeAbandoned(folder);
    else kept.push({ folder, ...(await sizeOf(folder)) });
  }
  let bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
  const most = mostBytes(env);
  for (const one of kept.sort((a, b) => a.usedMs - b.usedMs)) {
    if (bytes <= most) return;
    if (used.has(one.folder)) continue;
    await rm(one.folder, { recursive: true, force: true });
    bytes -= one.bytes;
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  const since = (await stat(folder).catch(() => undefined))?.mtimeMs;
  if (since === undefined || Date.now() - since < abandonedMs) return;
  await rm(folder, { recursive: true, force: true });
}

/** One without a list was never finished, or is on its way out: it goes first. */
async function sizeOf(folder: string): Promise<{ readonly usedMs: number; readonly bytes: number }> {
  try {
    const list = join(folder, "layer.json");
    const { entries } = JSON.parse(await readFile(list, "utf8")) as Changes;
    const bytes = entries.reduce((sum, { size = 0 }) => sum + size, 0);
    return { usedMs: (await stat(list)).mtimeMs, bytes };
  } catch {
    return { usedMs: 0, bytes: 0 };
  }
}

function mostBytes(env: Readonly<Record<string, string | undefined>>): number {
  const text = env["DRYDOCK_OCI_CACHE_BYTES"];
  if (!text) return defaultLayerCacheBytes;
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new StorageError(`DRYDOCK_OCI_CACHE_BYTES must be a whole number of bytes, not "${text}".`);
}
