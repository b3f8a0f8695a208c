// What /proc says of this machine's processes. A pid with its start time is one process for ever.
import { readdirSync, readFileSync } from "node:fs";

export function allProcesses() {
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (processOf(Number(name)) ?? []) : []));
}

export function processOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === "") return undefined;
  // The command's name may hold spaces and brackets; the fields begin after the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie has ended; only nobody has asked yet how.
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return { pid, parent: Number(fields[1]), start: fields[19] };
}

export function isAlive({ pid, start }) {
  return processOf(pid)?.start === start;
}

export function environmentOf({ pid }) {
  return read(`/proc/${pid}/environ`).split("\0");
}

export function commandOf({ pid }) {
  return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}

/** The process itself and everything that came of it, as far as parents tell. */
export function familyOf(pid, all) {
  const family = all.filter((one) => one.pid === pid);
  for (const member of family) family.push(...all.filter((one) => one.parent === member.pid));
  return family;
}

export function kill({ pid, start }) {
  if (processOf(pid)?.start !== start) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function read(path) {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // gone since it was listed, or another user's
  }
}
