// From zero to the first byte through the gateway: decision, objects written and durable, pod, model loaded, answer.
//
//   node bench/coldstart/run.mjs [--rounds 20] [--format onnx|sklearn] [--pool warm|empty] [--wake request|annotation] [--burst 100] [--steps 5]
//
// `--steps` more rounds are watched, which tells what happened when; since four watches over TLS are work for the
// server too, their times are not counted.
// Each round waits until nothing of the pod is left, then asks. `warm` also waits until a process is spare for each
// program; `empty` runs with no process kept waiting. `annotation` wakes by the PodAutoscaler's initial-scale instead of by
// the request itself, which is then sent at the moment another process sees the pod among the private addresses.
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { servingClient } from "../client.mjs";
import { end, home, machine, option, percentile, root, spawnUp, stop, table, tree, wait } from "../lib.mjs";

const rounds = Number(option("rounds", 20));
const burst = Number(option("burst", 0));
const watched = Number(option("steps", 3));
const formats = option("format") === undefined ? ["onnx", "sklearn"] : [option("format")];
const pools = option("pool") === undefined ? ["warm", "empty"] : [option("pool")];
const wakeBy = option("wake", "request");
const { parse } = await import("yaml");
const namespace = "default";
const services = `/apis/serving.kserve.io/v1beta1/namespaces/${namespace}/inferenceservices`;
const autoscalers = `/apis/autoscaling.internal.knative.dev/v1alpha1/namespaces/${namespace}/podautoscalers`;

const kinds = {
  pod: `/api/v1/namespaces/${namespace}/pods`,
  endpoints: `/api/v1/namespaces/${namespace}/endpoints`,
  deployment: `/apis/apps/v1/namespaces/${namespace}/deployments`,
  replicaSet: `/apis/apps/v1/namespaces/${namespace}/replicasets`,
};

/** An instance of its own, and all that a watch of this process has seen of it. */
async function open(pool) {
  const folder = home(`home-${pool}-${Math.random().toString(36).slice(2, 6)}`);
  const env = pool === "empty" ? { DRYDOCK_SPARES: "0" } : {};
  const up = await spawnUp(folder, { env, flags: (option("flags") ?? "").split(" ").filter(Boolean) });
  const api = await servingClient(folder, up.apiPort);
  const heard = new Set();
  const look = async () => {
    for (const [kind, path] of Object.entries(kinds)) {
      await api.watch(`${path}?watch=true`, (event) => {
        const now = performance.now();
        for (const hear of heard) hear(kind, event.type, event.object, now);
      });
    }
  };
  if (wakeBy === "annotation") await look();
  await api.patch("/api/v1/namespaces/knative-serving/configmaps/config-autoscaler", {
    data: {
      "allow-zero-initial-scale": "true",
      "stable-window": "6s",
      "scale-to-zero-grace-period": "1s",
      "scale-to-zero-pod-retention-period": "0s",
    },
  });
  return { ...up, folder, api, heard, look };
}

/** Resolves with the time of the first event that fits. */
function when(instance, fits, withinMs = 120_000) {
  return new Promise((done, failed) => {
    const hear = (kind, type, object, now) => {
      if (!fits(kind, type, object)) return;
      clearTimeout(timer);
      instance.heard.delete(hear);
      done(now);
    };
    const timer = setTimeout(() => {
      instance.heard.delete(hear);
      failed(new Error(`not seen within ${withinMs} ms: ${fits}`));
    }, withinMs);
    instance.heard.add(hear);
  });
}

async function apply({ api }, format, name) {
  const example = parse(readFileSync(join(root, `examples/${format}-iris.yaml`), "utf8"));
  const object = structuredClone(example);
  object.metadata = { name, namespace };
  object.spec.predictor.minReplicas = 0;
  await api.call("POST", services, object);
  for (let tries = 0; ; tries += 1) {
    const { status } = await api.call("GET", `${services}/${name}`);
    const ready = status?.conditions?.find((one) => one.type === "Ready");
    if (ready?.status === "True") return;
    if (tries > 6000) throw new Error(`${name} is not Ready: ${JSON.stringify(ready)}`);
    await wait(20);
  }
}

/**
 * Resolves with the time of the first byte of the answer. On a bare socket, connected anew for each: what a client of
 * Node's own spends on its side of a request is no part of the platform's.
 */
function predict({ gatewayPort }, name) {
  const body = '{"instances":[[6.8,2.8,4.8,1.4],[6.0,3.4,4.5,1.6]]}';
  const head = [
    `POST /v1/models/${name}:predict HTTP/1.1`,
    `host: ${name}.${namespace}.localhost`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    "x-drydock-timing: 1",
    "connection: close",
  ].join("\r\n");
  return new Promise((done, failed) => {
    const socket = connect({ host: "127.0.0.1", port: gatewayPort });
    socket.write(`${head}\r\n\r\n${body}`);
    let atMs;
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (part) => {
      atMs ??= performance.now();
      text += part;
    });
    socket.on("error", failed);
    socket.on("end", () => {
      const timing = /^server-timing: (.*)$/im.exec(text)?.[1] ?? "";
      if (/^HTTP\/1\.1 200 [\s\S]*"predictions"/.test(text)) done({ atMs, timing });
      else failed(new Error(`${name} was answered: ${text || "nothing"}`));
    });
  });
}

