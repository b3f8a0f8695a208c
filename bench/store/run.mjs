// Durable writes a second: a ConfigMap of about 1 KB replaced again and again, each answer after the disk's flush.
// Over HTTPS with a token, in process, and etcd on the same disk over HTTPS through its JSON door, by the same client.
//
//   node bench/store/run.mjs [--rounds 5] [--seconds 2] [--folder PATH]
//
// The store and etcd write below --folder; give a folder on the disk in question. Rounds are interleaved.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { apiClient } from "../client.mjs";
import {
  cpuNs,
  end,
  freePort,
  home,
  lineOf,
  load,
  machine,
  median,
  onPath,
  option,
  readCa,
  readToken,
  root,
  scratch,
  shuffled,
  skipped,
  spawnUp,
  start,
  table,
  wait,
} from "../lib.mjs";

const rounds = Number(option("rounds", 5));
const ms = Number(option("seconds", 2)) * 1000;
const widths = [1, 100];
const text = "x".repeat(900);

const folder = home("home");
const { child: server, apiPort } = await spawnUp(folder, { core: 0 });
const tls = await certificates();
const token = readToken(folder);
const api = apiClient({ port: apiPort, ca: tls, token });

async function certificates() {
  for (let tries = 0; tries < 3000; tries += 1) {
    try {
      const client = apiClient({ port: apiPort, ca: readCa(folder), token: readToken(folder) });
      await client.call("GET", "/readyz");
      client.close();
      return readCa(folder);
    } catch {
      await wait(10);
    }
  }
  throw new Error("the API did not serve");
}

const maps = "/api/v1/namespaces/default/configmaps";
const nameOf = (at) => `bench-${String(at).padStart(4, "0")}`;
for (let at = 0; at < Math.max(...widths); at += 1) {
  await api.call("POST", maps, { metadata: { name: nameOf(at) }, data: { text, n: "0" } });
}
api.close();
await wait(2000);

const candidates = [
  {
    name: "drydock, HTTPS",
    run: (connections) =>
      load(
        {
          ...{ port: apiPort, connections, ms, method: "PUT", ca: tls, path: `${maps}/bench-%C` },
          headers: { Authorization: `Bearer ${token}` },
          body: JSON.stringify({
            ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "bench-%C" } },
            data: { text, n: "%N" },
          }),
        },
        server.pid,
      ),
  },
];

if (onPath("etcd")) {
  const port = await freePort();
  const peerPort = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const etcd = start(
    0,
    "etcd",
    [
      ...["--data-dir", join(scratch, "etcd"), "--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ...["--initial-cluster", `default=${peer}`, "--log-level", "error"],
      ...["--cert-file", join(folder, "pki/server.crt"), "--key-file", join(folder, "pki/server.key")],
    ],
    { stdio: ["ignore", "ignore", "ignore"], env: { ...process.env, GOMAXPROCS: "1" } },
  );
  await wait(3000);
  const version = execFileSync("etcd", ["--version"]).toString().split("\n")[0].replace("etcd Version: ", "");
  const key = Buffer.from("/registry/configmaps/default/bench-%C").toString("base64");
  candidates.push({
    name: `etcd ${version}, HTTPS (JSON)`,
    run: (connections) =>
      load(
        {
          ...{ port, connections, ms, ca: tls, path: "/v3/kv/put" },
          // base64 of the value is not decoded by whoever stores it, so the counter may stand in it as it is.
          body: `{"key":"${keyed(key)}","value":"${Buffer.from(text).toString("base64")}%N000"}`,
        },
        etcd.pid,
      ),
  });
} else skipped.push("etcd (not on PATH)");

function keyed(key) {
  // Four characters a time are whole bytes, so the connection's number may stand in base64 as it is.
  return `${key.slice(0, Math.floor(key.length / 4) * 4 - 8)}%C`;
}

candidates.push({
  name: "drydock, in process",
  async run(writers) {
    const file = join(scratch, `inside-${Math.random().toString(36).slice(2)}.db`);
    // Its writers are in it, so it has both cores, as a server and its client have.
    const child = start(undefined, process.execPath, [
      "--no-warnings",
      join(root, "bench/store/inside.mjs"),
      JSON.stringify({ file, writers, ms, text }),
    ]);
    await lineOf(child, (line) => line === "begin");
    const before = cpuNs(child.pid);
    const result = JSON.parse(await lineOf(child));
    const spent = cpuNs(child.pid) - before;
    child.kill("SIGKILL");
    return { ...result, cpu: spent / 1000 / result.count };
  },
});

const seen = new Map();
for (let round = 1; round <= rounds; round += 1) {
  for (const width of widths) {
    const results = new Map();
    for (const candidate of shuffled(candidates)) results.set(candidate.name, await candidate.run(width));
    const etcd = [...results].find(([name]) => name.startsWith("etcd"))?.[1];
    for (const [name, result] of results) {
      const key = `${width}|${name}`;
      const ratio = etcd === undefined ? Number.NaN : result.perSecond / etcd.perSecond;
      seen.set(key, [...(seen.get(key) ?? []), { ...result, ratio }]);
    }
  }
  console.error(`round ${round} of ${rounds} done`);
}

machine(`${rounds} rounds of ${ms / 1000} s, medians; the server on one core, the client on the other.`);
for (const width of widths) {
  console.log(`**${width} writer${width === 1 ? "" : "s"}**\n`);
  table(
    ["", "durable writes/s", "p50 µs", "p99 µs", "CPU µs/write", "writes/s ÷ etcd's"],
    candidates.map(({ name }) => {
      const of = (field) => median(seen.get(`${width}|${name}`).map((one) => one[field]));
      const ratio = of("ratio");
      return [
        name,
        ...["perSecond", "p50", "p99", "cpu"].map((field) => of(field).toFixed(0)),
        Number.isNaN(ratio) ? "" : ratio.toFixed(2),
      ];
    }),
  );
}
end();
