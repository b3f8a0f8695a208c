// The benchmarks by name: `npm run bench -- NAME [options]`, or `all` of them one after another.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const what = {
  start: "start to serving, idle memory, the library's start, the command line's own time",
  ready: "apply to Ready of the ONNX example",
  coldstart:
    "from zero pods to the first byte, with processes kept waiting and without; --burst 100 wakes many",
  gateway: "what the gateway adds to a request, beside nginx and Go's reverse proxy",
  step: "from zero to 1,000 requests a second and back: pods over time, latencies, errors",
  store: "durable writes a second, beside etcd",
  watch: "one stream of writes to 1,000 watchers",
  control: "10, 100 and 1,000 Services that sleep: time to Ready, memory, writes, reconciles at rest",
  predict: "the model server beside the Python KServe server",
};

const [name, ...options] = process.argv.slice(2);
const names = name === "all" ? Object.keys(what) : [name];
if (!names.every((one) => Object.hasOwn(what, one ?? ""))) {
  console.error("Usage: npm run bench -- NAME [options]\n");
  for (const [one, text] of Object.entries({ ...what, all: "everything" }))
    console.error(`  ${one.padEnd(9)}${text}`);
  process.exit(name === undefined ? 0 : 2);
}
let worst = 0;
for (const one of names) {
  console.log(`## ${one}\n`);
  const program = fileURLToPath(new URL(`./${one}/run.mjs`, import.meta.url));
  const done = spawnSync(process.execPath, [program, ...options], { stdio: "inherit" });
  worst = Math.max(worst, done.status ?? 1);
  console.log("");
}
process.exit(worst);
