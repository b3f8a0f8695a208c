/**
 * Unpacks an archive that a stranger made. Names are checked before anything is written, links are made last (so
 * that nothing is ever written through one), and every byte is counted as it comes out.
 */

import { createReadStream, createWriteStream } from "node:fs";
import { link, mkdir, open, realpath, stat, symlink } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createGunzip } from "node:zlib";
import tar from "tar-stream";
import type { Budget } from "./budget.js";
import { codeOf, StorageError } from "./errors.js";
import { maxPathBytes, maxUnpackRatio, ratioFreeBytes } from "./limits.js";
import { readZip } from "./zip.js";

export type ArchiveKind = "tar" | "zip";

/** Judged by name, as upstream does. */
export function archiveKind(name: string): ArchiveKind | undefined {
  if (/\.(tar|tgz|tar\.gz)$/i.test(name)) return "tar";
  return /\.zip$/i.test(name) ? "zip" : undefined;
}

export interface ArchiveEntry {
  readonly name: string;
  readonly type: "file" | "folder" | "symlink" | "hardlink" | "other";
  readonly target: string;
  /** What the archive says its bytes add up to, where it says so. */
  readonly crc?: number;
  /** Must be read to its end, or dropped, before the next entry comes. */
  readonly body: Readable;
}

export interface UnpackOptions {
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/** Returns how many files came out. */
export async function unpack(
  path: string,
  kind: ArchiveKind,
  target: string,
  options: UnpackOptions,
): Promise<number> {
  const archiveBytes = (await stat(path)).size;
  try {
    return await writeEntries(kind === "zip" ? readZip(path) : readTar(path), target, archiveBytes, options);
  } catch (error) {
    // The disk's trouble and our own refusals are told as they are; what is left is the archive's fault.
    if (error instanceof StorageError || options.signal.aborted) throw error;
    const code = codeOf(error);
    if (code !== undefined && /^(ENOSPC|EACCES|EIO|EROFS|EMFILE|EDQUOT)$/.test(code)) throw error;
    throw new StorageError("Failed to unpack archive file. The file format is not valid.", { cause: error });
  }
}

async function writeEntries(
  entries: AsyncIterable<ArchiveEntry>,
  target: string,
  archiveBytes: number,
  { budget, signal }: UnpackOptions,
): Promise<number> {
  const links: Link[] = [];
  const count = ratioGuard(archiveBytes, budget);
  let files = 0;
  for await (const { name, type, target: linkTarget, crc, body } of entries) {
    signal.throwIfAborted();
    budget.spendEntry();
    const path = pathInside(target, name);
    if (type === "folder") {
      await mkdir(path, { recursive: true });
      body.resume();
      continue;
    }
    await mkdir(dirname(path), { recursive: true });
    if (type === "file") {
      await pipeline(body, counting(count, crc), createWriteStream(path, { mode: 0o644 }), { signal });
      files += 1;
      continue;
    }
    body.resume();
    if (type === "hardlink") await link(pathInside(target, linkTarget), path);
    else if (type === "symlink") links.push({ path, to: linkTarget, name });
    else
      throw new StorageError(
        `Failed to unpack archive file. Entry '${shown(name)}' is neither a file nor a folder.`,
      );
    files += 1;
  }
  await makeLinks(links, target);
  return files;
}

export async function* readTar(path: string): AsyncIterable<ArchiveEntry> {
  const extract = tar.extract();
  const unpacking = (await isGzip(path))
    ? pipeline(createReadStream(path), createGunzip(), extract)
    : pipeline(createReadStream(path), extract);
  // Reading the entries reports the same failure; without this it would also be an unhandled one.
  unpacking.catch((error: Error) => extract.destroy(error));
  for await (const entry of extract) {
    const { name, type, linkname } = entry.header;
    yield {
      name,
      type: tarTypes[type ?? "file"] ?? "other",
      target: linkname ?? "",
      body: entry as unknown as Readable,
    };
  }
  await unpacking;
}

const tarTypes: Readonly<Record<string, ArchiveEntry["type"]>> = {
  file: "file",
  "contiguous-file": "file",
  directory: "folder",
  symlink: "symlink",
  link: "hardlink",
};

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

/** The path an entry is written to. While entries are written no link exists, so what the name says is what is. */
export function pathInside(root: string, name: string): string {
  const path = resolve(root, name);
  const tricky = isAbsolute(name) || name.includes("\0") || name.split(/[/\\]/).includes("..");
  if (tricky || !isInside(root, path) || Buffer.byteLength(name) > maxPathBytes) throw escapes(name);
  return path;
}

/** What will lead from `path` to another place of the same folder; `name` is what its archive calls it. */
export interface Link {
  readonly path: string;
  readonly to: string;
  readonly name: string;
}

/** Links may point anywhere inside, and nowhere else: judged by where they really lead once all exist. */
export async function makeLinks(links: readonly Link[], root: string): Promise<void> {
  for (const { path, to, name } of links) {
    const lexical = resolve(dirname(path), to);
    if (isAbsolute(to) || to.length > maxPathBytes || !isInside(root, lexical)) throw escapes(name);
    await symlink(to, path);
  }
  const realRoot = await realpath(root);
  for (const { path, name } of links) {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined || !isInside(realRoot, real)) throw escapes(name);
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function escapes(name: string): StorageError {
  return new StorageError(
    `Failed to unpack archive file. Entry '${shown(name)}' leads outside of the model directory.`,
  );
}

export function shown(name: string): string {
  const printable = name.replace(/[\x00-\x1f\x7f]/g, "?");
  return printable.length > 200 ? `${printable.slice(0, 200)}...` : printable;
}

function ratioGuard(archiveBytes: number, budget: Budget): (bytes: number) => void {
  const grow = growth(archiveBytes);
  return (bytes) => {
    budget.spendBytes(bytes);
    grow(bytes);
  };
}

/** Told of all that comes out of an archive, kept or not, it throws when that is out of all proportion. */
export function growth(archiveBytes: number): (bytes: number) => void {
  let total = 0;
  return (bytes) => {
    total += bytes;
    if (total > ratioFreeBytes && total > archiveBytes * maxUnpackRatio) {
      throw new StorageError(
        `Failed to unpack archive file. It grows to more than ${maxUnpackRatio} times its size.`,
      );
    }
  };
}

export function counting(count: (bytes: number) => void, wantedCrc: number | undefined): Transform {
  let crc = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        count(chunk.length);
        if (wantedCrc !== undefined) crc = crc32(chunk, crc);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      done(wantedCrc === undefined || crc === wantedCrc ? null : new Error("the bytes do not add up"));
    },
  });
}
