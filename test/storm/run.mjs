/**
 * A steady load of every kind of client against one instance, while its services are updated, its pods killed and its
 * gateway replaced and killed. Updates and replacements may cost no request; a killed pod only those it had, each told
 * so; a killed gateway those it had, counted.
 *
 *     npm run storm -- --updates 200 --kills 200 --restarts 20 --gateway-kills 5
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { apiClient } from "../crash/api.mjs";
import { makeInstance } from "../crash/instance.mjs";
import { startClients } from "./clients.mjs";

const { values: asked } = parseArgs({
  options: {
    updates: { type: "string", default: "20" },
    kills: { type: "string", default: "20" },
    restarts: { type: "string", default: "5" },
    "gateway-kills": { type: "string", default: "2" },
    clients: { type: "string", default: "4" },
    pods: { type: "string", default: "2" },
    keep: { type: "boolean", default: false },
  },
});
const pods = Number(asked.pods);
const readyWithinMs = 60_000;

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const folder = mkdtempSync(join(tmpdir(), "drydock-storm-"));
const home = join(folder, "home");
const gatewayPort = await freePort();
const instance = makeInstance({ root, home, apiPort: await freePort(), gatewayPort });
const services = "/apis/serving.knative.dev/v1/namespaces/default/services";
const problems = [];

function cleanUp() {
  instance.killEverything();
  if (!asked.keep) rmSync(folder, { recursive: true, force: true });
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    cleanUp();
    process.exit(130);
  });
}

try {
  await storm();
} catch (error) {
  problems.push(error.stack ?? String(error));
} finally {
  if (problems.length > 0) console.log(logTail());
  cleanUp();
}
for (const problem of problems) console.log(`PROBLEM ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);

async function storm() {
  await instance.start();
  const api = apiClient(join(home, "kubeconfig"));
  await create(api, "http", "http1");
  await create(api, "grpc", "h2c");
  await ready(api, "http", 1);
  await ready(api, "grpc", 1);
  const clients = startClients({
    port: gatewayPort,
    host: "http.default.localhost",
    grpcHost: "grpc.default.localhost",
    kinds: {
      keepAlive: Number(asked.clients),
      sse: Number(asked.clients),
      webSocket: Number(asked.clients),
      grpc: Number(asked.clients),
    },
  });
  const { tally } = clients;
  await wait(500);

  await phase(tally, `${asked.updates} updates`, Number(asked.updates), {}, async (round) => {
    for (const name of ["http", "grpc"]) {
      const patch = {
        spec: { template: { metadata: { annotations: { "storm/round": `${round}` } } } },
      };
      await must(api.call("PATCH", `${services}/${name}`, patch, "application/merge-patch+json"));
    }
    await ready(api, "http", round + 1);
    await ready(api, "grpc", round + 1);
  });

  await phase(tally, `${asked.restarts} gateway replacements`, Number(asked.restarts), {}, async () => {
    const before = gatewayPid();
    process.kill(instance.members().find(({ role }) => role === "server").pid, "SIGUSR2");
    await until("another gateway", () => gatewayPid() !== before);
    await wait(300);
  });

  await phase(tally, `${asked.kills} pod kills`, Number(asked.kills), { explained: true }, async () => {
    tally.pids.clear();
    await until("answers that name their process", () => tally.pids.size >= Math.min(2, pods));
    const [pid] = [...tally.pids].sort(() => Math.random() - 0.5);
    const pod = await podOf(api, pid);
    process.kill(pid, "SIGKILL");
    // A new pod at once, where a restarted container would be made to wait longer each time.
    if (pod !== undefined)
      await api.call("DELETE", `/api/v1/namespaces/default/pods/${pod}?gracePeriodSeconds=0`);
    await enough(api);
  });

  const perKill = [];
  await phase(
    tally,
    `${asked["gateway-kills"]} gateway kills`,
    Number(asked["gateway-kills"]),
    { any: true },
    async () => {
      // The instance writes down a new gateway's pid within seconds.
      await until("the gateway's pid", () => gatewayPid() !== undefined);
      const before = gatewayPid();
      const lost = tally.explained.length + tally.unexplained.length;
      const killedMs = performance.now();
      process.kill(before, "SIGKILL");
      const answered = Object.values(tally.fine).reduce((sum, count) => sum + count, 0);
      await until(
        "answers from another gateway",
        () => Object.values(tally.fine).reduce((sum, count) => sum + count, 0) > answered + 8,
      );
      perKill.push(Math.round(performance.now() - killedMs));
      await wait(1_000);
      const cost = tally.explained.length + tally.unexplained.length - lost;
      // What was under way with it: no client had more than one.
      if (cost > 4 * Number(asked.clients)) problems.push(`a killed gateway cost ${cost} requests`);
    },
  );
  if (perKill.length > 0) console.log(`answers again after a gateway kill: ${perKill.join(", ")} ms`);
  await clients.stop();
  console.log(`answered: ${JSON.stringify(tally.fine)}`);
  for (const kind of ["keepAlive", "sse", "webSocket", "grpc"])
    if ((tally.fine[kind] ?? 0) === 0) problems.push(`no ${kind} client was ever answered`);
  api.close();
}

/** Runs it so many times and looks at what failed meanwhile. */
async function phase(tally, name, times, allowed, run) {
  const before = { explained: tally.explained.length, unexplained: tally.unexplained.length };
  const startedMs = performance.now();
  for (let round = 1; round <= times; round += 1) await run(round);
  await wait(times === 0 ? 0 : 500);
  const explained = tally.explained.slice(before.explained);
  const unexplained = tally.unexplained.slice(before.unexplained);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(
    `${name}: ${seconds} s, ${explained.length} requests lost with what had them, ${unexplained.length} otherwise`,
  );
  if (allowed.any) return;
  const bad = allowed.explained ? unexplained : [...explained, ...unexplained];
  for (const one of bad.slice(0, 10)) problems.push(`${name}: ${JSON.stringify(one)}`);
}