async function podsOf({ api }, name) {
  const { items } = await api.call("GET", kinds.pod);
  return items.filter((pod) => pod.metadata.labels?.["serving.kserve.io/inferenceservice"] === name);
}

async function asleep(instance, name) {
  for (let tries = 0; (await podsOf(instance, name)).length > 0; tries += 1) {
    if (tries > 3000) throw new Error(`${name} does not go to zero`);
    await wait(20);
  }
}

/** Processes of the instance that wait to become something. */
function spares({ child }) {
  return tree(child.pid).filter((pid) => {
    try {
      const env = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
      const isProgram = readFileSync(`/proc/${pid}/comm`, "latin1").startsWith("node");
      return isProgram && env.includes("DRYDOCK_SPARE=1") && readdirSync(`/proc/${pid}/fd`).includes("3");
    } catch {
      return false;
    }
  }).length;
}

const isReady = (pod) => pod.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True");
const addresses = (endpoints) => (endpoints.subsets ?? []).flatMap((one) => one.addresses ?? []).length;
const phaseText = (pod) =>
  pod.status?.conditions?.find((one) => one.type === "drydock.dev/Started")?.message ?? "";

async function round(instance, name) {
  const mine = (object) => object.metadata.name.startsWith(`${name}-predictor`);
  const seen = {};
  let phases = "";
  const note = (what, now) => {
    seen[what] ??= now;
  };
  const hear = (kind, type, object, now) => {
    if (type === "DELETED" || !mine(object)) return;
    if (kind === "deployment" && object.spec.replicas > 0) note("Deployment scaled", now);
    if (kind === "replicaSet" && object.spec.replicas > 0) note("ReplicaSet scaled", now);
    if (kind === "pod") {
      note("pod created", now);
      const { initContainerStatuses, containerStatuses } = object.status ?? {};
      if (initContainerStatuses?.[0]?.state?.terminated) note("model files there", now);
      if (containerStatuses?.[0]?.state?.running) note("server's process told", now);
      if (isReady(object)) note("pod Ready", now);
      phases = phaseText(object) || phases;
    }
    if (kind === "endpoints" && object.metadata.name.endsWith("-private") && addresses(object) > 0)
      note("private Endpoints", now);
  };
  instance.heard.add(hear);
  const began = performance.now();
  let answer;
  if (wakeBy === "annotation") {
    const scaler = await autoscalerOf(instance, name);
    const there = when(
      instance,
      (kind, type, object) =>
        kind === "endpoints" &&
        type !== "DELETED" &&
        mine(object) &&
        object.metadata.name.endsWith("-private") &&
        addresses(object) > 0,
    );
    const asked = performance.now();
    await instance.api.patch(`${autoscalers}/${scaler}`, {
      metadata: { annotations: { "autoscaling.knative.dev/initial-scale": "1" } },
    });
    await there;
    answer = await settled(instance, name);
    for (const what of Object.keys(seen)) seen[what] -= asked - began;
    answer.atMs -= asked - began;
  } else answer = await predict(instance, name);
  await wait(150);
  instance.heard.delete(hear);
  if (phases === "") phases = (await podsOf(instance, name)).map(phaseText).join("");
  return {
    steps: Object.fromEntries(Object.entries(seen).map(([what, at]) => [what, at - began])),
    firstByte: answer.atMs - began,
    timing: answer.timing,
    phases,
  };
}

/** Without an activator the gateway may hear of the pod a moment after us. */
async function settled(instance, name) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await predict(instance, name);
    } catch (error) {
      if (tries > 200) throw error;
      await wait(1);
    }
  }
}

async function autoscalerOf({ api }, name) {
  const { items } = await api.call("GET", autoscalers);
  return items.find((one) => one.metadata.name.startsWith(`${name}-predictor`)).metadata.name;
}

async function sleep(instance, name) {
  if (wakeBy === "annotation") {
    await instance.api.patch(`${autoscalers}/${await autoscalerOf(instance, name)}`, {
      metadata: { annotations: { "autoscaling.knative.dev/initial-scale": "0" } },
    });
  }
  await asleep(instance, name);
}

const ms = (value) => (value === undefined ? "" : value.toFixed(1));

