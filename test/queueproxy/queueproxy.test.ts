// The queue-proxy as a cluster runs it: the real program with its environment, a real user server behind it.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, request, type Server } from "node:http";
import { connect as connectH2, createServer as createH2 } from "node:http2";
import { get as secureGet } from "node:https";
import { type AddressInfo, createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { ensurePki } from "../../src/adapters/tls/index.js";
import { ask, echo } from "../dataplane/testing.js";
import { root } from "../sources.js";

const program = join(root, "dist/cmd/queueproxy.js");
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function freePort(): Promise<number> {
  const server = createTcp();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function user(answer: RequestListener): Promise<number> {
  const server: Server = createServer(answer);
  await once(server.listen(0, "127.0.0.1"), "listening");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly tls: number;
  readonly admin: number;
  readonly stats: number;
  readonly metrics: number;
}

async function start(userPort: number, env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const [port, tls, admin, stats, metrics] = (await Promise.all([1, 2, 3, 4, 5].map(freePort))) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const child = spawn(process.execPath, [program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"],
      SERVING_NAMESPACE: "models",
      SERVING_SERVICE: "cat",
      SERVING_CONFIGURATION: "cat",
      SERVING_REVISION: "cat-00001",
      SERVING_POD: "cat-00001-pod",
      SERVING_POD_IP: "127.0.0.1",
      QUEUE_SERVING_PORT: String(port),
      QUEUE_SERVING_TLS_PORT: String(tls),
      USER_PORT: String(userPort),
      CONTAINER_CONCURRENCY: "0",
      REVISION_TIMEOUT_SECONDS: "300",
      REVISION_RESPONSE_START_TIMEOUT_SECONDS: "0",
      REVISION_IDLE_TIMEOUT_SECONDS: "0",
      DRYDOCK_QUEUE_ADMIN_PORT: String(admin),
      DRYDOCK_QUEUE_STATS_PORT: String(stats),
      DRYDOCK_QUEUE_METRICS_PORT: String(metrics),
      DRYDOCK_QUEUE_QUIET_MS: "300",
      ...env,
    },
  });
  ends.push(() => child.kill("SIGKILL"));
  await once(child.stdout!, "data");
  return { child, port, tls, admin, stats, metrics };
}

const kubelet = { "user-agent": "kube-probe/1.30", "k-network-probe": "queue" };

it("sends requests on as Knative's does", async () => {
  const { port } = await start(await user(echo));
  const heard = await ask(port, {
    method: "POST",
    path: "/v1/models/cat:predict?x=1",
    body: "{}",
    headers: {
      host: "10.1.2.3",
      "k-original-host": "cat.models.example.com",
      "k-proxy-request": "activator",
      "knative-serving-revision": "cat-00001",
      "knative-serving-namespace": "models",
      "x-forwarded-for": "192.0.2.1, 2001:db8::1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "cat.example.com",
    },
  });
  const seen = JSON.parse(heard.body);
  expect(seen).toMatchObject({ method: "POST", url: "/v1/models/cat:predict?x=1", body: "{}" });
  expect(seen.headers).toMatchObject({
    host: "cat.models.example.com",
    "k-proxy-request": "activator",
    "x-forwarded-for": "192.0.2.1, 2001:db8::1, 127.0.0.1",
    forwarded: 'for=192.0.2.1;host=cat.example.com;proto=https, for="[2001:db8::1]"',
  });
  for (const gone of ["knative-serving-revision", "knative-serving-namespace", "k-original-host"])
    expect(seen.headers).not.toHaveProperty(gone);
});

it("answers probes itself, and asks the container first", async () => {
  let asked = 0;
  let status = 500;
  const userPort = await user((message, response) => {
    asked += 1;
    expect(message.headers["user-agent"]).toMatch(/^kube-probe\//);
    response.statusCode = status;
    response.end();
  });
  const probe = { httpGet: { path: "/ready", port: userPort }, periodSeconds: 1, timeoutSeconds: 1 };
  const { port } = await start(userPort, { SERVING_READINESS_PROBE: JSON.stringify(probe) });
  expect(await ask(port, { headers: kubelet })).toMatchObject({ status: 503, body: "" });
  status = 204;
  expect(await ask(port, { headers: kubelet })).toMatchObject({ status: 200, body: "queue" });
  expect(asked).toBe(2);
  expect(await ask(port, { headers: { ...kubelet, "k-network-probe": "else" } })).toMatchObject({
    status: 400,
    body: "unexpected probe header value: else",
  });
  const ingress = { "k-network-probe": "probe", "k-network-hash": "abc" };
  expect(await ask(port, { headers: ingress })).toMatchObject({
    status: 200,
    headers: { "k-network-hash": "abc" },
  });
  expect((await ask(port, { headers: { "k-network-probe": "probe" } })).body).toContain("K-Network-Hash");
});

it("waits for a container that is not there yet, when its probe has no period", async () => {
  const userPort = await freePort();
  const probe = { tcpSocket: { host: "127.0.0.1", port: userPort } };
  const { port } = await start(userPort, { SERVING_READINESS_PROBE: JSON.stringify(probe) });
  const asking = ask(port, { headers: kubelet });
  await wait(200);
  const server = createServer().listen(userPort, "127.0.0.1");
  ends.push(() => server.close());
  expect(await asking).toMatchObject({ status: 200, body: "queue" });
});

it("lets so many through and no more, queues ten times as many, and turns the rest away", async () => {
  let now = 0;
  let most = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const userPort = await user(async (_, response) => {
    now += 1;
    most = Math.max(most, now);
    await opened;
    now -= 1;
    response.end();
  });
  const { port } = await start(userPort, { CONTAINER_CONCURRENCY: "1" });
  const statuses: number[] = [];
  const asked = Array.from({ length: 15 }, async () => {
    const heard = await ask(port);
    statuses.push(heard.status);
    if (heard.status === 503) expect(heard.body).toContain("pending request queue full");
  });
  await expect.poll(() => statuses.length, { timeout: 5_000 }).toBe(4);
  open();
  await Promise.all(asked);
  expect(statuses.sort()).toEqual([...Array(11).fill(200), 503, 503, 503, 503]);
  expect(most).toBe(1);
});

it.each([
  ["REVISION_TIMEOUT_SECONDS", "timeoutSeconds"],
  ["REVISION_RESPONSE_START_TIMEOUT_SECONDS", "responseStartTimeoutSeconds"],
  ["REVISION_IDLE_TIMEOUT_SECONDS", "idleTimeoutSeconds"],
])("%s ends what takes longer", async (name, said) => {
  const { port } = await start(await user(() => {}), { [name]: "1" });
  const began = performance.now();
  const heard = await ask(port);
  expect(heard.status).toBe(504);
  expect(heard.body).toContain(`"request timeout: ${said} (1 s)`);
  expect(performance.now() - began).toBeGreaterThan(990);
  expect(performance.now() - began).toBeLessThan(1_400);
});

it("speaks to the container as it is spoken to: HTTP/2 stays HTTP/2", async () => {
  const server = createH2();
  server.on("stream", (stream, headers) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(String(headers[":authority"]));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  ends.push(() => server.close());
  const { port } = await start((server.address() as AddressInfo).port);
  const session = connectH2(`http://127.0.0.1:${port}`);
  ends.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/a.B/C",
    ":authority": "cat.test",
    te: "trailers",
  });
  const trailers = once(stream, "trailers");
  let body = "";
  stream.on("data", (chunk) => {
    body += chunk;
  });
  stream.end();
  expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
  expect(body).toBe("cat.test");
});

it("tells the autoscaler what it has, in protobuf", async () => {
  const { port, stats, metrics } = await start(
    await user((_, response) => setTimeout(() => response.end(), 2_500)),
  );
  for (const headers of [{ "k-proxy-request": "activator" }, {}]) ask(port, { headers }).catch(() => {});
  await wait(2_200);
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    request({ port: stats, host: "127.0.0.1", path: "/metrics" }, (message) => {
      expect(message.headers["content-type"]).toBe("application/protobuf");
      const chunks: Buffer[] = [];
      message.on("data", (chunk: Buffer) => chunks.push(chunk));
      message.on("end", () => resolve(Buffer.concat(chunks)));
    })
      .on("error", reject)
      .end();
  });
  const name = Buffer.from("cat-00001-pod");
  expect(bytes.subarray(0, 2 + name.length)).toEqual(Buffer.concat([Buffer.from([0x0a, name.length]), name]));
  const fields = doubles(bytes.subarray(2 + name.length));
  expect(fields.get(2)).toBeCloseTo(2, 1);
  expect(fields.get(3)).toBeCloseTo(1, 1);
  expect(fields.get(6)).toBeGreaterThan(0.9);
  expect((await ask(metrics)).body).toContain(
    'drydock_revision_active{namespace="models",revision="cat-00001"} 2',
  );
});

