/**
 * Kills an instance over and over, at moments a seed chooses, and looks for what must never be: an acknowledged write
 * that is lost, a version that went back, a process that outlived its instance, a start that does not serve.
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { apiClient } from "./api.mjs";
import { makeDice } from "./dice.mjs";
import { lives, makeInstance } from "./instance.mjs";
import { makeModel } from "./model.mjs";
import { isAlive, processOf } from "./processes.mjs";
import { checkWrites, makeLedger, startWriters } from "./writers.mjs";

const { values: asked } = parseArgs({
  options: {
    rounds: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    writers: { type: "string", default: "4" },
    /** Leaves the folder with the log behind. */
    keep: { type: "boolean", default: false },
  },
});
const rounds = Number(asked.rounds);
const seed = Number(asked.seed);

const killWithinMs = 400;
const pauseWithinMs = 300;
/** A start that is killed is killed within this time. */
const startingWithinMs = 1_500;
/** So many first starts are killed before one may go on. */
const youngKills = 3;
/** What a writer needs to show that the server went on when something else was killed. */
const goOnMs = 250;
const answersWithinMs = 45_000;
const logTailLines = 30;

/** How often each way of dying is chosen. */
const ways = { all: 30, server: 25, gateway: 12, model: 12, "reaper+server": 13, starting: 8 };
/** Who is killed, in this order. */
const victims = {
  all: ["model", "gateway", "server", "reaper", "shell", "other"],
  server: ["server"],
  gateway: ["gateway"],
  model: ["model"],
  "reaper+server": ["reaper", "server"],
  starting: ["server", "gateway", "model", "reaper", "shell", "other"],
};

if (process.platform !== "linux") {
  console.log("The crash run looks at processes through /proc, which only Linux has.");
  process.exit(0);
}

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const folder = mkdtempSync(join(tmpdir(), "drydock-crash-"));
const home = join(folder, "home");
const kubeconfig = join(home, "kubeconfig");
const ledger = makeLedger();
const figures = { kills: {}, acknowledged: 0, rollouts: 0, lost: 0, orphans: 0, serveMs: [], answerMs: [] };
const gatewayPort = await freePort(31_000);
const instance = makeInstance({ root, home, apiPort: await freePort(30_000), gatewayPort });
const model = makeModel({ ...prepareFiles(), gatewayPort });

// Somebody else's process: it must outlive everything here.
const bystander = spawn("/bin/sh", ["-c", "while :; do sleep 60; done"], { detached: true, stdio: "ignore" });
const innocent = processOf(bystander.pid);

function cleanUp() {
  instance.killEverything();
  if (isAlive(innocent)) process.kill(-bystander.pid, "SIGKILL");
  if (!asked.keep) rmSync(folder, { recursive: true, force: true });
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    cleanUp();
    process.exit(1);
  });
}

let failed = true;
try {
  console.log(`seed ${seed}, ${rounds} rounds`);
  failed = (await rehearse()) || (await playRounds()) || (await comeToRest());
} catch (error) {
  console.log(error);
} finally {
  if (failed) console.log(logTail());
  cleanUp();
}
console.log(summary());
if (failed) console.log(`FAILED. To repeat: npm run crash -- --seed ${seed} --rounds ${rounds}`);
process.exit(failed ? 1 : 0);

/** A young home is killed before it has ever served; then it must, and a model in it. */
async function rehearse() {
  const dice = makeDice(seed);
  for (let tries = 0; tries < youngKills; tries += 1) await killAStart(dice.upTo(startingWithinMs));
  const { serveMs } = await instance.start();
  const client = apiClient(kubeconfig);
  const createdMs = performance.now();
  await model.create(client);
  client.close();
  const answerMs = await model.answers(answersWithinMs, createdMs);
  console.log(
    `first start    serves after ${seconds(serveMs)}, a new model answers after ${seconds(answerMs)}`,
  );
  return false;
}

/** True when a round went wrong. */
async function playRounds() {
  let modelWasKilled = false;
  for (let round = 1; round <= rounds; round += 1) {
    // One die a round: what came before, and how long it took, does not change what is rolled.
    const dice = makeDice(seed * 1_000 + round);
    let way = dice.pick(ways);
    // A container that keeps dying waits longer each time, and rightly so; a new life begins anew.
    if (way === "model" && modelWasKilled) way = "all";
    modelWasKilled = way === "model" || (way === "gateway" && modelWasKilled);
    const { line, problems } = await play(round, way, dice);
    console.log(
      `${String(round).padStart(3)}  ${way.padEnd(13)} ${line}  ${problems.length === 0 ? "ok" : "WRONG"}`,
    );
    for (const problem of problems) console.log(`       ${problem}`);
    if (problems.length > 0) return true;
  }
  return false;
}

