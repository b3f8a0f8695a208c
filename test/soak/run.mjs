/**
 * The gateway at half of what saturates it, for a while: its memory must not grow, and when the load is gone it must hold
 * what it held before, to the socket and the timer.
 *
 *     npm run soak -- --minutes 10
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: asked } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, connections: { type: "string", default: "16" } },
});
const forMs = Number(asked.minutes) * 60_000;
const connections = Number(asked.connections);
const saturateMs = Math.min(3_000, forMs / 5);
const lookEveryMs = Math.max(1_000, forMs / 20);
/** A young heap grows before it settles; after a fifth of the time it must not. */
const settledAfter = 0.2;
const growthBytes = 32 * 1024 * 1024;

const child = fork(fileURLToPath(new URL("gateway.mjs", import.meta.url)), { execArgv: ["--expose-gc"] });
const [{ port }] = await once(child, "message");
const look = async () => {
  child.send({});
  return (await once(child, "message"))[0];
};
const problems = [];
let answered = 0;
let failed = 0;

/** Every third client leaves before its answer now and then: what leaks, leaks there. */
async function client(index, perSecond, until) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const body = "x".repeat(200);
  for (let count = 0; performance.now() < until.ms; count += 1) {
    const leaves = index % 3 === 0 && count % 50 === 49;
    const startedMs = performance.now();
    await new Promise((resolve) => {
      const headers = { host: "model.test", "content-length": body.length };
      const one = request({ port, host: "127.0.0.1", method: "POST", agent, headers }, (response) => {
        response.resume();
        response.on("close", () => {
          if (response.statusCode === 200 && response.complete) answered += 1;
          else if (!leaves) failed += 1;
          resolve();
        });
      });
      one.on("error", () => {
        if (!leaves) failed += 1;
        resolve();
      });
      one.end(body);
      if (leaves) setImmediate(() => one.destroy());
    });
    const leftMs = perSecond === undefined ? 0 : 1000 / perSecond - (performance.now() - startedMs);
    if (leftMs > 1) await wait(leftMs);
  }
  agent.destroy();
}

const load = (ms, perSecond) => {
  const until = { ms: performance.now() + ms };
  return Promise.all(Array.from({ length: connections }, (_, index) => client(index, perSecond, until)));
};

await load(500);
await wait(1_500);
const before = await look();
answered = 0;
await load(saturateMs);
const saturation = answered / (saturateMs / 1000);
answered = 0;
const running = load(forMs, saturation / 2 / connections);
const seen = [];
const startedMs = performance.now();
while (performance.now() - startedMs < forMs - lookEveryMs) {
  await wait(lookEveryMs);
  seen.push({ at: (performance.now() - startedMs) / forMs, ...(await look()) });
}
await running;
await wait(2_500);
const after = await look();
child.disconnect();

const settled = seen.filter(({ at }) => at > settledAfter);
const half = Math.ceil(settled.length / 2);
const mean = (list) => list.reduce((sum, { rss }) => sum + rss, 0) / Math.max(list.length, 1);
const grown = mean(settled.slice(half)) - mean(settled.slice(0, half));
const mib = (bytes) => (bytes / 1024 / 1024).toFixed(1);
console.log(
  `saturation ${saturation.toFixed(0)}/s; then ${(answered / (forMs / 1000)).toFixed(0)}/s for ${asked.minutes} minutes`,
);
console.log(`answered ${answered}, failed ${failed}`);
console.log(
  `RSS ${mib(before.rss)} MiB before, ${mib(after.rss)} after; between its halves it changed by ${mib(grown)} MiB`,
);
console.log(
  `held before ${JSON.stringify(before.active)} and ${before.timers} timers, after ${JSON.stringify(after.active)} and ${after.timers}`,
);

if (answered === 0) problems.push("nothing was answered");
if (failed > 0) problems.push(`${failed} requests failed`);
if (grown > growthBytes) problems.push(`memory grows: ${mib(grown)} MiB`);
if (after.stats.inFlight !== 0 || after.inFlight !== 0)
  problems.push("requests are in flight that nobody sent");
if (after.stats.connections !== 0) problems.push(`${after.stats.connections} client connections are left`);
if (after.timers > before.timers + 2)
  problems.push(`${after.timers} timers are pending, ${before.timers} were`);
problems.push(...after.warnings);
for (const [kind, count] of Object.entries(after.active)) {
  // Connections to pods are kept warm for a minute.
  const warm = kind === "TCPSocketWrap" ? 2 * (after.stats.upstream.open + 1) : 3;
  if (count > (before.active[kind] ?? 0) + warm)
    problems.push(`${count} ${kind} are held, ${before.active[kind] ?? 0} were`);
}
for (const problem of problems) console.log(`PROBLEM ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