function doubles(bytes: Buffer): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = 0; at < bytes.length && (bytes[at]! & 7) === 1; at += 9)
    found.set(bytes[at]! >> 3, bytes.readDoubleLE(at + 1));
  return found;
}

it("drains: no to probes, yes to requests, gone when it has been quiet", async () => {
  const userPort = await user((_, response) => setTimeout(() => response.end("late"), 150));
  const { port, admin, child } = await start(userPort);
  const stopped = ask(admin, { path: "/wait-for-drain" });
  await wait(50);
  child.kill("SIGTERM");
  await wait(50);
  expect(await ask(port, { headers: kubelet })).toMatchObject({ status: 503, body: "shutting down" });
  expect(await ask(port)).toMatchObject({ status: 200, body: "late" });
  const last = ask(port);
  const ended = once(child, "exit");
  expect((await stopped).status).toBe(200);
  expect(await last).toMatchObject({ status: 200 });
  expect((await ended)[0]).toBe(0);
});

it("goes on when only the container was started again", async () => {
  const { port, admin } = await start(await user((_, response) => response.end("on")), {
    DRYDOCK_QUEUE_QUIET_MS: "60000",
  });
  expect((await ask(admin, { path: "/wait-for-drain" })).status).toBe(200);
  expect(await ask(port, { headers: kubelet })).toMatchObject({ status: 200, body: "queue" });
});

