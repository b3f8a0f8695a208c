// Layers of images, each fetched once: a folder with the files it has below /models, and a list of what it changes.

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  utimes,
  writeFile,
} from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { RegistryTrouble } from "../registry/index.js";
import { type ArchiveEntry, counting, growth, pathInside, readTar, shown } from "./archive.js";
import type { Budget } from "./budget.js";
import { codeOf, StorageError } from "./errors.js";
import {
  firstBackoffMs,
  lastBackoffMs,
  maxAttempts,
  maxFruitlessAttempts,
  maxLayerEntries,
  progressMs,
} from "./limits.js";
import type { Log } from "./log.js";

export interface Layer {
  readonly digest: string;
  readonly size: number;
  /** Whether it holds files at all. */
  readonly isFiles: boolean;
}

/** What a layer does to the files below /models; paths have no leading slash. */
export interface Changes {
  readonly entries: readonly Change[];
  /** Gone from the layers beneath. */
  readonly whiteouts: readonly string[];
  /** Folders that show nothing of the layers beneath. */
  readonly opaque: readonly string[];
}

export interface Change {
  readonly path: string;
  readonly kind: "file" | "folder" | "link";
  readonly to?: string;
  readonly size?: number;
}

export interface Taken extends Changes {
  readonly folder: string;
}

export interface TakeOptions {
  readonly budget: Budget;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly backoffFactor?: number;
}

export const partPrefix = ".part-";
const listName = "layer.json";
const nothing: Changes = { entries: [], whiteouts: [], opaque: [] };

/** All files of layers are this old. One that is younger was written to, through a link. */
const stamp = new Date("2000-01-01T00:00:00Z");

