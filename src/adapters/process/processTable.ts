// What this machine says about its processes: /proc on Linux, ps elsewhere.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { scanSlice } from "./limits.js";

export interface ProcessRow {
  readonly pid: number;
  readonly group: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

export interface ProcessTable {
  rows(): Promise<readonly ProcessRow[]>;
  /** When a process started, in words that no other process of this boot can have with the same pid. */
  startOf(pid: number): Promise<string | undefined>;
  /** False for a zombie too: it has ended, only nobody has asked yet how. */
  isRunning(pid: number, start: string): Promise<boolean>;
  /** Memory of these processes alone; undefined where only `rows` can tell. */
  memoryOf(pids: readonly number[]): number | undefined;
  /** The same, with memory shared among them counted once: slower, so asked only when it matters. */
  exactMemoryOf(pids: readonly number[]): number | undefined;
  /** Processes whose environment holds one of these settings, NAME=value. */
  withEnv(settings: ReadonlySet<string>): Promise<readonly number[]>;
  readonly bootId: string;
}

export function processTable(): ProcessTable {
  return process.platform === "linux" ? linux() : portable();
}

const tickMs = 10; // USER_HZ is 100 on every Linux that Node runs on

function linux(): ProcessTable {
  const pageBytes = pageSize();

  function row(pid: number): ProcessRow | undefined {
    const stat = statOf(pid);
    if (stat === undefined || stat.state === "Z") return undefined;
    return { pid, group: stat.group, cpuMs: stat.ticks * tickMs, memoryBytes: ownMemory(pid) };
  }

  // Private memory only: pages backed by files can be reclaimed, and a container's limit does not end it for those.
  function ownMemory(pid: number): number {
    const [, resident, shared] = (read(`/proc/${pid}/statm`) ?? "").split(" ");
    return resident === undefined || shared === undefined
      ? 0
      : (Number(resident) - Number(shared)) * pageBytes;
  }

  function proportionalMemory(pid: number): number {
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    const anonymous = /^Pss_Anon:\s+(\d+)/m.exec(rollup ?? "")?.[1];
    if (anonymous === undefined) return ownMemory(pid);
    const shared = /^Pss_Shmem:\s+(\d+)/m.exec(rollup ?? "")?.[1] ?? "0";
    return (Number(anonymous) + Number(shared)) * 1024;
  }

  return {
    rows: () => scan(row),
    startOf: async (pid) => statOf(pid)?.start,
    async isRunning(pid, start) {
      const stat = statOf(pid);
      return stat?.start === start && stat.state !== "Z";
    },
    memoryOf: (members) => sum(members.map(ownMemory)),
    exactMemoryOf: (members) => sum(members.map(proportionalMemory)),
    withEnv: (settings) =>
      scan((pid) => (environment(pid).some((setting) => settings.has(setting)) ? pid : undefined)),
    bootId: read("/proc/sys/kernel/random/boot_id")?.trim() ?? "",
  };
}

function statOf(pid: number) {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The command's name may hold spaces and brackets; the fields begin after the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
  return { state: fields[0], group: Number(fields[2]), ticks, start: fields[19]! };
}

function environment(pid: number): readonly string[] {
  return (read(`/proc/${pid}/environ`) ?? "").split("\0");
}

/** All processes, a few at a time: nobody else in this process should wait for hundreds of small reads. */
async function scan<T>(look: (pid: number) => T | undefined): Promise<readonly T[]> {
  const found: T[] = [];
  let looked = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const one = look(Number(name));
    if (one !== undefined) found.push(one);
    looked += 1;
    if (looked % scanSlice === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return found;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined; // gone since it was listed, or another user's
  }
}

function pageSize(): number {
  try {
    const auxiliary = readFileSync("/proc/self/auxv");
    for (let at = 0; at + 16 <= auxiliary.length; at += 16) {
      if (auxiliary.readBigUInt64LE(at) === 6n) return Number(auxiliary.readBigUInt64LE(at + 8));
    }
  } catch {
    // Not readable in some sandboxes; the common size is then right nearly always.
  }
  return 4096;
}

function portable(): ProcessTable {
  const run = promisify(execFile);
  const ps = async (...args: string[]) =>
    (await run("ps", args, { maxBuffer: 32 * 1024 * 1024 }).catch((error: { stdout?: string }) => error))
      .stdout ?? "";
  const startOf = async (pid: number) =>
    (await ps("-o", "lstart=", "-p", String(pid))).trim().replace(/\s+/g, "_") || undefined;

  return {
    async rows() {
      const lines = (await ps("-axo", "pid=,pgid=,rss=,time=")).split("\n");
      return lines.flatMap((line) => {
        const [pid, group, kilobytes, time] = line.trim().split(/\s+/);
        if (time === undefined) return [];
        return [
          {
            pid: Number(pid),
            group: Number(group),
            cpuMs: cpuTime(time),
            memoryBytes: Number(kilobytes) * 1024,
          },
        ];
      });
    },
    startOf,
    async isRunning(pid, start) {
      const state = (await ps("-o", "stat=", "-p", String(pid))).trim();
      return state !== "" && !state.startsWith("Z") && (await startOf(pid)) === start;
    },
    memoryOf: () => undefined,
    exactMemoryOf: () => undefined,
    async withEnv(settings) {
      const lines = (await ps("-axEwwo", "pid=,command=")).split("\n");
      return lines.flatMap((line) => {
        const words = line.trim().split(/\s+/);
        return words.some((word) => settings.has(word)) ? [Number(words[0])] : [];
      });
    },
    bootId: "",
  };
}

/** [days-][hours:]minutes:seconds[.hundredths] */
function cpuTime(text: string): number {
  const [clock = "", days = "0"] = text.split("-").reverse();
  const seconds = clock.split(":").reduce((total, part) => total * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1000;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
