// A pid may be reused; a pid with its start time is one process for ever.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const start = process.platform === "linux" ? await startOnLinux(pid) : await startByPs(pid);
  return start === undefined ? undefined : { pid, start };
}

export async function isSameProcess({ pid, start }: ProcessIdentity): Promise<boolean> {
  return (await identityOf(pid))?.start === start;
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => undefined);
  // The command's name may hold spaces and brackets; the fields begin after the last one.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  // A zombie has ended; only nobody has asked yet how.
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}

async function startByPs(pid: number): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return stdout.trim() || undefined;
}
