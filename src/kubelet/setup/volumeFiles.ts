// Writing a volume's files, and finding a path inside a volume: neither may lead out of it.
import { chmod, chown, mkdir, readdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize, sep } from "node:path";
import { PortError } from "../../ports/index.js";
import type { SetupProblem } from "./problem.js";

export interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

export async function writeFiles(folder: string, files: readonly VolumeFile[]): Promise<void> {
  for (const file of files) {
    const parent = isInside(file.path) ? await walk(folder, dirname(file.path)) : undefined;
    if (parent === undefined) {
      throw new PortError("Invalid", `volume path ${file.path} leads out of its volume`);
    }
    const path = join(parent, basename(file.path));
    // A container may have put something else there before it was restarted; that must not be written through.
    await rm(path, { force: true });
    await writeFile(path, file.content, { mode: file.mode });
    await chmod(path, file.mode); // the process's umask does not apply to volumes
  }
}

/** As the kubelet does for fsGroup. Without root a file can be given to one's own groups alone: the rest stays as it is. */
export async function giveToGroup(folder: string, group: number): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((one) => !one.isSymbolicLink()).map((one) => join(one.parentPath, one.name));
  for (const path of [folder, ...paths]) {
    const { uid, mode } = await stat(path);
    const isFolder =
      path === folder || entries.some((one) => one.isDirectory() && join(one.parentPath, one.name) === path);
    const given = await chown(path, uid, group).then(
      () => true,
      () => false,
    );
    if (given) await chmod(path, (mode & 0o777) | ((mode & 0o700) >> 3) | (isFolder ? 0o2070 : 0));
  }
}

/** The directory or file a subPath names. A directory is made when nothing is there; links are followed and judged. */
export async function resolveSubPath(volume: string, subPath: string): Promise<string | SetupProblem> {
  const found = isInside(subPath) ? await walk(volume, subPath) : undefined;
  return found ?? { problem: `subPath ${JSON.stringify(subPath)} leads out of the volume` };
}

/** Step by step, so that nothing is made beyond a link that leads out. */
async function walk(folder: string, path: string): Promise<string | undefined> {
  const root = await realpath(folder);
  let at = root;
  for (const part of normalize(path).split(sep)) {
    if (part === "" || part === ".") continue;
    const next = join(at, part);
    const real = await realpath(next).catch(() => undefined);
    if (real === undefined) await mkdir(next);
    else if (real !== root && !real.startsWith(root + sep)) return undefined;
    at = real ?? next;
  }
  return at;
}

function isInside(path: string): boolean {
  const clean = normalize(path);
  return !isAbsolute(clean) && clean !== ".." && !clean.startsWith(`..${sep}`);
}
