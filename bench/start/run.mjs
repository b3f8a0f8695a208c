// From the command to an API that serves, what it then keeps in memory, the library's start, and the command line.
//
//   node bench/start/run.mjs [--rounds 5] [--idle 30]
//
// "Fresh" is a data directory that does not exist yet: certificates are made, first objects are written. Memory and the
// gateway's own process need Linux to be read.
import { spawnSync } from "node:child_process";
import { request as requestPlain } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import {
  dist,
  end,
  home,
  lineOf,
  machine,
  median,
  memory,
  option,
  percentile,
  readToken,
  root,
  spawnUp,
  start,
  stop,
  table,
  tree,
  wait,
} from "../lib.mjs";

const rounds = Number(option("rounds", 5));
const idleMs = Number(option("idle", 30)) * 1000;

/** Asks until there is an answer that fits; the certificate is not the question here. */
async function firstAnswer(ask, path, port, headers, fits, giveUpMs = 30_000) {
  const deadline = performance.now() + giveUpMs;
  while (performance.now() < deadline) {
    const status = await new Promise((done) => {
      const call = ask(
        { host: "127.0.0.1", port, path, headers: headers(), rejectUnauthorized: false, agent: false },
        (answer) => {
          answer.resume();
          done(answer.statusCode);
        },
      );
      call.on("error", () => done(0));
      call.end();
    });
    if (fits(status)) return;
    await wait(3);
  }
  throw new Error(`port ${port} did not serve within ${giveUpMs} ms`);
}

async function startOnce(folder, withMemory) {
  const began = performance.now();
  const { child, apiPort, gatewayPort } = await spawnUp(folder);
  const headers = () => {
    try {
      return { authorization: `Bearer ${readToken(folder)}` };
    } catch {
      return {};
    }
  };
  const api = firstAnswer(request, "/readyz", apiPort, headers, (status) => status === 200).then(
    () => performance.now() - began,
  );
  const gateway = firstAnswer(
    requestPlain,
    "/",
    gatewayPort,
    () => ({}),
    (status) => status > 0,
  ).then(() => performance.now() - began);
  const taken = { api: await api, gateway: await gateway };
  if (!withMemory) return { ...taken, child };
  await wait(idleMs);
  const each = tree(child.pid).map((pid) => ({ pid, ...memory(pid) }));
  const sum = (field) => each.reduce((total, one) => total + one[field], 0);
  const memoryNow = { count: each.length, rss: sum("rss"), pss: sum("pss"), anon: sum("anon"), each };
  return { ...taken, child, memory: memoryNow };
}

const times = { fresh: [], used: [] };
const memories = [];
for (let round = 1; round <= rounds; round += 1) {
  const folder = home(`home-${round}`);
  for (const kind of ["fresh", "used"]) {
    const measured = await startOnce(folder, kind === "used" && process.platform === "linux");
    times[kind].push(measured);
    if (measured.memory !== undefined) memories.push(measured.memory);
    await stop(measured.child);
  }
  console.error(`start: round ${round} of ${rounds} done`);
}

// The library, each time in a process of its own: what a test file pays.
const library = `const t0 = performance.now();
const { start } = await import(${JSON.stringify(join(dist, "index.js"))});
const t1 = performance.now();
const one = await start();
const t2 = performance.now();
const two = await start();
const t3 = performance.now();
console.log(JSON.stringify({ import: t1 - t0, first: t2 - t1, second: t3 - t2 }));
await Promise.all([one.dispose(), two.dispose()]);
process.exit(0);`;
const starts = [];
for (let round = 1; round <= rounds; round += 1) {
  const child = start(undefined, process.execPath, ["--no-warnings", "--input-type=module", "-e", library]);
  starts.push(JSON.parse(await lineOf(child)));
  await stop(child);
}

const folder = home("cli");
const { child } = await startOnce(folder, false);
const commands = {
  "bare node (`node -e 0`)": ["-e", "0"],
  "`drydock --version`": [join(root, "bin/drydock"), "--version"],
  "`drydock get namespaces`": [join(root, "bin/drydock"), "get", "namespaces"],
};
const commandMs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
// The instance says where it is only once all of it serves.
for (let tries = 0; tries < 100; tries += 1) {
  const found = spawnSync(process.execPath, [join(root, "bin/drydock"), "get", "namespaces"], {
    env: { ...process.env, DRYDOCK_HOME: folder },
  });
  if (found.status === 0) break;
  await wait(100);
}
for (let round = 1; round <= rounds * 3; round += 1) {
  for (const [name, args] of Object.entries(commands)) {
    const began = performance.now();
    const done = spawnSync(process.execPath, args, { env: { ...process.env, DRYDOCK_HOME: folder } });
    if (done.status !== 0) throw new Error(`${name} ended with ${done.status}: ${done.stderr}`);
    commandMs[name].push(performance.now() - began);
  }
}
await stop(child);

const cells = (list) => [median(list), Math.min(...list), percentile(list, 0.9)].map((ms) => ms.toFixed(0));
machine(`${rounds} rounds, nothing pinned.`);
table(
  ["from spawn to", "median ms", "least ms", "p90 ms"],
  [
    ["first 200 of /readyz, fresh data directory", ...cells(times.fresh.map((one) => one.api))],
    ["first 200 of /readyz, used data directory", ...cells(times.used.map((one) => one.api))],
    ["the gateway's first answer, fresh", ...cells(times.fresh.map((one) => one.gateway))],
    ["the gateway's first answer, used", ...cells(times.used.map((one) => one.gateway))],
  ],
);
table(
  ["library, in a process of its own", "median ms", "least ms", "p90 ms"],
  [
    ["`import`", ...cells(starts.map((one) => one.import))],
    ["first `start()`", ...cells(starts.map((one) => one.first))],
    ["second `start()` beside it", ...cells(starts.map((one) => one.second))],
  ],
);
table(
  ["command", "median ms", "least ms", "p90 ms"],
  Object.entries(commandMs).map(([name, list]) => [name, ...cells(list)]),
);
if (memories.length > 0) {
  const of = (field) => median(memories.map((one) => one[field])).toFixed(0);
  const big = memories.map(({ each }) => [...each].sort((one, other) => other.rss - one.rss));
  const row = (name, at) => [
    name,
    ...["rss", "pss", "anon"].map((field) => median(big.map((each) => each[at]?.[field] ?? 0)).toFixed(0)),
  ];
  table(
    [`memory after ${idleMs / 1000} s idle, MB`, "RSS", "PSS", "private"],
    [
      row("server", 0),
      row("gateway", 1),
      [`all ${of("count")} processes together`, of("rss"), of("pss"), of("anon")],
    ],
  );
  console.log(
    "RSS counts the Node binary once for each process; PSS once in all, shared with every other Node on the machine.\n",
  );
}
end();