async function play(round, way, dice) {
  const killAtMs = dice.upTo(killWithinMs);
  // Mostly before the kill, so that pods come and go when it strikes.
  const rollsAtMs = dice.chance(0.6) ? dice.upTo(killAtMs + 50) : undefined;
  const pauseMs = dice.upTo(pauseWithinMs);
  const dies = way !== "gateway" && way !== "model";
  const problems = [];
  const said = [`at ${String(killAtMs).padStart(3)} ms`];
  instance.plantRecord(bystander.pid);

  const client = apiClient(kubeconfig);
  const writers = startWriters({
    kubeconfig,
    count: Number(asked.writers),
    ledger,
    seed: seed + round,
    round,
  });
  const rollout = rollsAtMs === undefined ? undefined : wait(rollsAtMs).then(() => model.roll(client));
  const rolled = rollout?.then(
    () => {
      figures.rollouts += 1;
    },
    (error) => (dies ? undefined : problems.push(String(error))),
  );
  await wait(killAtMs);
  const before = instance.members();
  const killed = instance.killRoles(before, victims[way]);
  let sinceMs = performance.now();
  figures.kills[way] = (figures.kills[way] ?? 0) + 1;
  said.push(`${String(killed).padStart(2)} killed`);
  if (!dies) await wait(goOnMs);
  const written = await writers.end();
  await rolled;
  client.close();
  figures.acknowledged += written.acknowledged;
  said.push(`${String(written.acknowledged).padStart(4)} writes`);
  problems.push(...written.problems);
  if (!dies) problems.push(...written.broken.map((why) => `a write broke although the server lived: ${why}`));

  try {
    if (dies) {
      await wait(pauseMs);
      if (way === "starting") await killAStart(dice.upTo(startingWithinMs));
      const { serveMs, startedMs } = await instance.start();
      sinceMs = startedMs;
      figures.serveMs.push(serveMs);
      said.push(`serves ${seconds(serveMs)}`);
    } else said.push("              ".slice(0, 13));
    const again = apiClient(kubeconfig);
    const checked = await checkWrites(again, ledger);
    problems.push(...checked.lost.map((what) => `LOST: ${what}`), ...checked.problems);
    figures.lost += checked.lost.length;
    problems.push(...(await model.checkSpec(again)));
    again.close();
    const answerMs = await model.answers(answersWithinMs, sinceMs);
    figures.answerMs.push(answerMs);
    said.push(`answers ${seconds(answerMs)}`);
  } catch (error) {
    problems.push(error.message);
  }
  const orphans = await instance.orphans(dies ? before : []);
  figures.orphans += orphans.length;
  problems.push(...orphans.map((who) => `ORPHAN: ${who}`));
  if (!isAlive(innocent)) problems.push("a process that belongs to nobody here was killed");
  return { line: said.join("  "), problems };
}

async function killAStart(afterMs) {
  const ended = instance.up();
  await wait(afterMs);
  instance.killEverything();
  await ended;
}

async function comeToRest() {
  const client = apiClient(kubeconfig);
  const restMs = await model.settles(client);
  client.close();
  const before = instance.members();
  const { code, said } = await instance.down();
  const left = await instance.orphans(before);
  const records = lives(home);
  console.log(`at rest after ${seconds(restMs)}, then down`);
  if (code !== 0) console.log(`drydock down ended with ${code}: ${said}`);
  for (const one of left) console.log(`ORPHAN: ${one}`);
  if (records.length > 0) console.log(`records left behind: ${records.join(", ")}`);
  figures.orphans += left.length;
  return code !== 0 || left.length > 0 || records.length > 0;
}

/** Two copies of the example under two names, and the runtime that other tests have installed already. */
function prepareFiles() {
  mkdirSync(home, { mode: 0o700 });
  const installed = process.env.DRYDOCK_TEST_RUNTIMES ?? join(root, ".drydock/test-home");
  mkdirSync(join(installed, "runtimes"), { recursive: true });
  installRuntime(installed);
  symlinkSync(join(installed, "runtimes"), join(home, "runtimes"));
  const uris = ["a", "b"].map((name) => {
    cpSync(join(root, "examples/models/onnx-iris"), join(folder, "models", name), { recursive: true });
    return `file://${join(folder, "models", name)}`;
  });
  const input = JSON.parse(readFileSync(join(root, "examples/iris-input.json"), "utf8"));
  return { uris, input, expected: '{"predictions":[1,1,0]}' };
}

function installRuntime(where) {
  const env = { ...process.env, DRYDOCK_HOME: where };
  const words = [join(root, "bin/drydock"), "runtimes", "install", "onnx"];
  const done = spawnSync(process.execPath, words, { env, stdio: ["ignore", "ignore", "inherit"] });
  if (done.status !== 0) throw new Error("the ONNX runtime could not be installed");
}

/** Below the range outgoing connections take theirs from: the same port is wanted again in every round. */
async function freePort(first) {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = first + ((process.pid * 7 + tries * 13) % 1_000);
    const isFree = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
  throw new Error("no free port found");
}

function logTail() {
  try {
    return readFileSync(join(home, "log/drydock.log"), "utf8")
      .trim()
      .split("\n")
      .slice(-logTailLines)
      .join("\n");
  } catch {
    return "no log was written";
  }
}

function summary() {
  const kills = Object.entries(figures.kills).map(([way, count]) => `${way} ${count}`);
  return [
    `kills          ${kills.join(", ")}`,
    `writes         ${figures.acknowledged} acknowledged, ${figures.lost} lost, ${figures.rollouts} rollouts`,
    `orphans        ${figures.orphans}`,
    `start to serve ${spread(figures.serveMs)}`,
    `model answers  ${spread(figures.answerMs)} after the start, or after the kill where nothing was started`,
  ].join("\n");
}

function spread(times) {
  const sorted = times.toSorted((a, b) => a - b);
  if (sorted.length === 0) return "never measured";
  return `p50 ${seconds(sorted[Math.floor(sorted.length / 2)])}, max ${seconds(sorted.at(-1))}`;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}
