// The control plane under many Services that sleep: time until the last is Ready, memory, writes for each, and
// reconciles once all is at rest (which must be none).
//
//   node bench/control/run.mjs [--counts 10,100,1000]
//
// Services start with initial scale 0, so that no model server hides what the control plane costs. Each count has a
// fresh instance; ten requests to create are in flight at a time.
import { servingClient } from "../client.mjs";
import {
  cpuNs,
  end,
  home,
  machine,
  median,
  memory,
  option,
  percentile,
  spawnUp,
  stop,
  table,
  wait,
} from "../lib.mjs";

const counts = String(option("counts", "10,100,1000")).split(",").map(Number);
const services = "/apis/serving.knative.dev/v1/namespaces/default/services";
const restMs = 10_000;
const inFlight = 10;

/** Every figure whose line starts with the name, added up. */
async function figure(api, name) {
  const text = await api.call("GET", "/metrics");
  return text
    .split("\n")
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

async function measure(count) {
  const folder = home(`control-${count}`);
  const { child, apiPort } = await spawnUp(folder);
  const api = await servingClient(folder, apiPort);
  const path = "/api/v1/namespaces/knative-serving/configmaps/config-autoscaler";
  const config = await api.call("GET", path);
  await api.call("PUT", path, {
    ...config,
    data: { ...config.data, "allow-zero-initial-scale": "true", "initial-scale": "0" },
  });
  await wait(3000);
  const emptyMb = memory(child.pid).rss;
  const writesBefore = await figure(api, "drydock_apiserver_store_writes_total");

  const created = new Map();
  const took = [];
  let done;
  const all = new Promise((resolve) => {
    done = resolve;
  });
  await api.watch(`${services}?watch=true`, ({ object }) => {
    const began = created.get(object.metadata?.name);
    if (typeof began !== "number") return;
    const ready = object.status?.conditions?.find((one) => one.type === "Ready");
    if (ready?.status !== "True") return;
    created.set(object.metadata.name, "ready");
    took.push(performance.now() - began);
    if (took.length === count) done();
  });
  const cpuBefore = cpuNs(child.pid);
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < count) {
        const name = `sleeper-${String(next).padStart(4, "0")}`;
        next += 1;
        created.set(name, performance.now());
        await api.call("POST", services, {
          ...{ apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name } },
          spec: { template: { spec: { containers: [{ image: "drydock/onnxserver" }] } } },
        });
      }
    }),
  );
  const createdMs = performance.now() - began;
  await Promise.race([
    all,
    wait(600_000).then(() => {
      throw new Error(`${took.length} of ${count} Services were Ready after ten minutes`);
    }),
  ]);
  const readyMs = performance.now() - began;
  const cpuMs = (cpuNs(child.pid) - cpuBefore) / 1e6;
  const writes = (await figure(api, "drydock_apiserver_store_writes_total")) - writesBefore;
  await wait(5000);
  const fullMb = memory(child.pid).rss;
  const roundsBefore = await figure(api, "drydock_controller_rounds_total");
  const restBefore = await figure(api, "drydock_apiserver_store_writes_total");
  await wait(restMs);
  const rounds = (await figure(api, "drydock_controller_rounds_total")) - roundsBefore;
  const restWrites = (await figure(api, "drydock_apiserver_store_writes_total")) - restBefore;
  api.close();
  await stop(child);
  return [
    count,
    (createdMs / 1000).toFixed(2),
    (readyMs / 1000).toFixed(2),
    median(took).toFixed(0),
    percentile(took, 0.99).toFixed(0),
    (cpuMs / count).toFixed(0),
    (writes / count).toFixed(1),
    fullMb.toFixed(0),
    (((fullMb - emptyMb) * 1024) / count).toFixed(0),
    rounds,
    restWrites,
  ];
}

const rows = [];
for (const count of counts) rows.push(await measure(count));
machine("One run for each count, nothing pinned.");
table(
  [
    "Services",
    "all created, s",
    "all Ready, s",
    "to Ready p50, ms",
    "p99, ms",
    "CPU ms for each",
    "writes for each",
    "server RSS, MB",
    "KB for each",
    `reconciles in ${restMs / 1000} s at rest`,
    "writes at rest",
  ],
  rows,
);
end();
