// The model server beside the Python KServe server: the iris classifier, one row a request, V1 protocol.
//
//   node bench/predict/run.mjs [--python PATH] [--rounds 5] [--seconds 2]
//
// PATH is a Python with kserve and scikit-learn (or DRYDOCK_BENCH_PYTHON); our scikit-learn backend runs on the same
// one. Without it only ONNX is measured. Servers on one core, the client on the other; rounds are interleaved.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  dist,
  end,
  freePort,
  home,
  load,
  machine,
  median,
  memory,
  option,
  root,
  shuffled,
  skipped,
  start,
  table,
  tree,
  wait,
} from "../lib.mjs";

const rounds = Number(option("rounds", 5));
const ms = Number(option("seconds", 2)) * 1000;
const python = option("python", process.env.DRYDOCK_BENCH_PYTHON);
const body = '{"instances":[[6.8,2.8,4.8,1.4]]}';
const path = "/v1/models/iris:predict";
const models = join(root, "examples/models");

const runtimes = join(home("home"), "runtimes");
const onnx = existsSync(runtimes)
  ? readdirSync(runtimes).find((name) => name.startsWith("onnx-"))
  : undefined;
const candidates = [];

async function ours(name, backend, model, env) {
  const port = await freePort();
  const child = start(
    0,
    process.execPath,
    [
      join(dist, "cmd/modelserver.js"),
      `--backend=${backend}`,
      "--model_name=iris",
      `--model_dir=${join(models, model)}`,
    ],
    { env: { ...process.env, PORT: String(port), ...env }, stdio: ["ignore", "ignore", "inherit"] },
  );
  candidates.push({ name, port, child });
}

if (onnx === undefined) skipped.push("ONNX (no runtime installed: drydock runtimes install onnx)");
else
  await ours("drydock, ONNX", "onnx", "onnx-iris", {
    DRYDOCK_ONNXRUNTIME: join(runtimes, onnx, "node_modules/onnxruntime-node"),
  });
if (python === undefined) {
  skipped.push("scikit-learn and the Python KServe server (no --python with kserve and scikit-learn)");
} else {
  const versions =
    "import kserve, sklearn; from importlib.metadata import version; print(version('kserve'), version('scikit-learn'))";
  const [kserve, sklearn] = execFileSync(python, ["-c", versions], { stdio: ["ignore", "pipe", "ignore"] })
    .toString()
    .trim()
    .split(" ");
  await ours(`drydock, scikit-learn ${sklearn}`, "sklearn", "sklearn-iris", { DRYDOCK_PYTHON: python });
  for (const [label, log] of [
    ["", "1"],
    [", latency log off", "0"],
  ]) {
    const port = await freePort();
    const file = join(models, "sklearn-iris/model.joblib");
    const child = start(0, python, [join(root, "bench/predict/server.py"), port, file, log], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    candidates.push({ name: `Python KServe ${kserve}, scikit-learn ${sklearn}${label}`, port, child });
  }
}
if (candidates.length === 0) end();

for (const { name, port } of candidates) {
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    }).catch(() => undefined);
    if (answer?.status === 200) {
      console.error(`${name}: ${await answer.text()}`);
      break;
    }
    if (tries > 600) throw new Error(`${name} does not answer: ${answer?.status}`);
    await wait(100);
  }
}

const widths = [1, 32];
const seen = new Map();
const reference = candidates.find(({ name }) => name.startsWith("Python"))?.name;
for (let round = 0; round <= rounds; round += 1) {
  for (const connections of widths) {
    const results = new Map();
    for (const { name, port, child } of shuffled(candidates))
      results.set(name, await load({ port, connections, ms: round === 0 ? 500 : ms, path, body }, child.pid));
    // The first round only warms.
    if (round === 0) continue;
    for (const [name, result] of results) {
      const key = `${connections}|${name}`;
      const ratio = result.perSecond / (results.get(reference)?.perSecond ?? Number.NaN);
      const cpuRatio = (results.get(reference)?.cpu ?? Number.NaN) / result.cpu;
      seen.set(key, [...(seen.get(key) ?? []), { ...result, ratio, cpuRatio }]);
    }
  }
  console.error(`round ${round} of ${rounds} done`);
}

machine(`${rounds} rounds of ${ms / 1000} s, medians; each server on one core, the client on the other.`);
for (const connections of widths) {
  console.log(`**1 row a request, ${connections} connection${connections === 1 ? "" : "s"}**\n`);
  table(
    [
      "",
      "req/s",
      "p50 µs",
      "p99 µs",
      "CPU µs/req",
      "req/s ÷ Python's",
      "Python's CPU ÷ its CPU",
      "memory MB",
    ],
    candidates.map(({ name, child }) => {
      const of = (field) => median(seen.get(`${connections}|${name}`).map((one) => one[field]));
      const ratios = ["ratio", "cpuRatio"].map((field) =>
        Number.isNaN(of(field)) ? "" : of(field).toFixed(2),
      );
      const mb = tree(child.pid).reduce((sum, pid) => sum + memory(pid).rss, 0);
      const cells = ["perSecond", "p50", "p99", "cpu"].map((field) => of(field).toFixed(0));
      return [name, ...cells, ...ratios, mb.toFixed(0)];
    }),
  );
}
end();
