/**
 * A model that already lies on this machine is copied, never linked: with a link the server would see its files change
 * under it, and could change the user's.
 */

import { mkdirSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Budget } from "./budget.js";
import { copyOfFile } from "./copy.js";
import { noModelFound, StorageError } from "./errors.js";
import { maxFolderDepth } from "./limits.js";
import type { Log } from "./log.js";

export interface CopyOptions {
  readonly budget: Budget;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Copies one file, or everything below a folder, into `target`. */
export async function copyLocal(
  path: string,
  shown: string,
  target: string,
  options: CopyOptions,
): Promise<void> {
  const found = look(path);
  if (found === undefined) {
    // Upstream takes file:// paths literally; programs that build URIs escape them.
    const plain = unescaped(path);
    if (plain !== path) return copyLocal(plain, shown, target, options);
    throw new StorageError(`Local path ${shown} does not exist.`);
  }
  if (found.isFile()) return copyOne(path, join(target, basename(path)), found.size, options);
  const copied = await copyFolder(path, target, [realpathSync(path)], options);
  if (copied === 0) throw noModelFound(shown);
}

/** Links are followed, since volumes are often made of them; a link to a folder above would never end. */
async function copyFolder(
  folder: string,
  target: string,
  above: readonly string[],
  options: CopyOptions,
): Promise<number> {
  if (above.length > maxFolderDepth)
    throw new StorageError(`${folder} is nested deeper than ${maxFolderDepth} folders.`);
  let copied = 0;
  for (const name of readdirSync(folder).sort()) {
    options.signal.throwIfAborted();
    const path = join(folder, name);
    const found = look(path);
    if (found === undefined)
      throw new StorageError(`Local path ${path} does not exist: the link leads nowhere.`);
    if (found.isDirectory()) {
      const real = realpathSync(path);
      if (above.includes(real)) continue;
      mkdirSync(join(target, name), { recursive: true });
      copied += await copyFolder(path, join(target, name), [...above, real], options);
    } else if (found.isFile()) {
      await copyOne(path, join(target, name), found.size, options);
      copied += 1;
    }
  }
  return copied;
}

async function copyOne(
  path: string,
  target: string,
  bytes: number,
  { budget, log }: CopyOptions,
): Promise<void> {
  budget.spendEntry();
  budget.spendBytes(bytes);
  log("storage:111", `Copying: ${path}`);
  await copyOfFile(path, target, bytes);
}

function look(path: string) {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
