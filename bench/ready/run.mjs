// From the POST of the ONNX example to its Ready=True, as a client that watches sees it; then the first prediction.
//
//   node bench/ready/run.mjs [--count 10]
//
// Each service is new, waited for and deleted before the next. The first pays for what is loaded once.
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { servingClient } from "../client.mjs";
import { end, home, machine, median, option, percentile, root, spawnUp, stop, table, wait } from "../lib.mjs";

const count = Number(option("count", 10));
const { parse } = await import("yaml");
const example = parse(readFileSync(join(root, "examples/onnx-iris.yaml"), "utf8"));

const folder = home("home");
const { child, apiPort, gatewayPort } = await spawnUp(folder);
const api = await servingClient(folder, apiPort);

const heard = new Set();
const services = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices";
for (const path of [
  services,
  "/api/v1/namespaces/default/pods",
  "/apis/serving.knative.dev/v1/namespaces/default/revisions",
  "/apis/serving.knative.dev/v1/namespaces/default/services",
  "/apis/networking.internal.knative.dev/v1alpha1/namespaces/default/ingresses",
]) {
  await api.watch(`${path}?watch=true`, (event) => {
    const now = performance.now();
    for (const hear of heard) hear(event.type, event.object, now);
  });
}

const isTrue = (object, type) =>
  object.status?.conditions?.some((one) => one.type === type && one.status === "True") === true;
const startedOf = (pod) =>
  pod.status?.containerStatuses?.find((one) => one.name === "kserve-container")?.state?.running !== undefined;
const initializedOf = (pod) =>
  pod.status?.initContainerStatuses?.some((one) => one.state?.terminated?.exitCode === 0) === true;

/** In order: what was seen, and how to see it. */
const phases = [
  ["pod created", (one) => one.kind === "Pod"],
  ["storage-initializer done", (one) => one.kind === "Pod" && initializedOf(one)],
  ["model server's process started", (one) => one.kind === "Pod" && startedOf(one)],
  ["pod Ready (model loaded, listens)", (one) => one.kind === "Pod" && isTrue(one, "Ready")],
  ["Revision Ready", (one) => one.kind === "Revision" && isTrue(one, "Ready")],
  ["Ingress Ready (routes probed)", (one) => one.kind === "Ingress" && isTrue(one, "Ready")],
  ["Knative Service Ready", (one) => one.kind === "Service" && isTrue(one, "Ready")],
  ["InferenceService Ready", (one) => one.kind === "InferenceService" && isTrue(one, "Ready")],
];

async function once(name) {
  const seen = new Map();
  let hear;
  const ready = new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`${name} was not Ready within 60 s`)), 60_000);
    hear = (type, object, now) => {
      if (type === "DELETED" || !object.metadata?.name?.startsWith(name)) return;
      for (const [phase, fits] of phases) if (!seen.has(phase) && fits(object)) seen.set(phase, now);
      if (!seen.has("InferenceService Ready")) return;
      clearTimeout(timer);
      done();
    };
  });
  heard.add(hear);
  const began = performance.now();
  const created = api.call("POST", services, { ...example, metadata: { name, namespace: "default" } });
  await created;
  const acknowledged = performance.now() - began;
  await ready;
  heard.delete(hear);
  const predictBegan = performance.now();
  await predict(name);
  const answered = performance.now();
  await api.call("DELETE", `${services}/${name}`);
  await gone(name);
  return {
    "POST acknowledged": acknowledged,
    ...Object.fromEntries([...seen].map(([phase, at]) => [phase, at - began])),
    "first prediction answered": answered - began,
    predict: answered - predictBegan,
  };
}

function predict(name) {
  const body = '{"instances":[[6.8,2.8,4.8,1.4],[6.0,3.4,4.5,1.6]]}';
  return new Promise((done, failed) => {
    const asked = request(
      {
        host: "127.0.0.1",
        port: gatewayPort,
        method: "POST",
        path: `/v1/models/${name}:predict`,
        headers: { host: `${name}.default.localhost`, "content-type": "application/json" },
      },
      (answer) => {
        answer.resume();
        if (answer.statusCode === 200) answer.on("end", done);
        else failed(new Error(`${name} answered ${answer.statusCode}`));
      },
    );
    asked.on("error", failed);
    asked.end(body);
  });
}

async function gone(name) {
  for (;;) {
    const { items } = await api.call("GET", "/api/v1/namespaces/default/pods");
    if (!items.some((pod) => pod.metadata.name.startsWith(name))) return;
    await wait(50);
  }
}

const runs = [];
for (let at = 1; at <= count; at += 1) {
  runs.push(await once(`iris-${at}-${Math.random().toString(36).slice(2, 6)}`));
  console.error(`${at} of ${count}: Ready after ${runs.at(-1)["InferenceService Ready"].toFixed(0)} ms`);
}
api.close();
await stop(child);

machine(`${count} new services one after another, nothing pinned.`);
const names = ["POST acknowledged", ...phases.map(([phase]) => phase), "first prediction answered"];
const rows = names.map((name) => {
  const all = runs.map((run) => run[name]).filter((value) => value !== undefined);
  const cells = all.length === 0 ? ["", "", ""] : [median(all), percentile(all, 0.9), all[0]];
  return [name, ...cells.map((value) => (value === "" ? "not seen" : value.toFixed(0)))];
});
table(["ms after the POST was sent", "median", "p90", "the first one"], rows);
end();
