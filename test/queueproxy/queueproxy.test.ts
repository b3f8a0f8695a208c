// The queue-proxy as a cluster runs it: the real program with its environment, a real user server behind it.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { connect as connectH2, createServer as createH2 } from "node:http2";
import { get as secureGet } from "node:https";
import { type AddressInfo, createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeAuthority } from "../../src/adapters/tls/certificates.js";
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
  readonly profiling: number;
  /** What it wrote so far: to the pod's log, and beside it. */
  readonly said: { readonly requests: string; readonly log: string };
}

async function start(userPort: number, env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const ports = await Promise.all(Array.from({ length: 6 }, freePort));
  const [port = 0, tls = 0, admin = 0, stats = 0, metrics = 0, profiling = 0] = ports;
  const child = spawn(process.execPath, [program], {
    stdio: ["ignore", "pipe", "pipe"],
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
      DRYDOCK_QUEUE_PROFILING_PORT: String(profiling),
      DRYDOCK_QUEUE_QUIET_MS: "300",
      ...env,
    },
  });
  ends.push(() => child.kill("SIGKILL"));
  const said = { requests: "", log: "" };
  child.stdout.on("data", (text) => {
    said.requests += text;
  });
  child.stderr.on("data", (text) => {
    said.log += text;
  });
  await expect.poll(() => said.log, { timeout: 5_000, interval: 10 }).toContain("listening on");
  return { child, port, tls, admin, stats, metrics, profiling, said };
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

describe("with a certificate", () => {
  const authority = makeAuthority(Date.now());
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-queue-"));
    ends.push(() => rmSync(folder, { recursive: true }));
    mount();
  });

  function mount(): void {
    const { cert, key } = authority.sign({ commonName: "cat" }, "server", ["127.0.0.1"]);
    writeFileSync(join(folder, "tls.crt"), cert);
    writeFileSync(join(folder, "tls.key"), key);
  }

  async function startSecure(env: Readonly<Record<string, string>> = {}): Promise<Running> {
    const userPort = await user((_, response) => response.end("safe"));
    return start(userPort, { DRYDOCK_QUEUE_CERTIFICATES: folder, ...env });
  }

  function shake(port: number, more: object = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket: TLSSocket = connectTls({ port, host: "127.0.0.1", ca: authority.cert, ...more }, () =>
        resolve(socket),
      );
      ends.push(() => socket.destroy());
      socket.on("error", reject);
    });
  }

  it("speaks TLS", async () => {
    const { tls } = await startSecure();
    const body = await new Promise<string>((resolve, reject) => {
      secureGet({ port: tls, host: "127.0.0.1", ca: authority.cert, agent: false }, (message) => {
        let text = "";
        message.on("data", (chunk) => {
          text += chunk;
        });
        message.on("end", () => resolve(text));
      }).on("error", reject);
    });
    expect(body).toBe("safe");
    await expect(shake(tls, { maxVersion: "TLSv1.2" })).rejects.toThrow();
  });

  it("keeps to the versions, suites and curves it is told", async () => {
    const { tls } = await startSecure({
      QUEUE_PROXY_TLS_MIN_VERSION: "1.2",
      QUEUE_PROXY_TLS_CIPHER_SUITES:
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
      QUEUE_PROXY_TLS_CURVE_PREFERENCES: "CurveP384",
    });
    const older = await shake(tls, { maxVersion: "TLSv1.2" });
    expect(older.getCipher().name).toMatch(/AES256-GCM-SHA384$/);
    expect(older.getEphemeralKeyInfo()).toMatchObject({ name: "secp384r1" });
    expect((await shake(tls)).getProtocol()).toBe("TLSv1.3");
    await expect(shake(tls, { ecdhCurve: "X25519" })).rejects.toThrow();
    const others = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256";
    await expect(shake(tls, { maxVersion: "TLSv1.2", ciphers: others })).rejects.toThrow();
  });

  it("takes a new certificate as it is mounted, and keeps the connections it has", async () => {
    const { tls, said } = await startSecure({ DRYDOCK_QUEUE_CERTIFICATE_LOOK_MS: "30" });
    const kept = await shake(tls);
    const before = kept.getPeerCertificate().serialNumber;
    mount();
    await expect.poll(() => said.log, { timeout: 5_000 }).toContain("the certificate was read anew");
    expect((await shake(tls)).getPeerCertificate().serialNumber).not.toBe(before);
    const answer = once(kept, "data");
    kept.write("GET / HTTP/1.1\r\nHost: cat\r\n\r\n");
    expect(String((await answer)[0])).toContain("200");
  });
});

