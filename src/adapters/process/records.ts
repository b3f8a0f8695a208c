/**
 * Every process group we start is on disk before its program runs, so that whoever comes after a crash knows what
 * to end. A record holds the pid and its start time: a pid that was reused is somebody else and is left alone.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sweepPollMs, sweepWaitMs } from "./limits.js";
import type { ProcessTable } from "./processTable.js";
import { signalGroup, signalOne } from "./signals.js";

export const instanceVariable = "DRYDOCK_INSTANCE";

/** What begins the record of a process that waits to become a container's. */
export const sparePrefix = "spare-";

/** What the folder of a life that is being ended is called, after its id. */
const ending = ".ending";

interface Owner {
  readonly pid: number;
  readonly start: string | undefined;
  readonly bootId: string;
}

/** The folder of one life of Drydock. Its owner is recorded so that a neighbour never sweeps it. */
export async function openRecords(runFolder: string, instance: string, table: ProcessTable): Promise<string> {
  const folder = join(runFolder, instance);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const owner: Owner = { pid: process.pid, start: await table.startOf(process.pid), bootId: table.bootId };
  await writeFile(join(folder, "owner"), JSON.stringify(owner));
  return folder;
}

/** Ends what lives before this one left running, and forgets it. Gives the ids of the containers it found. */
export async function sweepRecords(
  runFolder: string,
  instance: string,
  table: ProcessTable,
): Promise<readonly string[]> {
  const swept: string[] = [];
  for (const name of await readdir(runFolder).catch(() => [])) {
    const life = name.endsWith(ending) ? name.slice(0, -ending.length) : name;
    const found = join(runFolder, name);
    if (life === instance) continue;
    if (!existsSync(join(found, "owner"))) {
      // Whoever ended that life was ended while he forgot it.
      if (life !== name) await rm(found, { recursive: true, force: true });
      continue;
    }
    const owner = JSON.parse((await readFile(join(found, "owner"), "utf8")) || "{}") as Partial<Owner>;
    const isThisBoot = owner.bootId === table.bootId;
    if (isThisBoot && owner.pid !== undefined && (await table.isRunning(owner.pid, owner.start ?? "")))
      continue;

    // Under another name no start that was under way can still record itself: it ends there, or is on record.
    const folder = join(runFolder, life + ending);
    if (found !== folder && !(await renamed(found, folder))) continue;
    // After a reboot nothing of it can be left, whatever its pids mean now.
    if (isThisBoot) {
      await endGroups(folder, table);
      await endMarked(new Set([`${instanceVariable}=${life}`]), table);
    }
    swept.push(...(await idsIn(folder)).filter((id) => !id.startsWith(sparePrefix)));
    await rm(folder, { recursive: true, force: true });
  }
  return swept;
}

/** Ends single processes by what their environment says of them: those that left their group, or were never recorded. */
export async function endMarked(settings: ReadonlySet<string>, table: ProcessTable): Promise<void> {
  for (const pid of await table.withEnv(settings)) {
    if (pid !== process.pid) signalOne(pid, "SIGKILL");
  }
}

/** False when somebody else was faster. */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function endGroups(folder: string, table: ProcessTable): Promise<void> {
  const groups = new Set<number>();
  for (const id of await idsIn(folder)) {
    const [pid, start] = (await readFile(join(folder, `${id}.pid`), "utf8")).trim().split(" ");
    // A leader that is gone is not proof enough to signal its group; the mark in the environment finds the rest.
    if (start === undefined || (await table.startOf(Number(pid))) !== start) continue;
    if (signalGroup(Number(pid), "SIGKILL")) groups.add(Number(pid));
  }
  const deadline = Date.now() + sweepWaitMs;
  // Asked of the table and not by signal 0, which zombies answer until somebody buries them.
  while (groups.size > 0 && Date.now() < deadline) {
    if (!(await table.rows()).some(({ group }) => groups.has(group))) return;
    await new Promise((resolve) => setTimeout(resolve, sweepPollMs));
  }
}

async function idsIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).flatMap((name) => (name.endsWith(".pid") ? [name.slice(0, -4)] : []));
}
