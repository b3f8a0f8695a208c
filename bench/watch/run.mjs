// One stream of writes, many watchers: how fast all of them hear of each, over HTTPS and in process.
//
//   node bench/watch/run.mjs [--watchers 1000] [--rate 10] [--seconds 5] [--rounds 3]
//
// The writes are of one ConfigMap of about 1 KB. "Paced" is a steady rate of them: how late is the last watcher? "Flat
// out" writes again as soon as everybody has heard: how many events a second arrive?
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { apiClient } from "../client.mjs";
import {
  cpuNs,
  end,
  home,
  lineOf,
  machine,
  median,
  memory,
  option,
  readCa,
  readToken,
  root,
  spawnUp,
  start,
  stop,
  table,
  wait,
} from "../lib.mjs";

const watchers = Number(option("watchers", 1000));
const rate = Number(option("rate", 10));
const ms = Number(option("seconds", 5)) * 1000;
const rounds = Number(option("rounds", 3));

const nofile = /open files +(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
if (Number(nofile) < watchers + 100) {
  console.error(`only ${nofile} open files are allowed here; try fewer --watchers`);
  process.exit(1);
}

const folder = home("home");
const { child: server, apiPort } = await spawnUp(folder, { core: 0 });
for (let tries = 0; ; tries += 1) {
  try {
    const api = apiClient({ port: apiPort, ca: readCa(folder), token: readToken(folder) });
    await api.call("GET", "/readyz");
    api.close();
    break;
  } catch (error) {
    if (tries > 1500) throw error;
    await wait(20);
  }
}
await wait(2000);

const results = { https: [], inside: [] };
for (let round = 1; round <= rounds; round += 1) {
  const job = { watchers, rate, ms };
  const crowd = start(1, process.execPath, [
    "--no-warnings",
    join(root, "bench/watch/crowd.mjs"),
    JSON.stringify({ ...job, port: apiPort, ca: readCa(folder), token: readToken(folder) }),
  ]);
  const idleMb = memory(server.pid).anon;
  const told = await follow(crowd, server.pid);
  results.https.push({ ...told, moreMb: told.fullMb - idleMb });
  const inside = start(0, process.execPath, [
    "--no-warnings",
    join(root, "bench/watch/inside.mjs"),
    JSON.stringify(job),
  ]);
  results.inside.push(await follow(inside, inside.pid));
  console.error(`round ${round} of ${rounds} done`);
}
await stop(server);

/** CPU of the one who serves, between the marks its crowd sets. */
async function follow(child, pid) {
  const marks = {};
  for (const mark of ["paced", "flat", "done"]) {
    await lineOf(child, (line) => line === mark);
    marks[mark] = { cpu: cpuNs(pid), at: performance.now(), anon: memory(pid).anon };
  }
  const said = JSON.parse(await lineOf(child, (line) => line.startsWith("{")));
  child.kill("SIGKILL");
  const spent = (marks.done.cpu - marks.flat.cpu) / 1000;
  const pacedShare = (marks.flat.cpu - marks.paced.cpu) / 1e6 / (marks.flat.at - marks.paced.at);
  return { ...said, pacedShare, flatCpu: spent / said.flatEvents, fullMb: marks.done.anon };
}

machine(
  `${watchers} watchers, ${rounds} rounds, medians; the server on one core, its watchers on the other.`,
);
const row = (name, list) => {
  const of = (field) => median(list.map((one) => one[field]));
  const more = list[0].moreMb === undefined ? "" : of("moreMb").toFixed(0);
  return [
    name,
    of("flatPerSecond").toFixed(0),
    of("flatCpu").toFixed(1),
    of("p50").toFixed(1),
    of("p99").toFixed(1),
    `${(of("pacedShare") * 100).toFixed(0)} %`,
    more,
  ];
};
table(
  [
    "",
    "events/s flat out",
    "server's CPU µs/event",
    `last watcher after ack, ${rate} writes/s: p50 ms`,
    "p99 ms",
    "server's CPU then",
    "memory of all watchers, MB",
  ],
  [row("over HTTPS", results.https), row("in process", results.inside)],
);
end();