it("logs requests in the shape it is told, and probes only when told", async () => {
  const userPort = await user((message, response) => {
    message.resume().on("end", () => response.writeHead(201).end("made"));
  });
  const requestLogTemplate =
    '{"url": "{{js .Request.RequestURI}}", "size": {{.Request.ContentLength}}, "code": {{.Response.Code}}, ' +
    '"bytes": {{.Response.Size}}, "took": {{printf "%.6f" .Response.Latency}}, "of": "{{.Revision.Namespace}}/' +
    '{{.Revision.Configuration}}/{{.Revision.Name}}/{{.Revision.PodName}}@{{.Revision.PodIP}}", ' +
    '"user": "{{.Request.Header.Get "X-User"}}", "proto": "{{.Request.Proto}}", "trace": "{{.TraceID}}"}';
  const config = (more: object) => JSON.stringify({ enableRequestLog: true, requestLogTemplate, ...more });
  const quiet = await start(userPort, { OBSERVABILITY_CONFIG: config({}) });
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const headers = { "x-user": "ada", traceparent: `00-${trace}-b7ad6b7169203331-01` };
  await ask(quiet.port, { headers: kubelet });
  await ask(quiet.port, { method: "POST", path: "/v1/x?y='1'", body: "12345", headers });
  await expect.poll(() => quiet.said.requests).toContain("\n");
  const lines = quiet.said.requests.trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!.replaceAll("\\'", "'"))).toEqual({
    url: "/v1/x?y='1'",
    size: 5,
    code: 201,
    bytes: 4,
    took: expect.any(Number),
    of: "models/cat/cat-00001/cat-00001-pod@127.0.0.1",
    user: "ada",
    proto: "HTTP/1.1",
    trace,
  });

  const chatty = await start(userPort, {
    OBSERVABILITY_CONFIG: config({ enableProbeRequestLog: true, requestLogTemplate: "{{.Request.Nothing}}" }),
  });
  await ask(chatty.port, { path: "/healthz", headers: kubelet });
  await expect
    .poll(() => chatty.said.requests)
    .toMatch(
      /^Invalid request log template: method: GET, response code: 200, latency: [\d.e-]+, url: \/healthz\n$/,
    );
});

it("is profiled where Knative's runtime-profiling says so", async () => {
  const userPort = await user(echo);
  const { profiling } = await start(userPort, {
    OBSERVABILITY_CONFIG: JSON.stringify({ Runtime: { profiling: "enabled" } }),
  });
  const taking = ask(profiling, { path: "/debug/pprof/profile?seconds=0.1" });
  await wait(30);
  expect((await ask(profiling, { path: "/debug/pprof/heap" })).status).toBe(503);
  const taken = await taking;
  expect(taken.status).toBe(200);
  expect(JSON.parse(taken.body)).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) });
  expect(await ask(profiling, { path: "/debug/pprof/goroutine" })).toMatchObject({
    status: 404,
    body: expect.stringContaining("/debug/pprof/profile?seconds=N"),
  });
  expect((await ask(profiling, { path: "/debug/pprof/profile?seconds=1e9" })).status).toBe(400);
  const unasked = await start(userPort);
  await expect(ask(unasked.profiling)).rejects.toThrow("ECONNREFUSED");
});