export async function takeLayer(
  layer: Layer,
  source: (from: number) => Promise<IncomingMessage>,
  cache: string,
  options: TakeOptions,
): Promise<Taken> {
  const folder = join(cache, layer.digest.replace(":", "-"));
  if (!layer.isFiles) return { ...nothing, folder };
  const here = await intact(folder);
  if (here !== undefined) {
    options.log("oci:60", `Layer ${layer.digest} is here already`);
    await utimes(join(folder, listName), new Date(), new Date());
    return { ...here, folder };
  }
  options.log("oci:64", `Downloading: layer ${layer.digest} (${layer.size} bytes)`);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const part = await mkdtemp(join(cache, partPrefix));
  await mkdir(join(part, "files"), { recursive: true });
  try {
    const blob = join(part, "blob");
    await download(layer, source, blob, options);
    const changes = await extract(blob, join(part, "files"), layer, options);
    await rm(blob);
    await writeFile(join(part, listName), JSON.stringify(changes));
    await settle(part, folder);
    return { ...changes, folder };
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** Somebody else may have been faster, with the same bytes; or what is there is spoilt. */
async function settle(part: string, folder: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await rename(part, folder);
      return;
    } catch (error) {
      if (!/^(ENOTEMPTY|EEXIST)$/.test(codeOf(error) ?? "") || tries > 2) throw error;
      if ((await intact(folder)) !== undefined) return;
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** undefined when it is not here, or not as it was made. */
async function intact(folder: string): Promise<Changes | undefined> {
  try {
    const changes = JSON.parse(await readFile(join(folder, listName), "utf8")) as Changes;
    for (const { kind, path, size } of changes.entries) {
      if (kind !== "file") continue;
      const found = await lstat(join(folder, "files", path));
      if (!found.isFile() || found.size !== size || found.mtimeMs !== stamp.getTime()) return undefined;
    }
    return changes;
  } catch {
    return undefined;
  }
}

/** Into one file, resumed where a broken connection left it, and only what the digest says. */
async function download(
  layer: Layer,
  source: (from: number) => Promise<IncomingMessage>,
  path: string,
  { budget, signal, log, backoffFactor = 1 }: TakeOptions,
): Promise<void> {
  const file = await open(path, "w");
  try {
    let hash = createHash("sha256");
    let received = 0;
    let fruitless = 0;
    for (let attempt = 1; received < layer.size || attempt === 1; attempt++) {
      const before = received;
      let saidMs = performance.now();
      try {
        const answer = await source(received);
        if (answer.statusCode !== 206 && received > 0) {
          hash = createHash("sha256");
          received = 0;
        }
        for await (const chunk of answer as AsyncIterable<Buffer>) {
          // Refused here rather than at the end: a registry must not fill the disk with what nobody asked for.
          if (received + chunk.length > layer.size) throw notTheSize(layer);
          budget.spendBytes(chunk.length);
          hash.update(chunk);
          await file.write(chunk, 0, chunk.length, received);
          received += chunk.length;
          if (performance.now() - saidMs < progressMs) continue;
          saidMs = performance.now();
          log("oci:115", `Downloaded ${received} of ${layer.size} bytes of layer ${layer.digest}`);
        }
        if (received < layer.size) throw new Error(`ended after ${received} of ${layer.size} bytes`);
      } catch (error) {
        if (signal.aborted || error instanceof StorageError) throw error;
        // What a registry refuses it refuses again.
        if (error instanceof RegistryTrouble && error.more.isUnreachable !== true) throw error;
        const code = codeOf(error);
        if (code !== undefined && /^(ENOSPC|EIO|EDQUOT|EROFS|EFBIG)$/.test(code)) throw error;
        fruitless = received > before ? 0 : fruitless + 1;
        if (fruitless >= maxFruitlessAttempts || attempt >= maxAttempts) throw error;
        const pauseMs = Math.min(lastBackoffMs, firstBackoffMs * 2 ** fruitless) * backoffFactor;
        log("oci:120", `Trying again in ${(pauseMs / 1000).toFixed(1)} s: ${(error as Error).message}`, "W");
        await wait(pauseMs, undefined, { signal });
      }
    }
    const got = `sha256:${hash.digest("hex")}`;
    if (got !== layer.digest) {
      throw new StorageError(`The digest of layer ${layer.digest} is ${got}; nothing of it is used.`);
    }
  } finally {
    await file.close();
  }
}

function notTheSize({ digest, size }: Layer): StorageError {
  return new StorageError(`Layer ${digest} is larger than the ${size} bytes its image says.`);
}

async function extract(
  blob: string,
  target: string,
  layer: Layer,
  { budget, signal }: TakeOptions,
): Promise<Changes> {
  const grow = growth(layer.size);
  const found = { entries: new Map<string, Change>(), whiteouts: [] as string[], opaque: [] as string[] };
  let entries = 0;
  try {
    for await (const entry of readTar(blob)) {
      signal.throwIfAborted();
      entries += 1;
      if (entries > maxLayerEntries) throw new StorageError(`Layer ${layer.digest} has too many entries.`);
      const path = belowModels(entry.name);
      if (path === undefined) await pipeline(entry.body, counting(grow, undefined), nowhere(), { signal });
      else {
        budget.spendEntry();
        await take(entry, path, target, grow, found, budget);
      }
    }
  } catch (error) {
    if (error instanceof StorageError || signal.aborted) throw error;
    const code = codeOf(error);
    if (code !== undefined && /^(ENOSPC|EACCES|EIO|EROFS|EMFILE|EDQUOT)$/.test(code)) throw error;
    throw new StorageError(`Failed to unpack layer ${layer.digest}. It is no tar archive.`, { cause: error });
  }
  return { ...found, entries: [...found.entries.values()] };
}

async function take(
  { name, type, target: to, body }: ArchiveEntry,
  path: string,
  root: string,
  grow: (bytes: number) => void,
  found: { readonly entries: Map<string, Change>; readonly whiteouts: string[]; readonly opaque: string[] },
  budget: Budget,
): Promise<void> {
  const place = pathInside(root, path);
  const slash = path.lastIndexOf("/");
  const [folder, last] = [slash < 0 ? "" : path.slice(0, slash), path.slice(slash + 1)];
  if (last === ".wh..wh..opq") found.opaque.push(folder);
  else if (last.startsWith(".wh.")) {
    found.whiteouts.push(folder === "" ? last.slice(4) : `${folder}/${last.slice(4)}`);
  } else if (type === "folder") {
    if (path !== "") found.entries.set(path, { path, kind: "folder" });
  } else if (path === "") {
    throw new StorageError("The image has /models, and it is no folder.");
  } else if (type === "file") {
    await mkdir(dirname(place), { recursive: true });
    // An entry may come twice, the later one counts; it is not written over what a link may share.
    await rm(place, { recursive: true, force: true });
    let size = 0;
    const count = (bytes: number) => {
      size += bytes;
      budget.spendBytes(bytes);
      grow(bytes);
    };
    await pipeline(body, counting(count, undefined), createWriteStream(place, { mode: 0o644 }));
    await chmod(place, 0o444);
    await utimes(place, stamp, stamp);
    found.entries.set(path, { path, kind: "file", size });
    return;
  } else if (type === "symlink") {
    // Made when the model is laid out: what it leads to may be in another layer.
    found.entries.set(path, { path, kind: "link", to });
  } else if (type === "hardlink") {
    const other = belowModels(to);
    const twin = other === undefined ? undefined : found.entries.get(other);
    if (twin?.kind !== "file") {
      throw new StorageError(
        `Failed to unpack layer. '${shown(name)}' leads outside of the model directory.`,
      );
    }
    // To the same place inside, by the model's own rules: a symbolic link costs nothing.
    found.entries.set(path, { path, kind: "link", to: relativeTo(folder, twin.path) });
  } else {
    throw new StorageError(`Failed to unpack layer. '${shown(name)}' is neither a file nor a folder.`);
  }
  body.resume();
}

/** The path below /models, "" for the folder itself, or undefined for what is elsewhere. Whiteouts of all of it count. */
function belowModels(name: string): string | undefined {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts[0] === ".wh.models" && parts.length === 1) return ".wh..wh..opq";
  return parts[0] === "models" ? parts.slice(1).join("/") : undefined;
}

function relativeTo(folder: string, path: string): string {
  const up = folder === "" ? [] : folder.split("/").map(() => "..");
  return [...up, path].join("/");
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
