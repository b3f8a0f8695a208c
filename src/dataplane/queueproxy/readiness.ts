// Whether the user's container is ready, asked as its readiness probe says. Callers that come while it is being asked
// share the answer.
import { request } from "node:http";
import { connect as connectH2 } from "node:http2";
import { request as secureRequest } from "node:https";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Probe } from "../../domain/apis/core/container.types.js";
import { aggressive } from "./limits.js";

export function readiness(
  probes: readonly Probe[],
  userPort: number,
  detectHttp2: boolean,
): () => Promise<boolean> {
  let asking: Promise<boolean> | undefined;
  const all = async () => {
    const answers = await Promise.all(probes.map((probe) => isReady(probe, userPort, detectHttp2)));
    return answers.every(Boolean);
  };
  return () => {
    asking ??= all().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

async function isReady(probe: Probe, userPort: number, detectHttp2: boolean): Promise<boolean> {
  const once = (timeoutMs: number) => ask(probe, userPort, detectHttp2, timeoutMs);
  // With a period the kubelet repeats and counts.
  if ((probe.periodSeconds ?? 0) > 0) return once((probe.timeoutSeconds ?? 1) * 1000);
  const wanted = Math.max(probe.successThreshold ?? 1, 1);
  const untilMs = performance.now() + aggressive.withinMs;
  for (let successes = 0; ; ) {
    successes = (await once(aggressive.timeoutMs)) ? successes + 1 : 0;
    if (successes >= wanted) return true;
    if (performance.now() >= untilMs) return false;
    await pause(aggressive.everyMs);
  }
}

function ask(probe: Probe, userPort: number, detectHttp2: boolean, timeoutMs: number): Promise<boolean> {
  const { httpGet, tcpSocket, grpc } = probe;
  if (httpGet !== undefined) {
    const port = Number(httpGet.port) || userPort;
    const get = {
      host: httpGet.host || "127.0.0.1",
      port,
      path: httpGet.path || "/",
      headers: {
        "user-agent": "kube-probe/queue-proxy",
        ...Object.fromEntries((httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value])),
      },
    };
    if (httpGet.scheme === "HTTPS") return askHttp(get, true, timeoutMs);
    if (!detectHttp2) return askHttp(get, false, timeoutMs);
    return askH2(get, timeoutMs).then((isFine) => isFine || askHttp(get, false, timeoutMs));
  }
  if (grpc !== undefined) return askGrpc(grpc.port || userPort, grpc.service ?? "", timeoutMs);
  // An exec probe is the kubelet's to run; here it is enough that somebody listens.
  return askTcp(tcpSocket?.host || "127.0.0.1", Number(tcpSocket?.port) || userPort, timeoutMs);
}

interface Get {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

function askTcp(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(timeoutMs, () => done(false));
    socket.on("connect", () => done(true));
    socket.on("error", () => done(false));
  });
}

function askHttp(get: Get, secure: boolean, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const open = secure ? secureRequest : request;
    // As the kubelet: a container's own certificate proves nothing here.
    const asked = open({ ...get, agent: false, ...(secure && { rejectUnauthorized: false }) });
    const timer = setTimeout(() => asked.destroy(new Error("too slow")), timeoutMs);
    const done = (isFine: boolean) => {
      clearTimeout(timer);
      resolve(isFine);
      asked.destroy();
    };
    asked.on("response", ({ statusCode = 0 }) => done(statusCode >= 200 && statusCode < 400));
    asked.on("error", () => done(false));
    asked.end();
  });
}

function askH2({ host, port, path, headers }: Get, timeoutMs: number): Promise<boolean> {
  return overH2(host, port, timeoutMs, { ":path": path, ...headers }, undefined, (answer) => {
    const status = Number(answer[":status"]);
    return status >= 200 && status < 400;
  });
}

/** grpc.health.v1.Health/Check: the service's name goes out, `status: SERVING` comes back. */
function askGrpc(port: number, service: string, timeoutMs: number): Promise<boolean> {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
  const headers = {
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  };
  const serving = Buffer.from([0x08, 0x01]);
  return overH2("127.0.0.1", port, timeoutMs, headers, frame, (_answer, body) =>
    body.subarray(5).includes(serving),
  );
}

function overH2(
  host: string,
  port: number,
  timeoutMs: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | undefined,
  judge: (headers: Readonly<Record<string, unknown>>, body: Buffer) => boolean,
): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connectH2(`http://${host}:${port}`);
    const timer = setTimeout(() => done(false), timeoutMs);
    const done = (isFine: boolean) => {
      clearTimeout(timer);
      resolve(isFine);
      session.destroy();
    };
    session.on("error", () => done(false));
    const stream = session.request(headers);
    const chunks: Buffer[] = [];
    let answer: Readonly<Record<string, unknown>> = {};
    stream.on("response", (given) => {
      answer = given;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => done(false));
    stream.on("end", () => done(judge(answer, Buffer.concat(chunks))));
    stream.end(body);
  });
}
