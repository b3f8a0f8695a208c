// What the gateway adds to a request, beside no proxy at all, nginx and Go's reverse proxy, in the same minute on the
// same machine. Rounds are interleaved and shuffled, ratios are taken inside a round, medians over rounds.
//
//   node bench/gateway/run.mjs [--rounds 5] [--seconds 2] [--shape WORD]
//
// DRYDOCK_BENCH_NODE is the node that runs the gateway, when it is to be another than this one. Loopback only; ends by
// itself. CPU is read from /proc, so that column needs Linux.
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import {
  dist,
  end,
  freePort,
  lineOf,
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
import { sampleCalls, sampleEvents, sampleSmall } from "./tools.mjs";

const here = join(root, "bench/gateway");
const rounds = Number(option("rounds", 5));
const ms = Number(option("seconds", 2)) * 1000;
const wanted = option("shape", "");
const node = process.env.DRYDOCK_BENCH_NODE ?? process.execPath;

/** `goals`: at most so much of another's CPU a request, or of what it adds to the median. */
const shapes = [
  {
    name: "200 B, 1 connection",
    connections: 1,
    bytes: 200,
    sample: sampleSmall,
    goals: [["Go", "addedP50", 0.75]],
  },
  {
    name: "200 B, 32 connections",
    connections: 32,
    bytes: 200,
    sample: sampleSmall,
    goals: [
      ["Go", "cpu", 0.5],
      ["nginx", "cpu", 1.4],
    ],
  },
  {
    name: "200 B, 256 connections",
    connections: 256,
    bytes: 200,
    sample: sampleSmall,
    goals: [["Go", "cpu", 0.5]],
  },
  {
    name: "64 KiB, 8 connections",
    connections: 8,
    bytes: 65_536,
    sample: sampleSmall,
    goals: [["Go", "cpu", 0.8]],
  },
  {
    name: "events, 50 streams",
    streams: 50,
    sample: sampleEvents,
    unit: "event",
    goals: [["Go", "cpu", 1.1]],
  },
  {
    name: "gRPC, 4 × 32 calls",
    connections: 4,
    calls: 32,
    sample: sampleCalls,
    unit: "call",
    goals: [["Go", "cpu", 1.2]],
  },
].filter(({ name }) => name.includes(wanted));

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
const grpcPort = await freePort();
await lineOf(start(1, process.execPath, [join(here, "upstream.mjs"), upstreamPort, secondPort, grpcPort]));
const direct = { name: "direct", port: upstreamPort, grpcPort, child: undefined };
const candidates = [direct];

const gatewayPort = await freePort();
const gateway = start(0, node, [
  join(here, "gateway.mjs"),
  gatewayPort,
  dist,
  grpcPort,
  upstreamPort,
  secondPort,
]);
const compiled = (await lineOf(gateway, (line) => line.startsWith("ready "))).replace("ready ", "");
const own = { name: "drydock gateway", port: gatewayPort, child: gateway };
candidates.push(own);

if (onPath("nginx")) {
  const port = await freePort();
  const callsPort = await freePort();
  const config = `worker_processes 1; daemon off; pid ${scratch}/pid; error_log stderr error;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path ${scratch}; proxy_temp_path ${scratch};
 fastcgi_temp_path ${scratch}; uwsgi_temp_path ${scratch}; scgi_temp_path ${scratch};
 client_max_body_size 1g; client_body_buffer_size 128k;
 upstream pod { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 100000000; }
 upstream calls { server 127.0.0.1:${grpcPort}; keepalive 512; keepalive_requests 100000000; }
 server { listen 127.0.0.1:${callsPort} http2; location / { grpc_pass grpc://calls; } }
 server { listen 127.0.0.1:${port}; location / { proxy_pass http://pod; proxy_http_version 1.1; proxy_buffering off;
  proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } } }`;
  writeFileSync(join(scratch, "nginx.conf"), config);
  const child = start(0, "nginx", ["-c", join(scratch, "nginx.conf"), "-p", scratch]);
  await accepts(port);
  candidates.push({ name: "nginx, 1 worker", port, grpcPort: callsPort, child });
} else skipped.push("nginx (not on PATH)");

if (onPath("go")) {
  copyFileSync(join(here, "proxy.go.txt"), join(scratch, "proxy.go"));
  const env = { ...process.env, GOCACHE: join(scratch, "cache"), GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local" };
  const version = execFileSync("go", ["env", "GOVERSION"], { env }).toString().trim();
  try {
    execFileSync("go", ["build", "-o", "proxy", "proxy.go"], { cwd: scratch, env, stdio: "inherit" });
    const port = await freePort();
    const child = start(0, join(scratch, "proxy"), [port, upstreamPort, grpcPort], {
      env: { ...process.env, GOMAXPROCS: "1" },
    });
    await accepts(port);
    candidates.push({ name: `Go ReverseProxy (${version})`, port, child });
  } catch {
    skipped.push(`Go's reverse proxy (${version} does not build it; 1.24 does)`);
  }
} else skipped.push("Go's reverse proxy (no go on PATH)");

/** A sample that a moment of the machine spoiled is taken once more. */
async function sample(candidate, shape) {
  const port = shape.calls === undefined ? candidate.port : (candidate.grpcPort ?? candidate.port);
  const at = { port, child: candidate.child };
  try {
    return await shape.sample(at, shape, ms);
  } catch (error) {
    console.error(`${candidate.name}, ${shape.name}: ${error.message}; once more`);
    return await shape.sample(at, shape, ms);
  }
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
    const bare = results.get(direct.name);
    const ours = results.get(own.name);
    const added = (result) => result.p50 - bare.p50;
    for (const [name, result] of results) {
      const key = `${shape.name}|${name}`;
      const more = {
        addedP50: added(result),
        ratio: ours.cpu / result.cpu,
        addedRatio: added(ours) / added(result),
      };
      seen.set(key, [...(seen.get(key) ?? []), { ...result, ...more }]);
    }
  }
  console.error(`round ${round} of ${rounds} done`);
}

const version = execFileSync(node, ["--version"]).toString().trim();
machine(
  `${rounds} rounds of ${ms / 1000} s, medians; the gateway runs on Node ${version} and routes among 1,000 InferenceServices (${compiled}). The rest:`,
);
const shown = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "");
const verdicts = [];
for (const shape of shapes) {
  const unit = shape.unit ?? "req";
  console.log(`**${shape.name}**\n`);
  const heads = [
    "",
    `${unit}/s`,
    "p50 µs",
    "p99 µs",
    "added p50 µs",
    `CPU µs/${unit}`,
    "our CPU ÷ its CPU",
    "our added p50 ÷ its",
  ];
  const rows = candidates.map(({ name, child }) => {
    const of = (field) => median(seen.get(`${shape.name}|${name}`).map((one) => one[field]));
    const proxied =
      child === undefined
        ? ["", "", "", ""]
        : [shown(of("addedP50"), 0), shown(of("cpu"), 1), shown(of("ratio"), 2), shown(of("addedRatio"), 2)];
    return [name, shown(of("perSecond"), 0), shown(of("p50"), 0), shown(of("p99"), 0), ...proxied];
  });
  table(heads, rows);
  for (const [whose, what, most] of shape.goals) {
    const other = candidates.find(({ name }) => name.startsWith(whose));
    if (other === undefined) continue;
    const field = what === "cpu" ? "ratio" : "addedRatio";
    const ratio = median(seen.get(`${shape.name}|${other.name}`).map((one) => one[field]));
    const measure = what === "cpu" ? `CPU per ${unit}` : "added p50";
    verdicts.push([
      shape.name,
      `${measure} ÷ ${whose}`,
      ratio.toFixed(2),
      `≤ ${most}`,
      ratio <= most ? "yes" : "no",
    ]);
  }
}
console.log("**Goals**\n");
table(["", "ratio", "measured", "goal", "met"], verdicts);
end();
