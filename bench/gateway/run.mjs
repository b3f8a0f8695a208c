// What the gateway adds to a request, beside no proxy at all, nginx and Go's reverse proxy, in the same minute on the
// same machine. Rounds are interleaved and shuffled, ratios are taken inside a round, medians over rounds.
//
//   node bench/gateway/run.mjs [--rounds 5] [--seconds 2] [--dist dist]
//
// Loopback only; ends by itself. CPU is read from /proc, so that column needs Linux.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const option = (name, usual) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? usual : process.argv[at + 1];
};
const rounds = Number(option("rounds", 5));
const ms = Number(option("seconds", 2)) * 1000;
const dist = resolve(option("dist", join(here, "../../dist")));
const shapes = [
  { name: "200 B, 1 connection", connections: 1, bytes: 200 },
  { name: "200 B, 32 connections", connections: 32, bytes: 200 },
  { name: "64 KiB, 8 connections", connections: 8, bytes: 65_536 },
];

if (!existsSync(join(dist, "dataplane/index.js"))) {
  console.error(`there is no ${join(dist, "dataplane/index.js")}; run npm run build first`);
  process.exit(1);
}

const scratch = mkdtempSync(join(tmpdir(), "drydock-bench-"));
const children = [];
const skipped = [];
const stop = () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
};
process.on("exit", stop);
process.on("SIGINT", () => process.exit(130));

const onPath = (command) => spawnSync("which", [command]).status === 0;
const pinned = onPath("taskset") && availableParallelism() >= 2;
if (!pinned) skipped.push("pinning to cores (no taskset, or one core)");

function start(core, command, args, options = {}) {
  const [file, list] = pinned ? ["taskset", ["-c", String(core), command, ...args]] : [command, args];
  const child = spawn(file, list, { stdio: ["ignore", "pipe", "inherit"], ...options });
  children.push(child);
  return child;
}

function firstLine(child) {
  return new Promise((done, failed) => {
    createInterface({ input: child.stdout }).once("line", done);
    child.once("exit", (code) => failed(new Error(`exited with ${code}`)));
  });
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

async function accepts(port) {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { connect } = await import("node:net");
    const up = await new Promise((done) => {
      const socket = connect(port, "127.0.0.1", () => done(true)).on("error", () => done(false));
      setTimeout(() => socket.destroy(), 20);
    });
    if (up) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`nothing listens on ${port}`);
}

const upstreamPort = await freePort();
const secondPort = await freePort();
await firstLine(
  start(1, process.execPath, [join(here, "upstream.mjs"), String(upstreamPort), String(secondPort)]),
);
const candidates = [{ name: "direct", port: upstreamPort, child: undefined }];

const gatewayPort = await freePort();
const gateway = start(0, process.execPath, [
  join(here, "gateway.mjs"),
  String(gatewayPort),
  dist,
  String(upstreamPort),
  String(secondPort),
]);
console.error((await firstLine(gateway)).replace("ready ", "gateway: "));
candidates.push({ name: "drydock gateway", port: gatewayPort, child: gateway });

