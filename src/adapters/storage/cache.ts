/**
 * What a Revision has fetched once is kept, so that its next pod need not fetch it again. A Revision never changes, so
 * neither does what its URI meant; a checksum of each file says that what is kept is still that. Nothing here is ever
 * linked into a pod: it gets copies (clones where the file system can), and cannot reach what others will get.
 */
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { copyOfFile, sha256OfFile } from "./copy.js";
import { cacheBytes, cacheEntryBytes, cacheUnusedMs } from "./limits.js";

export interface ModelCache {
  /** What is kept for the URI, whether or not it still is what it was. */
  kept(uri: string): readonly Kept[] | undefined;
  /** Fills the folder with what is kept for the URI; false when nothing is, or it is not what it was. */
  restore(uri: string, target: string, signal: AbortSignal): Promise<boolean>;
  /** Keeps what the folder holds. */
  keep(uri: string, source: string, signal: AbortSignal): Promise<void>;
}

export interface Kept {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

const manifestName = "manifest.json";
const unfinished = ".drydock-";

/** `folder` is one Revision's; those of all Revisions lie beside it, and are bounded together. */
export function modelCache(folder: string, nowMs: number): ModelCache {
  const entryOf = (uri: string) => join(folder, createHash("sha256").update(uri).digest("hex"));

  return {
    kept: (uri) => manifestOf(entryOf(uri)),

    async restore(uri, target, signal) {
      const entry = entryOf(uri);
      const kept = manifestOf(entry);
      if (kept === undefined) return false;
      try {
        for (const { path, bytes, sha256 } of kept) {
          signal.throwIfAborted();
          const copy = join(target, path);
          mkdirSync(dirname(copy), { recursive: true });
          await copyOfFile(join(entry, "files", path), copy, bytes);
          // Of the copy: what was checked is what is served.
          if ((await sha256OfFile(copy, bytes)) !== sha256) throw new Error(`${path} is damaged`);
        }
        utimesSync(entry, nowMs / 1000, nowMs / 1000);
        return true;
      } catch {
        signal.throwIfAborted();
        rmSync(entry, { recursive: true, force: true });
        for (const name of readdirSync(target)) rmSync(join(target, name), { recursive: true, force: true });
        return false;
      }
    },

    async keep(uri, source, signal) {
      const files = filesOf(source);
      if (files === undefined) return;
      const all = dirname(folder);
      mkdirSync(all, { recursive: true, mode: 0o700 });
      makeRoom(all, nowMs);
      mkdirSync(folder, { recursive: true });
      const making = mkdtempSync(join(folder, unfinished));
      try {
        const kept: Kept[] = [];
        for (const { path, bytes } of files) {
          signal.throwIfAborted();
          const copy = join(making, "files", path);
          mkdirSync(dirname(copy), { recursive: true });
          await copyOfFile(join(source, path), copy, bytes);
          kept.push({ path, bytes, sha256: await sha256OfFile(copy, bytes) });
        }
        writeFileSync(join(making, manifestName), JSON.stringify(kept));
        const entry = entryOf(uri);
        if (manifestOf(entry) === undefined) rmSync(entry, { recursive: true, force: true });
        renameSync(making, entry);
      } catch (error) {
        rmSync(making, { recursive: true, force: true });
        const code = (error as NodeJS.ErrnoException).code;
        // Another pod of the same Revision was faster.
        if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
      }
    },
  };
}

/** Undefined for one that is being made, or was left by a process that was killed, and for none. */
function manifestOf(entry: string): readonly Kept[] | undefined {
  try {
    return JSON.parse(readFileSync(join(entry, manifestName), "utf8")) as Kept[];
  } catch {
    return undefined;
  }
}

/** Plain files only; undefined when there is anything else, or more than one model may keep. */
function filesOf(source: string): readonly Omit<Kept, "sha256">[] | undefined {
  const files: Omit<Kept, "sha256">[] = [];
  for (const found of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (found.isDirectory()) continue;
    if (!found.isFile()) return undefined;
    const whole = join(found.parentPath, found.name);
    files.push({ path: whole.slice(source.length + 1), bytes: statSync(whole).size });
  }
  return bytesOf(files) > cacheEntryBytes ? undefined : files;
}

/** What nobody used for long goes, and then the longest unused, until there is room for one more. */
function makeRoom(all: string, nowMs: number): void {
  const entries = readdirSync(all).flatMap((revision) =>
    readdirSync(join(all, revision)).map((name) => {
      const path = join(all, revision, name);
      const { mtimeMs } = statSync(path);
      return { path, mtimeMs, bytes: bytesOf(manifestOf(path) ?? []) };
    }),
  );
  entries.sort((one, other) => other.mtimeMs - one.mtimeMs);
  let total = 0;
  for (const { path, mtimeMs, bytes } of entries) {
    total += bytes;
    const isOld = nowMs - mtimeMs > cacheUnusedMs;
    if (isOld || total > cacheBytes - cacheEntryBytes) rmSync(path, { recursive: true, force: true });
  }
  for (const revision of readdirSync(all)) {
    if (readdirSync(join(all, revision)).length === 0) rmSync(join(all, revision), { recursive: true });
  }
}

function bytesOf(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
