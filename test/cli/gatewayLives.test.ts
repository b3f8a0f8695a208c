// A gateway in a process of its own, as `drydock up` has it: what it logs, how it comes back, how it goes.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeAuthority } from "../../src/adapters/tls/certificates.js";
import type { Instance } from "../../src/cli/index.js";
import { slowModel } from "../autoscaling/model.js";
import { root } from "../sources.js";

let folder: string;
let instance: Instance;

async function drydock(...words: readonly string[]): Promise<{ readonly out: string; readonly err: string }> {
  const env = { ...process.env, DRYDOCK_HOME: folder, DRYDOCK_DRAIN_SECONDS: "3" };
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [join(root, "bin/drydock"), ...words],
    { env, cwd: root },
  );
  return { out: stdout, err: stderr };
}

async function apply(...manifests: readonly object[]): Promise<void> {
  const file = join(folder, "manifest.json");
  const { writeFile } = await import("node:fs/promises");
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }));
  await drydock("apply", "-f", file);
}

async function recorded(): Promise<Instance> {
  return JSON.parse(await readFile(join(folder, "instance.json"), "utf8")) as Instance;
}

/** Waits as long as it is told to, then answers. */
const model =
  "require('node:http').createServer((q, r) => setTimeout(() => r.end('waited'), Number(q.url.split('=')[1] ?? 0)))" +
  ".listen(process.env.PORT, '127.0.0.1')";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drydock-lives-"));
  await drydock("up", "--detach", "--api-port", "0", "--gateway-port", "0", "--gateway-tls-port", "0");
  instance = await recorded();
  await apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "patient", namespace: "default" },
    spec: {
      template: {
        metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1" } },
        spec: { containers: [{ image: "drydock/host", command: [process.execPath, "-e", model] }] },
      },
    },
  });
}, 90_000);
afterAll(async () => {
  await drydock("down");
  await rm(folder, { recursive: true, force: true });
});

function ask(waitMs: number, name = "patient", agent: Agent | false = false): Promise<string> {
  const { port } = new URL(instance.gateway.url);
  return new Promise((resolve, reject) => {
    const headers = { host: `${name}.default.localhost` };
    get({ host: "127.0.0.1", port, agent, path: `/?ms=${waitMs}`, headers }, (answer: IncomingMessage) => {
      let body = "";
      answer.on("data", (chunk) => {
        body += chunk;
      });
      answer.on("end", () => resolve(`${answer.statusCode} ${body}`));
      answer.on("error", reject);
    }).on("error", reject);
  });
}

test("requests are logged while config-observability says so", async () => {
  await expect.poll(() => ask(0).catch(String), { timeout: 30_000, interval: 100 }).toBe("200 waited");
  const lines = async () =>
    (await readFile(join(folder, "log/requests.log"), "utf8").catch(() => "")).trimEnd().split("\n");
  const configure = (data: object) =>
    apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "config-observability", namespace: "knative-serving" },
      data,
    });
  const template =
    "{{.Response.Code}} {{.Request.RequestURI}} {{.Revision.Namespace}}/{{.Revision.Service}}/{{.Revision.Name}} " +
    "{{.Revision.PodName}}@{{.Revision.PodIP}}";
  await configure({ "logging.enable-request-log": "true", "logging.request-log-template": template });
  const line = /^200 \/\?ms=1 default\/patient\/patient-00001 patient-00001-deployment-\S+@127\.0\.0\.1$/;
  await expect.poll(async () => (await ask(1)) && (await lines()).at(-1), { timeout: 10_000 }).toMatch(line);
  // A gateway that comes after this one logs as well.
  const before = (await lines()).length;
  process.kill(instance.gateway.pid as number, "SIGKILL");
  await expect
    .poll(async () => (await ask(1).catch(String)) && (await lines()).length, { timeout: 10_000 })
    .toBeGreaterThan(before);
  await configure({ "logging.enable-request-log": "false" });
  await expect
    .poll(
      async () => {
        const count = (await lines()).length;
        await ask(1);
        await wait(50);
        return (await lines()).length - count;
      },
      { timeout: 10_000 },
    )
    .toBe(0);
}, 60_000);