if (onPath("go")) {
  copyFileSync(join(here, "proxy.go.txt"), join(scratch, "proxy.go"));
  const env = { ...process.env, GOCACHE: join(scratch, "cache"), GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local" };
  execFileSync("go", ["build", "-o", "proxy", "proxy.go"], { cwd: scratch, env, stdio: "inherit" });
  const port = await freePort();
  const child = start(0, join(scratch, "proxy"), [String(port), String(upstreamPort)], {
    env: { ...process.env, GOMAXPROCS: "1" },
  });
  await accepts(port);
  const version = execFileSync("go", ["env", "GOVERSION"], { env }).toString().trim();
  candidates.push({ name: `Go ReverseProxy (${version})`, port, child });
} else skipped.push("Go's reverse proxy (no go on PATH)");

if (onPath("nginx")) {
  const port = await freePort();
  const config = `worker_processes 1; daemon off; pid ${scratch}/pid; error_log stderr error;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path ${scratch}; proxy_temp_path ${scratch};
 client_max_body_size 1g; client_body_buffer_size 128k;
 upstream pod { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 100000000; }
 server { listen 127.0.0.1:${port}; location / { proxy_pass http://pod; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } } }`;
  writeFileSync(join(scratch, "nginx.conf"), config);
  const child = start(0, "nginx", ["-c", join(scratch, "nginx.conf"), "-p", scratch]);
  await accepts(port);
  candidates.push({ name: "nginx, 1 worker", port, child });
} else skipped.push("nginx (not on PATH)");

/** Nanoseconds on a CPU so far, over all threads of a process and its children. */
function cpuNs(pid) {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    const below = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
    for (const child of below === "" ? [] : below.split(" ")) sum += cpuNs(child);
  }
  return sum;
}

async function sample({ port, child }, { connections, bytes }) {
  const load = start(1, process.execPath, [join(here, "load.mjs"), port, connections, ms, bytes].map(String));
  const lines = createInterface({ input: load.stdout });
  const read = lines[Symbol.asyncIterator]();
  await read.next();
  const before = child === undefined ? 0 : cpuNs(child.pid);
  const result = JSON.parse((await read.next()).value);
  const spent = child === undefined ? 0 : cpuNs(child.pid) - before;
  await new Promise((done) => load.once("exit", done));
  children.splice(children.indexOf(load), 1);
  if (result.failures > 0) throw new Error(`${result.failures} failed requests`);
  return {
    p50: result.p50 * 1000,
    p99: result.p99 * 1000,
    perSecond: (result.count / result.tookMs) * 1000,
    cpu: spent / 1000 / result.count,
  };
}

const shuffled = (list) => {
  const left = [...list];
  return list.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
};
const median = (list) => [...list].sort((one, other) => one - other)[Math.floor(list.length / 2)];

const seen = new Map();
for (const candidate of candidates)
  if (candidate.child !== undefined) await sample(candidate, { ...shapes[1] });
for (let round = 1; round <= rounds; round += 1) {
  for (const shape of shapes) {
    const results = new Map();
    for (const candidate of shuffled(candidates)) results.set(candidate.name, await sample(candidate, shape));
    for (const [name, result] of results) {
      const key = `${shape.name}|${name}`;
      const direct = results.get("direct");
      const own = results.get("drydock gateway");
      seen.set(key, [
        ...(seen.get(key) ?? []),
        {
          ...result,
          addedP50: result.p50 - direct.p50,
          addedP99: result.p99 - direct.p99,
          ratio: own.cpu / result.cpu,
        },
      ]);
    }
  }
  console.error(`round ${round} of ${rounds} done`);
}

console.log(
  `Node ${process.version}, ${rounds} rounds of ${ms / 1000} s, medians; the gateway routes among 1,000 InferenceServices.\n`,
);
for (const shape of shapes) {
  console.log(
    `**${shape.name}**\n\n| | req/s | p50 µs | p99 µs | added p50 µs | added p99 µs | CPU µs/req | our CPU ÷ its CPU |\n|---|--:|--:|--:|--:|--:|--:|--:|`,
  );
  for (const { name, child } of candidates) {
    const all = seen.get(`${shape.name}|${name}`);
    const of = (field) => median(all.map((one) => one[field]));
    const cells = [of("perSecond"), of("p50"), of("p99"), of("addedP50"), of("addedP99")].map((value) =>
      value.toFixed(0),
    );
    const cpu = child === undefined ? ["", ""] : [of("cpu").toFixed(1), of("ratio").toFixed(2)];
    console.log(`| ${name} | ${[...cells, ...cpu].join(" | ")} |`);
  }
  console.log("");
}
if (skipped.length > 0) console.log(`Skipped: ${skipped.join("; ")}.`);
process.exit(0);
