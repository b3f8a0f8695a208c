// Layers laid over each other: which files a model has, each a link to the layer it is from.

import { constants } from "node:fs";
import { copyFile, link, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Link, makeLinks } from "./archive.js";
import { type Budget, tooLarge } from "./budget.js";
import { codeOf } from "./errors.js";
import type { Change, Changes, Taken } from "./layers.js";

/** How many files and links there are in the end. */
export async function layOut(
  layers: readonly Taken[],
  target: string,
  { maxBytes }: Budget,
): Promise<number> {
  const whole = overlaid(layers);
  let bytes = 0;
  for (const { size = 0 } of whole.values()) bytes += size;
  if (bytes > maxBytes) throw tooLarge(maxBytes);

  const links: Link[] = [];
  let files = 0;
  for (const { path, kind, to = "", layer } of whole.values()) {
    const place = join(target, path);
    if (kind === "folder") {
      await mkdir(place, { recursive: true });
      continue;
    }
    files += 1;
    await mkdir(dirname(place), { recursive: true });
    if (kind === "file") await share(join(layer.folder, "files", path), place);
    else links.push({ path: place, to, name: path });
  }
  // Last, so that nothing is ever written through one.
  await makeLinks(links, target);
  return files;
}

/** What each path is in the end. */
export function overlaid<L extends Changes>(
  layers: readonly L[],
): ReadonlyMap<string, Change & { readonly layer: L }> {
  const whole = new Map<string, Change & { readonly layer: L }>();
  // Every path that something was ever in: looking for what is below one is dear, and seldom needed.
  const above = new Set<string>();
  const removeBelow = (folder: string) => {
    if (folder !== "" && !above.has(folder)) return;
    for (const path of whole.keys()) if (folder === "" || path.startsWith(`${folder}/`)) whole.delete(path);
  };
  for (const layer of layers) {
    for (const folder of layer.opaque) removeBelow(folder);
    for (const path of layer.whiteouts) {
      whole.delete(path);
      removeBelow(path);
    }
    for (const change of layer.entries) {
      if (change.kind !== "folder") removeBelow(change.path);
      // What was a file or a link beneath becomes a folder when something is in it.
      for (const folder of foldersAbove(change.path)) {
        above.add(folder);
        if (whole.get(folder)?.kind !== "folder") whole.delete(folder);
      }
      whole.set(change.path, { ...change, layer });
    }
  }
  return whole;
}

function* foldersAbove(path: string): Iterable<string> {
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) yield path.slice(0, at);
}

/** The same bytes on disk once, where the disk can; they are read-only. */
async function share(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!/^(EXDEV|EPERM|EMLINK|ENOTSUP|EOPNOTSUPP)$/.test(codeOf(error) ?? "")) throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}
