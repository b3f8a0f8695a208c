// Load by the tools of the trade where they are installed, by our own generators where not. Each sample says how many
// requests were answered, how long half of them took at most, and what the proxy's CPU spent on each.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpuNs, lineOf, load, onPath, scratch, skipped, start } from "../lib.mjs";

const hasWrk = onPath("wrk");
const hasH2load = onPath("h2load");
if (!hasWrk) skipped.push("wrk (not on PATH; our own load generator instead)");
if (!hasH2load) skipped.push("h2load (not on PATH; our own load generator instead)");

const host = "iris.default.example.com";
const path = "/v2/models/iris/infer";

export function sampleSmall({ port, child }, shape, ms) {
  return hasWrk ? wrk(port, child, shape, ms) : byOurs(port, child, shape, ms);
}

async function byOurs(port, child, { connections, bytes }, ms) {
  const body = "x".repeat(bytes);
  return await load({ port, connections, ms, path, headers: { Host: host }, body }, child?.pid);
}

async function wrk(port, child, { connections, bytes }, ms) {
  const script = join(scratch, `body-${bytes}.lua`);
  writeFileSync(
    script,
    `wrk.method = "POST"
wrk.path = "${path}"
wrk.body = string.rep("x", ${bytes})
wrk.headers["Host"] = "${host}"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["User-Agent"] = "bench/1.0"
wrk.headers["Accept"] = "*/*"
done = function(summary, latency)
  io.write(string.format("BENCH %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.connect + summary.errors.read +
    summary.errors.write + summary.errors.status + summary.errors.timeout))
end
`,
  );
  const args = ["-t1", `-c${connections}`, `-d${Math.max(1, Math.round(ms / 1000))}s`, "-s", script];
  const { text, spentNs } = await run("wrk", [...args, `http://127.0.0.1:${port}`], child);
  const [, requests, tookUs, p50, p99, errors] = (
    /^BENCH (\d+) (\d+) (\d+) (\d+) (\d+)/m.exec(text) ?? []
  ).map(Number);
  if (!(requests > 0) || errors > 0) throw new Error(`wrk on port ${port}: ${errors} errors\n${text}`);
  return { p50, p99, perSecond: requests / (tookUs / 1e6), cpu: spentNs / 1000 / requests };
}

/** A gRPC message of 200 bytes with its five in front. */
const call = `\0\0\0\0\xc8${"m".repeat(200)}`;

export async function sampleCalls({ port, child }, { connections, calls }, ms) {
  if (!hasH2load) {
    const job = { port, connections, calls, ms, body: call };
    return await ours("calls.mjs", job, child);
  }
  const file = join(scratch, "call");
  writeFileSync(file, Buffer.from(call, "latin1"));
  const seconds = Math.max(1, Math.round(ms / 1000));
  const args = ["-D", seconds, "-c", connections, "-m", calls, "-d", file];
  const fields = ["content-type: application/grpc", "te: trailers", ":authority: grpc.default.example.com"];
  const url = `http://127.0.0.1:${port}/inference.GRPCInferenceService/ModelInfer`;
  const all = [...args, ...fields.flatMap((field) => ["-H", field]), url];
  const { text, spentNs } = await run("h2load", all, child);
  const done = Number(/requests: \d+ total, \d+ started, (\d+) done/.exec(text)?.[1]);
  const good = Number(/status codes: (\d+) 2xx/.exec(text)?.[1]);
  if (!(good > 0) || good < done) throw new Error(`h2load on port ${port}: ${text}`);
  const mean = /time for request: +\S+ +\S+ +([\d.]+)(us|ms|s)/.exec(text);
  const scale = { us: 1, ms: 1000, s: 1e6 }[mean?.[2] ?? "us"];
  return {
    p50: Number(mean?.[1]) * scale,
    p99: Number.NaN,
    perSecond: good / seconds,
    cpu: spentNs / 1000 / good,
  };
}

export function sampleEvents({ port, child }, { streams }, ms) {
  return ours("streams.mjs", { port, streams, ms }, child);
}

async function ours(program, job, child) {
  const file = fileURLToPath(new URL(`./${program}`, import.meta.url));
  const client = start(1, process.execPath, [file, JSON.stringify(job)]);
  await lineOf(client);
  const before = child === undefined ? 0 : cpuNs(child.pid);
  const { answered, count, failures, p50 = Number.NaN } = JSON.parse(await lineOf(client));
  const spentNs = child === undefined ? 0 : cpuNs(child.pid) - before;
  if (failures > 0 || !(answered > 0)) throw new Error(`${program} on port ${job.port}: ${failures} failed`);
  return {
    p50: p50 * 1000,
    p99: Number.NaN,
    perSecond: count / (job.ms / 1000),
    cpu: spentNs / 1000 / answered,
  };
}

/** A tool to its end, and the proxy's CPU meanwhile. */
async function run(command, args, child) {
  const before = child === undefined ? 0 : cpuNs(child.pid);
  const tool = start(1, command, args);
  let text = "";
  tool.stdout.on("data", (bytes) => {
    text += bytes;
  });
  await new Promise((done) => tool.once("close", done));
  return { text, spentNs: child === undefined ? 0 : cpuNs(child.pid) - before };
}