async function create(api, name, speaks) {
  const port = speaks === "h2c" ? { name: "h2c", containerPort: 8080 } : { containerPort: 8080 };
  await must(
    api.call("POST", services, {
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name },
      spec: {
        template: {
          metadata: {
            annotations: {
              "autoscaling.knative.dev/min-scale": `${pods}`,
              "autoscaling.knative.dev/initial-scale": `${pods}`,
            },
          },
          spec: {
            timeoutSeconds: 60,
            containers: [
              {
                image: "drydock/host",
                command: [process.execPath, join(root, "test/storm/model.mjs")],
                ports: [port],
                env: [{ name: "SPEAKS", value: speaks === "h2c" ? "grpc" : "http" }],
              },
            ],
          },
        },
      },
    }),
  );
}

async function must(answer) {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`the API answered ${status}: ${body?.message ?? body}`);
  return body;
}

/** Ready with that many revisions, the last one serving. */
async function ready(api, name, revisions) {
  let last;
  await until(`${name} to be ready for revision ${revisions}`, async () => {
    last = await must(api.call("GET", `${services}/${name}`));
    const { status = {}, metadata } = last;
    const isReady = status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
    return (
      isReady &&
      status.observedGeneration === metadata.generation &&
      status.latestReadyRevisionName === status.latestCreatedRevisionName &&
      status.latestCreatedRevisionName.endsWith(String(revisions).padStart(5, "0"))
    );
  }).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last?.status?.conditions)}`);
  });
}

async function podOf(api, pid) {
  const { items } = await must(api.call("GET", "/api/v1/namespaces/default/pods"));
  const home = environmentOf(pid).find((setting) => setting.startsWith("HOSTNAME="));
  return items.find(({ metadata }) => home === `HOSTNAME=${metadata.name}`)?.metadata.name;
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** Every revision that serves has all its pods again. */
async function enough(api) {
  await until("the pods to be there again", async () => {
    const { items } = await must(api.call("GET", "/api/v1/namespaces/default/pods"));
    const up = items.filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    const of = (name) =>
      up.filter(({ metadata }) => metadata.labels["serving.knative.dev/service"] === name).length;
    return of("http") >= pods && of("grpc") >= pods;
  });
}

function gatewayPid() {
  return instance.members().find(({ role, pid }) => role === "gateway" && pid === recordedGateway())?.pid;
}

function recordedGateway() {
  try {
    return JSON.parse(readFileSync(join(home, "instance.json"), "utf8")).gateway.pid;
  } catch {
    return undefined;
  }
}

async function until(what, holds) {
  const startedMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedMs > readyWithinMs) throw new Error(`waited in vain for ${what}`);
    await wait(25);
  }
}

function logTail() {
  try {
    return readFileSync(join(home, "drydock.log"), "utf8").split("\n").slice(-30).join("\n");
  } catch {
    return "";
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
