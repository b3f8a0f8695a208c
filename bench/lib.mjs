// What the benchmarks share: children that end with the benchmark, accounting from /proc, medians, tables.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, cpus, homedir, loadavg, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { dist, fromDist, option, root } from "./dist.mjs";

export { dist, fromDist, option, root };
export const loadProgram = fileURLToPath(new URL("./load.mjs", import.meta.url));

/** What could not be measured, and why; printed at the end. */
export const skipped = [];

export const scratch = mkdtempSync(join(resolve(option("folder", tmpdir())), "drydock-bench-"));
const children = new Set();
process.on("exit", () => {
  for (const child of children) for (const pid of tree(child.pid).reverse()) kill(pid);
  rmSync(scratch, { recursive: true, force: true });
});
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already, which is what was wanted.
  }
}

export const onPath = (command) => spawnSync("which", [command]).status === 0;
const pinned = onPath("taskset") && availableParallelism() >= 2;

/** A child on one core (0: what is measured, 1: who asks it); it ends with the benchmark at the latest. */
export function start(core, command, args, options = {}) {
  const list = args.map(String);
  const [file, all] =
    pinned && core !== undefined ? ["taskset", ["-c", String(core), command, ...list]] : [command, list];
  if (!pinned && core !== undefined && !skipped.includes(noPinning)) skipped.push(noPinning);
  const child = spawn(file, all, { stdio: ["ignore", "pipe", "inherit"], ...options });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}
const noPinning = "pinning to cores (no taskset, or one core)";

export async function stop(child, signal = "SIGTERM") {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once("exit", done));
  child.kill(signal);
  await gone;
}

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

const readers = new WeakMap();

/** The next line of a child's stdout that fits; what came before it is dropped, what comes after is kept. */
export async function lineOf(child, fits = () => true) {
  let reader = readers.get(child);
  if (reader === undefined) {
    reader = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    readers.set(child, reader);
  }
  for (;;) {
    const { done, value } = await reader.next();
    if (done)
      throw new Error(`a part of the benchmark ended early: ${child.spawnargs.join(" ").slice(0, 200)}`);
    if (fits(value)) return value;
  }
}

export function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** A data directory of its own; installed runtimes are shared with whoever has them. */
export function home(name) {
  const folder = join(scratch, name);
  const runtimes = [
    option("runtimes"),
    process.env.DRYDOCK_HOME && join(process.env.DRYDOCK_HOME, "runtimes"),
    join(root, ".drydock/test-home/runtimes"),
    join(homedir(), ".drydock/runtimes"),
  ].find((one) => one && existsSync(one));
  mkdirOnce(folder);
  if (runtimes !== undefined) symlinkSync(resolve(runtimes), join(folder, "runtimes"));
  return folder;
}

function mkdirOnce(folder) {
  spawnSync("mkdir", ["-p", "-m", "700", folder]);
}

/** `drydock up` in the foreground, on ports known before it runs. */
export async function spawnUp(folder, { core, flags = [], env = {} } = {}) {
  const apiPort = await freePort();
  const gatewayPort = await freePort();
  const child = start(
    core,
    process.execPath,
    [
      "--no-warnings",
      ...flags,
      join(root, "bin/drydock"),
      "up",
      "--api-port",
      apiPort,
      "--gateway-port",
      gatewayPort,
    ],
    { env: { ...process.env, ...env, DRYDOCK_HOME: folder }, stdio: ["ignore", "ignore", "inherit"] },
  );
  child.once("exit", (code) => {
    if (code !== null && code !== 0) console.error(`drydock up ended with ${code}`);
  });
  return { child, apiPort, gatewayPort };
}

export const readToken = (folder) => readFileSync(join(folder, "pki/token"), "utf8").trim();
export const readCa = (folder) => readFileSync(join(folder, "pki/ca.crt"), "utf8");

/** A process and everything below it. */
export function tree(pid) {
  const found = [pid];
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const below = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
      for (const child of below === "" ? [] : below.split(" ")) found.push(...tree(Number(child)));
    }
  } catch {
    // It ended while we looked.
  }
  return found;
}

/** Nanoseconds on a CPU so far, over all threads of a process and of those below it. */
export function cpuNs(pid) {
  let sum = 0;
  for (const one of tree(pid)) {
    for (const thread of readdirSync(`/proc/${one}/task`)) {
      sum += Number(readFileSync(`/proc/${one}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    }
  }
  return sum;
}

/** MB of a process alone: resident, its share of it, and what nobody shares. */
export function memory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const of = (name) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  return { rss: of("Rss") / 1e6, pss: of("Pss") / 1e6, anon: of("Anonymous") / 1e6 };
}

export const median = (list) => percentile(list, 0.5);
export function percentile(list, share) {
  const sorted = [...list].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
export const shuffled = (list) => {
  const left = [...list];
  return list.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
};

export function table(heads, rows) {
  console.log(`| ${heads.join(" | ")} |`);
  console.log(`|${heads.map((_, at) => (at === 0 ? " --- " : " --: ")).join("|")}|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
  console.log("");
}

/** Seconds of CPU, of all there is and of this benchmark with everything it has ended. */
function cpuSeconds() {
  const ticks = 100;
  const [, user, nice, system, , , irq, soft] = readFileSync("/proc/stat", "utf8")
    .split("\n")[0]
    .split(/ +/)
    .map(Number);
  let own = 0;
  for (const pid of tree(process.pid)) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ").map(Number);
      own += fields[11] + fields[12] + fields[13] + fields[14];
    } catch {
      // It ended while we looked.
    }
  }
  return { all: (user + nice + system + irq + soft) / ticks, own: own / ticks, atMs: performance.now() };
}
const atFirst = process.platform === "linux" ? cpuSeconds() : undefined;

/** How many cores others kept busy meanwhile. */
function othersCores() {
  if (atFirst === undefined) return "unknown";
  const now = cpuSeconds();
  const spent = now.all - atFirst.all - (now.own - atFirst.own);
  return Math.max(0, spent / ((now.atMs - atFirst.atMs) / 1000)).toFixed(2);
}

/** Where and under what load: a figure without it says nothing. */
export function machine(how) {
  const [one, five] = loadavg();
  console.log(
    `${how} Node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} × ${cpus()[0]?.model ?? "?"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; load average ${one.toFixed(1)} (1 min) ${five.toFixed(1)} (5 min); other processes kept ${othersCores()} cores busy during the run.\n`,
  );
}

export function end() {
  if (skipped.length > 0) console.log(`Skipped: ${skipped.join("; ")}.`);
  process.exit(0);
}

/** Runs the load program against one address and says how it went; CPU is that of `pid` and all below. */
export async function load(job, pid) {
  const child = start(1, process.execPath, [loadProgram, JSON.stringify(job)]);
  await lineOf(child);
  const before = pid === undefined ? 0 : cpuNs(pid);
  const result = JSON.parse(await lineOf(child));
  const spentNs = pid === undefined ? 0 : cpuNs(pid) - before;
  if (child.exitCode === null) await new Promise((done) => child.once("exit", done));
  if (result.failures > 0 || !(result.count > 0)) {
    throw new Error(`${result.failures} of ${result.count} requests failed: ${result.example}`);
  }
  return {
    count: result.count,
    p50: result.p50 * 1000,
    p99: result.p99 * 1000,
    perSecond: (result.count / result.tookMs) * 1000,
    cpu: spentNs / 1000 / result.answered,
  };
}