test("one at a time stays one at a time while a gateway takes over from another", async () => {
  await apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "single", namespace: "default" },
    spec: {
      template: {
        metadata: { annotations: { "autoscaling.knative.dev/max-scale": "1" } },
        spec: {
          containerConcurrency: 1,
          containers: [slowModel(1, 15)],
        },
      },
    },
  });
  const kept = new Agent({ keepAlive: true });
  const single = (agent: Agent | false) => ask(0, "single", agent);
  await expect.poll(() => single(false).catch(String), { timeout: 30_000, interval: 100 }).toBe("200 slept");
  const answers: string[] = [];
  let going = true;
  const askers = [kept, kept, kept, false as const, false as const].map(async (agent) => {
    while (going) answers.push(await single(agent).catch(String));
  });
  await wait(300);
  process.kill(instance.pid, "SIGUSR2");
  await expect
    .poll(async () => (await recorded()).gateway.pid, { timeout: 10_000 })
    .not.toBe(instance.gateway.pid);
  const before = answers.length;
  await expect.poll(() => answers.length - before, { timeout: 20_000 }).toBeGreaterThan(200);
  going = false;
  await Promise.all(askers);
  kept.destroy();
  expect(new Set(answers)).toEqual(new Set(["200 slept"]));
  instance = await recorded();
}, 60_000);

test("a gateway that was killed ends handshakes it has no certificate for", async () => {
  const { cert, key } = makeAuthority(Date.now()).sign({ commonName: "m" }, "server", ["m.test"]);
  const secret = (tls: string) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "m-cert", namespace: "knative-serving" },
    type: "kubernetes.io/tls",
    data: { "tls.crt": btoa(tls), "tls.key": btoa(key) },
  });
  await apply(secret(cert), {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "secure", namespace: "knative-serving" },
    spec: {
      selector: { istio: "ingressgateway" },
      servers: [
        {
          port: { number: 443, name: "https", protocol: "HTTPS" },
          hosts: ["*"],
          tls: { mode: "SIMPLE", credentialName: "m-cert" },
        },
      ],
    },
  });
  await expect.poll(async () => (await recorded()).gateway.httpsUrl, { timeout: 10_000 }).toBeDefined();
  const port = Number(new URL((await recorded()).gateway.httpsUrl ?? "").port);
  await expect.poll(() => handshake(port)).toBe("shaken hands");
  await apply(secret("broken"));
  const { pid } = (await recorded()).gateway;
  process.kill(pid as number, "SIGKILL");
  // Whoever connects meanwhile waits in the socket's queue, and must not wait for ever.
  expect(await handshake(port)).toMatch(/^ended: /);
  await apply(secret(cert));
  await expect.poll(() => handshake(port), { timeout: 10_000 }).toBe("shaken hands");
}, 60_000);

function handshake(port: number): Promise<string> {
  return new Promise((resolve) => {
    const done = (said: string) => {
      socket.destroy();
      resolve(said);
    };
    const options = { host: "127.0.0.1", port, servername: "m.test", rejectUnauthorized: false };
    const socket = connect(options, () => done("shaken hands"));
    socket.on("error", (error) => done(`ended: ${error.message}`));
    socket.on("close", () => done("ended: closed"));
    setTimeout(() => done("nobody answers"), 8_000).unref();
  });
}

test("down waits for what it can, says for what, and not for ever", async () => {
  const quick = ask(1_500);
  const endless = ask(60_000).then(
    (said) => said,
    (error: Error) => `cut: ${error.message}`,
  );
  await wait(300);
  const beganMs = performance.now();
  const { out, err } = await drydock("down");
  expect(out).toBe("Drydock is stopped.\n");
  expect(err).toContain("Waiting for 2 requests under way, for up to 3 s in all.\n");
  expect(await quick).toBe("200 waited");
  expect(await endless).toMatch(/^cut: /);
  expect(performance.now() - beganMs).toBeGreaterThan(2_900);
  expect(performance.now() - beganMs).toBeLessThan(12_000);
}, 60_000);
