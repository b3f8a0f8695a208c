// Asking a container how it is: by HTTP, TCP, command or gRPC. Texts follow the real kubelet's, which users search for.

import { request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { HTTPGetAction } from "../../domain/apis/core/container.types.js";
import { probeOutputBytes } from "../limits.js";

export type Answer = { readonly isWell: true } | { readonly isWell: false; readonly because: string };

const well: Answer = { isWell: true };
const unwell = (because: string): Answer => ({ isWell: false, because });

/** Behind a forwarder everybody can connect: it hangs up within `settleMs` when nobody listens behind it. */
export function askTcp(host: string, port: number, timeoutMs: number, settleMs = 0): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: Answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(unwell(`dial tcp ${host}:${port}: i/o timeout`)));
    socket.once("connect", () => {
      if (settleMs === 0) return end(well);
      setTimeout(() => end(well), settleMs).unref();
      socket.once("data", () => end(well));
      socket.once("close", () => end(unwell(`dial tcp ${host}:${port}: connect: connection refused`)));
    });
    socket.once("error", (error) => end(unwell(dialError(host, port, error))));
  });
}

export function askHttp(
  action: HTTPGetAction,
  host: string,
  port: number,
  timeoutMs: number,
): Promise<Answer> {
  const isTls = action.scheme === "HTTPS";
  const path = action.path ?? "/";
  const url = `${isTls ? "https" : "http"}://${host}:${port}${path.startsWith("/") ? path : `/${path}`}`;
  const headers: Record<string, string> = {
    "user-agent": "kube-probe/1.34",
    accept: "*/*",
    connection: "close",
  };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    const ask = isTls ? httpsRequest : httpRequest;
    // A pod's certificate names the pod, not this address; the real kubelet does not check it either.
    const request = ask(url, { headers, agent: false, rejectUnauthorized: false }, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 400 ? well : unwell(`HTTP probe failed with statuscode: ${status}`));
    });
    request.setTimeout(timeoutMs, () =>
      request.destroy(
        new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
      ),
    );
    request.once("error", (error) => {
      const said =
        "code" in error && error.code === "ECONNREFUSED" ? dialError(host, port, error) : error.message;
      resolve(unwell(`Get ${JSON.stringify(url)}: ${said}`));
    });
    request.end();
  });
}

/** grpc.health.v1.Health/Check, by hand: one string in, one enum out. */
export function askGrpc(service: string, host: string, port: number, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${host}:${port}`);
    const end = (answer: Answer) => {
      clearTimeout(deadline);
      session.destroy();
      resolve(answer);
    };
    const address = `${host}:${port}`;
    const deadline = setTimeout(
      () =>
        end(
          unwell(`timeout: failed to connect service ${JSON.stringify(address)} within ${timeoutMs / 1000}s`),
        ),
      timeoutMs,
    );
    session.once("error", (error) => end(unwell(`error: ${dialError(host, port, error)}`)));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const body: Buffer[] = [];
    let status: string | undefined;
    const noteStatus = (headers: { readonly [name: string]: unknown }) => {
      const said = headers["grpc-status"];
      if (said !== undefined) status = String(said);
    };
    stream.on("response", noteStatus);
    stream.on("trailers", noteStatus);
    stream.on("data", (chunk: Buffer) => void body.push(chunk));
    stream.once("error", (error) => end(unwell(`error: ${error.message}`)));
    stream.once("end", () => end(healthAnswer(status, Buffer.concat(body))));
    stream.end(healthRequest(service));
  });
}

function healthRequest(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, 127);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.of(0x0a, name.length), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

function healthAnswer(status: string | undefined, body: Buffer): Answer {
  if (status === "12") {
    return unwell("error: this server does not implement the grpc health protocol (grpc.health.v1.Health)");
  }
  if (status !== "0") return unwell(`error: health rpc failed: rpc error: code = ${status ?? "unknown"}`);
  // The answer is field 1 as a varint; left out, it is 0.
  const value = body.length >= 7 && body[5] === 0x08 ? body[6] : 0;
  if (value === 1) return well;
  const word = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"][value ?? 0] ?? String(value);
  return unwell(`service unhealthy (responded with "${word}")`);
}

export function execAnswer(exitCode: number, output: Buffer): Answer {
  return exitCode === 0
    ? well
    : unwell(output.subarray(0, probeOutputBytes).toString().trim() || `exit status ${exitCode}`);
}

function dialError(host: string, port: number, error: Error): string {
  const refused = "code" in error && error.code === "ECONNREFUSED";
  return `dial tcp ${host}:${port}: connect: ${refused ? "connection refused" : error.message}`;
}
