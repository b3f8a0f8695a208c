/**
 * Whether a model is there in a moment: few small files on a file system of this machine, nothing to unpack. Where the
 * user's files are may be slow, or gone: which kind of file system that is, is asked from another thread, and only one
 * that answers at once is asked anything else. What it was the last time is what it is.
 */
import { readdirSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { archiveKind } from "./archive.js";
import { modelCache } from "./cache.js";
import { fromExamples, type InitializeOptions, type Pair } from "./initialize.js";
import { atHandFiles, copiedAtOnceBytes, maxFolderDepth, pathsKnown } from "./limits.js";
import { parseSource } from "./uri.js";

/** The sizes of some files; undefined when there are too many, or other things. */
type Sizes = readonly number[] | undefined;

export type AtHand = (pairs: readonly Pair[], env: InitializeOptions["env"]) => Promise<boolean>;

/** statfs(2): ext2 to ext4, XFS, Btrfs, ZFS, F2FS, tmpfs, overlayfs. */
const ownFileSystems: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0x01021994, 0x794c7630,
]);

/** What it gives never rejects. */
export function atHand(): AtHand {
  const own = new Set<string>();

  async function isOnOwn(path: string): Promise<boolean> {
    const asked = statfs(path).then(({ type }) => {
      const isOwn = ownFileSystems.has(type);
      if (!isOwn) own.delete(path);
      else if (own.size < pathsKnown) own.add(path);
      return isOwn;
    });
    if (!own.has(path)) return asked;
    void asked.catch(() => own.delete(path));
    return true;
  }

  async function sizesOf({ uri }: Pair, env: InitializeOptions["env"]): Promise<Sizes> {
    const source = parseSource(uri);
    if (source.kind === "local") {
      const path = fromExamples(source.path, env);
      return (await isOnOwn(path)) ? sizesBelow(path) : undefined;
    }
    const folder = env["DRYDOCK_MODEL_CACHE"];
    if (source.kind !== "http" || !folder) return undefined;
    return modelCache(folder, 0)
      .kept(uri)
      ?.map(({ bytes }) => bytes);
  }

  return async (pairs, env) => {
    try {
      const all: number[] = [];
      for (const pair of pairs) {
        const sizes = await sizesOf(pair, env);
        if (sizes === undefined) return false;
        all.push(...sizes);
      }
      return all.length <= atHandFiles && all.reduce((sum, size) => sum + size, 0) <= copiedAtOnceBytes;
    } catch {
      // The initializer itself finds the words for it.
      return false;
    }
  };
}

/** A link may lead anywhere, so a folder that holds one is not at hand. */
function sizesBelow(path: string): Sizes {
  if (archiveKind(path) !== undefined) return undefined;
  const found = statSync(path);
  if (found.isFile()) return [found.size];
  const sizes: number[] = [];
  const fits = (folder: string, depth: number): boolean =>
    readdirSync(folder, { withFileTypes: true }).every((entry) => {
      const whole = join(folder, entry.name);
      if (entry.isDirectory()) return depth < maxFolderDepth && fits(whole, depth + 1);
      if (!entry.isFile() || archiveKind(entry.name) !== undefined) return false;
      sizes.push(statSync(whole).size);
      return sizes.length <= atHandFiles;
    });
  return fits(path, 0) ? sizes : undefined;
}