async function measure(format, pool) {
  const instance = await open(pool);
  const name = `iris-${format}`;
  await apply(instance, format, name);
  const runs = [];
  // The first pays for what is loaded once, and is no cold start of a revision at rest.
  for (let at = 0; at <= rounds + watched; at += 1) {
    if (at === rounds + 1 && wakeBy !== "annotation") await instance.look();
    await sleep(instance, name);
    await wait(pool === "warm" ? 1500 : 300);
    for (let tries = 0; pool === "warm" && at > 0 && spares(instance) < 2 && tries < 200; tries += 1)
      await wait(50);
    const run = await round(instance, name);
    if (at > 0) runs.push({ ...run, counts: at <= rounds });
    console.error(
      `${format} ${pool} ${at}/${rounds}${at > rounds ? ", watched" : ""}: ${ms(run.firstByte)} ms; ${run.phases} ${run.timing}`,
    );
  }
  instance.api.close();
  await stop(instance.child);
  return runs;
}

async function burstOf(count) {
  const instance = await open("warm");
  const names = Array.from({ length: count }, (_, at) => `burst-${at}`);
  for (let at = 0; at < count; at += 10)
    await Promise.all(names.slice(at, at + 10).map((name) => apply(instance, "onnx", name)));
  if (wakeBy === "annotation") for (const name of names) await sleep(instance, name);
  for (let tries = 0; (await instance.api.call("GET", kinds.pod)).items.length > 0; tries += 1) {
    if (tries > 3000) throw new Error("not all of them go to zero");
    await wait(100);
  }
  const began = performance.now();
  const answers = await Promise.allSettled(
    names.map(async (name) => {
      if (wakeBy === "annotation") {
        await instance.api.patch(`${autoscalers}/${await autoscalerOf(instance, name)}`, {
          metadata: { annotations: { "autoscaling.knative.dev/initial-scale": "1" } },
        });
        for (;;) {
          const answer = await predict(instance, name).catch(() => undefined);
          if (answer !== undefined) return answer;
          await wait(50);
        }
      }
      return predict(instance, name);
    }),
  );
  const took = answers.flatMap((one) => (one.status === "fulfilled" ? [one.value.atMs - began] : []));
  const lost = answers.flatMap((one) => (one.status === "rejected" ? [one.reason.message] : []));
  table(
    ["revisions woken at once", "answered", "first", "p50", "last"],
    [[count, took.length, ...[0, 0.5, 1].map((share) => `${(percentile(took, share) / 1000).toFixed(2)} s`)]],
  );
  for (const because of lost.slice(0, 5)) console.log(`not answered: ${because}`);
  instance.api.close();
  await stop(instance.child);
  if (lost.length > 0) process.exitCode = 1;
}

const all = [];
for (const format of burst > 0 ? [] : formats)
  for (const pool of pools) all.push({ format, pool, runs: await measure(format, pool) });
if (burst > 0) await burstOf(burst);
else {
  const shares = [0.5, 0.9, 0.99];
  table(
    ["zero to first byte, ms", "p50", "p90", "p99"],
    all.map(({ format, pool, runs }) => [
      `${format}, ${pool} pool`,
      ...shares.map((share) =>
        ms(
          percentile(
            runs.flatMap(({ firstByte, counts }) => (counts ? [firstByte] : [])),
            share,
          ),
        ),
      ),
    ]),
  );
  const steps = [...new Set(all.flatMap(({ runs }) => runs.flatMap((run) => Object.keys(run.steps))))];
  table(
    ["seen by a watch, ms after the wish (p50)", ...all.map(({ format, pool }) => `${format}, ${pool}`)],
    steps.map((step) => [
      step,
      ...all.map(({ runs }) =>
        ms(
          percentile(
            runs.flatMap((run) => run.steps[step] ?? []),
            0.5,
          ),
        ),
      ),
    ]),
  );
  const named = (run) =>
    Object.fromEntries(
      [...run.phases.matchAll(/(\w+)=([\d.]+)/g)].map(([, one, value]) => [one, Number(value)]),
    );
  const phases = [...new Set(all.flatMap(({ runs }) => runs.flatMap((run) => Object.keys(named(run)))))];
  table(
    ["the kubelet's phases, ms (p50)", ...all.map(({ format, pool }) => `${format}, ${pool}`)],
    phases.map((phase) => [
      phase,
      ...all.map(({ runs }) =>
        ms(
          percentile(
            runs.flatMap((run) => named(run)[phase] ?? []),
            0.5,
          ),
        ),
      ),
    ]),
  );
  // What is left of a wake without what the model takes: its files, its server and its answer.
  const own = (run) => {
    const { files = Number.NaN, load = Number.NaN } = named(run);
    return run.firstByte - files - load - Number(/pod;dur=([\d.]+)/.exec(run.timing)?.[1]);
  };
  table(
    ["the platform's own share, ms", "p50", "p90"],
    all.map(({ format, pool, runs }) => [
      `${format}, ${pool} pool`,
      ...[0.5, 0.9].map((share) =>
        ms(
          percentile(
            runs.flatMap((run) => (run.counts && !Number.isNaN(own(run)) ? [own(run)] : [])),
            share,
          ),
        ),
      ),
    ]),
  );
}
machine(`${rounds} rounds; woken by ${wakeBy}.`);
end();