it("speaks TLS where a certificate is mounted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-queue-"));
  ends.push(() => rmSync(folder, { recursive: true }));
  const clock = { now: () => Date.now(), after: () => () => {} };
  const pki = await ensurePki({ folder: join(folder, "pki"), hosts: ["127.0.0.1"], clock });
  writeFileSync(join(folder, "tls.crt"), pki.server.cert);
  writeFileSync(join(folder, "tls.key"), pki.server.key);
  const { tls } = await start(await user((_, response) => response.end("safe")), {
    DRYDOCK_QUEUE_CERTIFICATES: folder,
  });
  const body = await new Promise<string>((resolve, reject) => {
    secureGet({ port: tls, host: "127.0.0.1", ca: pki.ca, agent: false }, (message) => {
      let text = "";
      message.on("data", (chunk) => {
        text += chunk;
      });
      message.on("end", () => resolve(text));
    }).on("error", reject);
  });
  expect(body).toBe("safe");
});

it("names every variable that is wrong", () => {
  const ran = spawnSync(process.execPath, [program], {
    encoding: "utf8",
    env: { QUEUE_SERVING_PORT: "x", SERVING_READINESS_PROBE: "{", SERVING_POD: "p" },
  });
  expect(ran.status).toBe(2);
  for (const wrong of ["SERVING_NAMESPACE", "USER_PORT", "QUEUE_SERVING_PORT", "SERVING_READINESS_PROBE"])
    expect(ran.stderr).toContain(wrong);
});
