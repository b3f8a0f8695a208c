// Writing a volume's files, and finding a path inside a volume: neither may lead out of it.
import { chmod, mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, sep } from "node:path";
import { PortError } from "../../ports/index.js";
import type { SetupProblem } from "./problem.js";

export interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

export async function writeFiles(folder: string, files: readonly VolumeFile[]): Promise<void> {
  for (const file of files) {
    if (!isInside(file.path))
      throw new PortError("Invalid", `volume path ${file.path} leads out of its volume`);
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    // A container may have put something else there before it was restarted; that must not be written through.
    await rm(path, { force: true });
    await writeFile(path, file.content, { mode: file.mode });
    await chmod(path, file.mode); // the process's umask does not apply to volumes
  }
}

/** The directory or file a subPath names. A directory is made when nothing is there; links are followed and judged. */
export async function resolveSubPath(volume: string, subPath: string): Promise<string | SetupProblem> {
  if (!isInside(subPath))
    return { problem: `subPath ${JSON.stringify(subPath)} must stay within the volume` };
  const path = join(volume, subPath);
  if ((await stat(path).catch(() => undefined)) === undefined) await mkdir(path, { recursive: true });
  const [root, real] = await Promise.all([realpath(volume), realpath(path)]);
  if (real !== root && !real.startsWith(root + sep)) {
    return { problem: `subPath ${JSON.stringify(subPath)} leads out of the volume` };
  }
  return real;
}

function isInside(path: string): boolean {
  const clean = normalize(path);
  return !isAbsolute(clean) && clean !== ".." && !clean.startsWith(`..${sep}`);
}
