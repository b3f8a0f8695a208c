// From nothing to 1,000 requests a second on a model that takes 100 ms, and back to zero: pods over time, latencies, errors.
//
//   node bench/step/run.mjs [--rps 1000] [--seconds 30] [--max-scale 20]
//
// Requests are sent on time, whatever becomes of those before them. Each pod works on 10 at once. Windows are the
// shortest (6 s), so that a run takes a minute; the same arithmetic to the pod, on a clock that costs nothing, is a test
// (src/domain/autoscaling/replay.test.ts).
import { Agent, request } from "node:http";
import { join } from "node:path";
import { servingClient } from "../client.mjs";
import { end, home, machine, median, option, percentile, root, spawnUp, stop, table, wait } from "../lib.mjs";

const rps = Number(option("rps", 1000));
const seconds = Number(option("seconds", 30));
const maxScale = Number(option("max-scale", 20));
const everyMs = 10;

const folder = home("home");
const { child, apiPort, gatewayPort } = await spawnUp(folder);
const api = await servingClient(folder, apiPort);

const deployments = "/apis/apps/v1/namespaces/default/deployments";
let deployment;
const heard = new Set();
await api.watch(`${deployments}?watch=true`, ({ object }) => {
  deployment = object;
  for (const hear of heard) hear(object);
});

await api.call("PATCH", "/api/v1/namespaces/knative-serving/configmaps/config-autoscaler", {
  data: { "stable-window": "6s", "scale-to-zero-grace-period": "1s" },
});
await api.call("POST", "/apis/serving.knative.dev/v1/namespaces/default/services", {
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name: "slow", namespace: "default" },
  spec: {
    template: {
      metadata: { annotations: { "autoscaling.knative.dev/max-scale": String(maxScale) } },
      spec: {
        containerConcurrency: 10,
        containers: [
          {
            image: "drydock/host",
            command: [process.execPath, join(root, "test/autoscaling/server.mjs")],
            env: [{ name: "MOST_AT_ONCE", value: "10" }],
          },
        ],
      },
    },
  },
});

const replicas = () => deployment?.spec?.replicas ?? -1;
const ready = () => deployment?.status?.readyReplicas ?? 0;

async function until(what, met, withinMs = 120_000) {
  const endMs = performance.now() + withinMs;
  while (!met()) {
    if (performance.now() > endMs) throw new Error(`${what} did not happen within ${withinMs / 1000} s`);
    await wait(20);
  }
}
await until("the first pod", () => ready() === 1);
await until("sleep", () => replicas() === 0);
await wait(1_000);

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const latencies = [];
const bad = new Map();
let sent = 0;
let done = 0;

function ask() {
  sent += 1;
  const beganMs = performance.now();
  return new Promise((resolve) => {
    const finish = (word) => {
      done += 1;
      if (word === "") latencies.push(performance.now() - beganMs);
      else bad.set(word, (bad.get(word) ?? 0) + 1);
      resolve();
    };
    const asked = request(
      { agent, host: "127.0.0.1", port: gatewayPort, path: "/", headers: { host: "slow.default.localhost" } },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (text) => {
          body += text;
        });
        answer.on("end", () =>
          finish(answer.statusCode === 200 ? "" : `${answer.statusCode} ${body.slice(0, 100)}`),
        );
        answer.on("error", (error) => finish(error.message));
      },
    );
    asked.on("error", (error) => finish(error.message));
    asked.end();
  });
}

const beganMs = performance.now();
const elapsed = () => (performance.now() - beganMs) / 1000;
let scaledMs;
heard.add((object) => {
  if (object.spec.replicas > 0) scaledMs ??= performance.now() - beganMs;
});
const rows = [];
const sampler = setInterval(() => {
  rows.push([elapsed().toFixed(0), sent, sent - done, replicas(), ready()]);
}, 1_000);

const all = [];
let due = 0;
while (elapsed() < seconds) {
  const owed = Math.floor(elapsed() * rps) + 1;
  for (; due < owed; due += 1) all.push(ask());
  await wait(everyMs);
}
await Promise.all(all);
const loadEndedS = elapsed();
await until("sleep again", () => replicas() === 0);
clearInterval(sampler);
const asleepS = elapsed();
agent.destroy();
api.close();
await stop(child);

machine(`${rps} requests a second for ${seconds} s; at most ${maxScale} pods.`);
table(
  ["second", "sent", "under way", "pods wanted", "pods ready"],
  rows.filter((row, at) => at === 0 || String(row.slice(3)) !== String(rows[at - 1].slice(3))),
);
const failed = [...bad.values()].reduce((sum, count) => sum + count, 0);
table(
  ["what", "figure"],
  [
    ["requests, and those that failed", `${sent}, ${failed}`],
    ["first request to the Deployment's new replicas, as a watcher sees it", `${scaledMs?.toFixed(1)} ms`],
    [
      "latency p50, p99, longest",
      [median(latencies), percentile(latencies, 0.99), Math.max(...latencies)]
        .map((ms) => `${ms.toFixed(0)} ms`)
        .join(", "),
    ],
    ["last answer to zero pods", `${(asleepS - loadEndedS).toFixed(1)} s`],
  ],
);
for (const [word, count] of bad) console.log(`${count} × ${word}`);
if (failed > 0) process.exit(1);
end();
