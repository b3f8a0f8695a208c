// One instance a home: the lock names the process that has it, and counts for nothing when that process is gone.
import { readFile, rm, writeFile } from "node:fs/promises";
import { CliError } from "../cli/index.js";
import { identityOf, isSameProcess, type ProcessIdentity } from "./processIdentity.js";

/** The living process that has the home. */
export async function holderOf(lock: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(lock, "utf8").catch(() => undefined);
  const [pid = "", start] = (text ?? "").trim().split(" ");
  if (start === undefined) return undefined;
  const holder = { pid: Number(pid), start: decodeURIComponent(start) };
  return (await isSameProcess(holder)) ? holder : undefined;
}

/** Gives back how to let it go again. */
export async function claimHome(lock: string): Promise<() => Promise<void>> {
  const self = await identityOf(process.pid);
  const text = `${process.pid} ${encodeURIComponent(self?.start ?? "")}\n`;
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      await writeFile(lock, text, { flag: "wx", mode: 0o600 });
      return () => rm(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = await holderOf(lock);
    if (holder !== undefined) throw inUse(holder.pid);
    await rm(lock, { force: true });
  }
  throw inUse(undefined);
}

function inUse(pid: number | undefined): CliError {
  const who = pid === undefined ? "another Drydock" : `another Drydock (pid ${pid})`;
  return new CliError(
    `${who} is just starting or stopping in this home. Try again in a moment, or end it with \`drydock down\`.`,
  );
}