it("carries both ways at once: an answer may begin before the request has ended", async () => {
  const userPort = await user((message, response) => message.pipe(response));
  const { port } = await start(userPort, { ENABLE_HTTP_FULL_DUPLEX: "true" });
  const asking = request({ port, host: "127.0.0.1", method: "POST" });
  ends.push(() => asking.destroy());
  asking.write("first");
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  expect(String((await once(answer, "data"))[0])).toBe("first");
  asking.end("last");
  expect(String((await once(answer, "data"))[0])).toBe("last");
});

it("asks every container when several are probed", async () => {
  const userPort = await user((_, response) => response.end());
  const other = await freePort();
  const probes = [userPort, other].map((port) => ({
    tcpSocket: { host: "127.0.0.1", port },
    periodSeconds: 1,
  }));
  const { port } = await start(userPort, {
    SERVING_READINESS_PROBE: JSON.stringify(probes),
    ENABLE_MULTI_CONTAINER_PROBES: "true",
  });
  expect((await ask(port, { headers: kubelet })).status).toBe(503);
  const server = createServer().listen(other, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => server.close());
  expect((await ask(port, { headers: kubelet })).status).toBe(200);
});

it("writes its own lines as Zap's settings say", async () => {
  const { said } = await start(await user(echo), {
    HOST_IP: "10.0.0.7",
    SERVING_LOGGING_CONFIG: JSON.stringify({
      level: "error",
      encoderConfig: { timeKey: "ts", levelKey: "level", nameKey: "", messageKey: "msg" },
    }),
    SERVING_LOGGING_LEVEL: "info",
  });
  expect(JSON.parse(said.log)).toEqual({
    level: "INFO",
    ts: expect.stringMatching(/^\d{4}-/),
    msg: expect.stringMatching(/^listening on \d+, on the node 10\.0\.0\.7$/),
    "knative.dev/key": "models/cat-00001",
    "knative.dev/pod": "cat-00001-pod",
  });
});

it("names every variable that is wrong, and why", () => {
  const wrong = {
    QUEUE_SERVING_PORT: "x",
    SERVING_READINESS_PROBE: "{",
    SERVING_POD_IP: "here",
    HOST_IP: "1.2.3",
    ENABLE_HTTP_FULL_DUPLEX: "maybe",
    ENABLE_HTTP2_AUTO_DETECTION: "maybe",
    ROOT_CA: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    SERVING_LOGGING_CONFIG: "[]",
    SERVING_LOGGING_LEVEL: "loud",
    QUEUE_PROXY_TLS_MIN_VERSION: "1.3",
    QUEUE_PROXY_TLS_MAX_VERSION: "1.2",
    QUEUE_PROXY_TLS_CIPHER_SUITES: "TLS_ROT13",
    QUEUE_PROXY_TLS_CURVE_PREFERENCES: "CurveP128",
    OBSERVABILITY_CONFIG: JSON.stringify({
      enableRequestLog: true,
      requestLogTemplate: "{{.Request",
      runtime: { profiling: "sometimes" },
    }),
  };
  const ran = spawnSync(process.execPath, [program], {
    encoding: "utf8",
    env: { ...wrong, SERVING_POD: "p" },
  });
  expect(ran.status).toBe(2);
  for (const name of ["SERVING_NAMESPACE", "USER_PORT", ...Object.keys(wrong)])
    expect(ran.stderr).toContain(name);
  expect(ran.stderr).toContain("requestLogTemplate: template: requestLog:1: unclosed action");
  expect(ran.stderr).toContain('unsupported profile setting "sometimes"');
  const lists = { SERVING_READINESS_PROBE: "[{}]", QUEUE_PROXY_TLS_MIN_VERSION: "1.0", ROOT_CA: "x" };
  const again = spawnSync(process.execPath, [program], { encoding: "utf8", env: lists });
  expect(again.stderr).toContain("is a list, but ENABLE_MULTI_CONTAINER_PROBES is not true");
  expect(again.stderr).toContain('QUEUE_PROXY_TLS_MIN_VERSION: "1.0" is no TLS version');
  expect(again.stderr).toContain("ROOT_CA holds no certificate in PEM");
});
