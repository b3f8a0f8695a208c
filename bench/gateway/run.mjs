// What the gateway adds to a request, beside no proxy at all, nginx and Go's reverse proxy, in the same minute on the
// same machine. Rounds are interleaved and shuffled, ratios are taken inside a round, medians over rounds.
//
//   node bench/gateway/run.mjs [--rounds 5] [--seconds 2]
//
// Loopback only; ends by itself. CPU is read from /proc, so that column needs Linux.
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import {
  dist,
  end,
  freePort,
  lineOf,
  load,
  machine,
  median,
  onPath,
  option,
  root,
  scratch,
  shuffled,
  skipped,
  start,
  table,
  wait,
} from "../lib.mjs";

const here = join(root, "bench/gateway");
const rounds = Number(option("rounds", 5));
const ms = Number(option("seconds", 2)) * 1000;
const shapes = [
  { name: "200 B, 1 connection", connections: 1, bytes: 200 },
  { name: "200 B, 32 connections", connections: 32, bytes: 200 },
  { name: "64 KiB, 8 connections", connections: 8, bytes: 65_536 },
];

async function accepts(port) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const up = await new Promise((done) => {
      const socket = connect(port, "127.0.0.1", () => done(true)).on("error", () => done(false));
      setTimeout(() => socket.destroy(), 20);
    });
    if (up) return;
    await wait(50);
  }
  throw new Error(`nothing listens on ${port}`);
}

const upstreamPort = await freePort();
const secondPort = await freePort();
await lineOf(start(1, process.execPath, [join(here, "upstream.mjs"), upstreamPort, secondPort]));
const candidates = [{ name: "direct", port: upstreamPort, child: undefined }];

const gatewayPort = await freePort();
const gateway = start(0, process.execPath, [
  join(here, "gateway.mjs"),
  gatewayPort,
  dist,
  upstreamPort,
  secondPort,
]);
const compiled = (await lineOf(gateway)).replace("ready ", "");
candidates.push({ name: "drydock gateway", port: gatewayPort, child: gateway });

if (onPath("nginx")) {
  const port = await freePort();
  const config = `worker_processes 1; daemon off; pid ${scratch}/pid; error_log stderr error;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path ${scratch}; proxy_temp_path ${scratch};
 fastcgi_temp_path ${scratch}; uwsgi_temp_path ${scratch}; scgi_temp_path ${scratch};
 client_max_body_size 1g; client_body_buffer_size 128k;
 upstream pod { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 100000000; }
 server { listen 127.0.0.1:${port}; location / { proxy_pass http://pod; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } } }`;
  writeFileSync(join(scratch, "nginx.conf"), config);
  const child = start(0, "nginx", ["-c", join(scratch, "nginx.conf"), "-p", scratch]);
  await accepts(port);
  candidates.push({ name: "nginx, 1 worker", port, child });
} else skipped.push("nginx (not on PATH)");

if (onPath("go")) {
  copyFileSync(join(here, "proxy.go.txt"), join(scratch, "proxy.go"));
  const env = { ...process.env, GOCACHE: join(scratch, "cache"), GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local" };
  execFileSync("go", ["build", "-o", "proxy", "proxy.go"], { cwd: scratch, env, stdio: "inherit" });
  const port = await freePort();
  const child = start(0, join(scratch, "proxy"), [port, upstreamPort], {
    env: { ...process.env, GOMAXPROCS: "1" },
  });
  await accepts(port);
  const version = execFileSync("go", ["env", "GOVERSION"], { env }).toString().trim();
  candidates.push({ name: `Go ReverseProxy (${version})`, port, child });
} else skipped.push("Go's reverse proxy (no go on PATH)");

function sample({ port, child }, { connections, bytes }) {
  const body = "x".repeat(bytes);
  const headers = { Host: "iris.default.example.com" };
  return load({ port, connections, ms, path: "/v2/models/iris/infer", headers, body }, child?.pid);
}

const seen = new Map();
// A first round nobody counts: what is compiled while it runs must be compiled for every shape.
for (const shape of shapes) {
  for (const candidate of candidates) if (candidate.child !== undefined) await sample(candidate, shape);
}
for (let round = 1; round <= rounds; round += 1) {
  for (const shape of shapes) {
    const results = new Map();
    for (const candidate of shuffled(candidates)) results.set(candidate.name, await sample(candidate, shape));
    const direct = results.get("direct");
    const own = results.get("drydock gateway");
    for (const [name, result] of results) {
      const key = `${shape.name}|${name}`;
      const more = {
        addedP50: result.p50 - direct.p50,
        addedP99: result.p99 - direct.p99,
        ratio: own.cpu / result.cpu,
      };
      seen.set(key, [...(seen.get(key) ?? []), { ...result, ...more }]);
    }
  }
  console.error(`round ${round} of ${rounds} done`);
}

machine(
  `${rounds} rounds of ${ms / 1000} s, medians; the gateway routes among 1,000 InferenceServices (${compiled}).`,
);
for (const shape of shapes) {
  console.log(`**${shape.name}**\n`);
  const heads = [
    "",
    "req/s",
    "p50 µs",
    "p99 µs",
    "added p50 µs",
    "added p99 µs",
    "CPU µs/req",
    "our CPU ÷ its CPU",
  ];
  const rows = candidates.map(({ name, child }) => {
    const of = (field) => median(seen.get(`${shape.name}|${name}`).map((one) => one[field]));
    const added = child === undefined ? ["", ""] : [of("addedP50").toFixed(0), of("addedP99").toFixed(0)];
    const cpu = child === undefined ? ["", ""] : [of("cpu").toFixed(1), of("ratio").toFixed(2)];
    return [name, of("perSecond").toFixed(0), of("p50").toFixed(0), of("p99").toFixed(0), ...added, ...cpu];
  });
  table(heads, rows);
}
end();
