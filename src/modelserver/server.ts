/**
 * Serves one loaded model over HTTP. It is handed a backend that is ready, so a port that answers is a model that
 * answers. The hot path is short on purpose: one comparison of the path, one parse, no log line.
 */

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Backend } from "./backend.js";
import { batcher } from "./batcher.js";
import { readBody } from "./body.js";
import { firstLine, messageOf, modelNotFound, modelNotReady, RequestError, StartupError } from "./errors.js";
import { drainMs, drainPollMs } from "./limits.js";
import { metricsOf } from "./metrics.js";
import { methodOf, type Route, routeOf } from "./routes.js";
import { parseJson, readInstances } from "./v1.js";
import { FieldErrors, inferResponse, readInferRequest } from "./v2.js";

export interface ServerOptions {
  readonly modelName: string;
  readonly host: string;
  readonly port: number;
  readonly maxBatchRows: number;
  readonly maxBodyBytes: number;
  readonly keepAliveSeconds: number;
}

export interface ModelServer {
  readonly port: number;
  /** Finishes what is in flight, takes nothing new. */
  stop(): Promise<void>;
}

/** Clients of the V2 protocol compare the name; the version is ours. */
const serverVersion = "0.1.0";
const metricsType = "text/plain; version=0.0.4; charset=utf-8";

type Reply = (status: number, body: string, type?: string) => void;

export async function serveModel(backend: Backend, options: ServerOptions): Promise<ModelServer> {
  const { modelName, maxBodyBytes } = options;
  const metrics = metricsOf(modelName);
  const batch = batcher(backend, options.maxBatchRows);
  const predictPath = `/v1/models/${modelName}:predict`;
  let state: "serving" | "stopping" | "dead" = "serving";
  let inFlight = 0;

  const server = createServer({ keepAliveTimeout: options.keepAliveSeconds * 1000 }, (request, response) => {
    inFlight += 1;
    response.on("close", () => {
      inFlight -= 1;
    });
    const reply: Reply = (status, body, type = "application/json") => {
      if (state !== "serving") response.shouldKeepAlive = false;
      response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
      response.end(body);
    };
    const url = request.url ?? "/";
    const work =
      url === predictPath && request.method === "POST"
        ? predict(request, reply)
        : dispatch(request, response, reply);
    work.catch((error: unknown) => replyError(request, response, reply, error));
  });

  async function predict(request: IncomingMessage, reply: Reply): Promise<void> {
    const payload = parseJson(await readBody(request, maxBodyBytes));
    if (state === "dead") throw modelNotReady(modelName);
    const startMs = performance.now();
    const prepared = backend.prepare(readInstances(payload));
    const preparedMs = performance.now();
    const predictions = await batch.submit(prepared);
    const predictedMs = performance.now();
    const body = JSON.stringify({ predictions });
    metrics.preprocess.observe((preparedMs - startMs) / 1000);
    metrics.predict.observe((predictedMs - preparedMs) / 1000);
    metrics.postprocess.observe((performance.now() - predictedMs) / 1000);
    reply(200, body);
  }

  async function infer(request: IncomingMessage, reply: Reply): Promise<void> {
    const startMs = performance.now();
    const payload = parseJson(await readBody(request, maxBodyBytes));
    if (state === "dead") throw modelNotReady(modelName);
    const { id, inputs, outputs } = readInferRequest(payload, modelName, backend.outputs);
    const preparedMs = performance.now();
    const answers = await backend.infer(inputs, outputs);
    const predictedMs = performance.now();
    const body = JSON.stringify(inferResponse(modelName, id ?? randomUUID(), answers));
    metrics.preprocess.observe((preparedMs - startMs) / 1000);
    metrics.predict.observe((predictedMs - preparedMs) / 1000);
    metrics.postprocess.observe((performance.now() - predictedMs) / 1000);
    reply(200, body);
  }

  async function dispatch(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    const route = routeOf(path);
    if (route === undefined) return reply(404, '{"detail":"Not Found"}');
    if (request.method !== methodOf(route)) {
      response.setHeader("allow", methodOf(route));
      return reply(405, '{"detail":"Method Not Allowed"}');
    }
    checkModel(route);
    if (request.method === "GET") {
      const text = route.kind === "metrics";
      return text ? reply(200, metrics.text(), metricsType) : reply(200, JSON.stringify(describe(route)));
    }
    if (route.kind === "v1Predict") return predict(request, reply);
    if (route.kind === "v2Infer") return infer(request, reply);
    throw new RequestError(501, `Model ${modelName} does not implement explain.`);
  }

  function describe(route: Route): unknown {
    switch (route.kind) {
      case "alive":
        return { status: "alive" };
      case "v1Models":
      case "v2Models":
        return { models: [modelName] };
      case "v2Server":
        return { name: "kserve", version: serverVersion, extensions: ["model_repository_extension"] };
      case "v2Live":
        return { live: true };
      case "v2Ready":
        if (state === "dead") throw new RequestError(503, "Server is not ready.");
        return { ready: true };
      case "v1Model":
      case "v2ModelReady":
        if (state === "dead") throw modelNotReady(modelName);
        return { name: modelName, ready: true };
      case "v2Model": {
        const { platform, inputs, outputs } = backend;
        return { name: modelName, versions: null, platform, inputs, outputs };
      }
      case "metrics":
      case "v1Predict":
      case "v1Explain":
      case "v2Infer":
        throw new Error(`${route.kind} has no description`);
    }
  }

  function checkModel(route: Route): void {
    if (!("model" in route)) return;
    if (route.version !== undefined) throw new RequestError(501, "Model versioning not supported yet.");
    if (route.model !== modelName) throw modelNotFound(route.model);
  }

  await listen();
  void backend.died.then(() => {
    state = "dead";
  });

  async function listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const where = `${options.host}:${options.port}`;
        const because = error.code === "EADDRINUSE" ? "the port is in use" : firstLine(error.message);
        reject(new StartupError(`Cannot listen on ${where}: ${because}`, { cause: error }));
      });
      server.listen(options.port, options.host, 1024, resolve);
    });
  }

  async function stop(): Promise<void> {
    if (state === "serving") state = "stopping";
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const deadlineMs = performance.now() + drainMs;
    while (inFlight > 0 && performance.now() < deadlineMs) await wait(drainPollMs);
    server.closeAllConnections();
    await closed;
  }

  return { port: (server.address() as AddressInfo).port, stop };
}

function replyError(request: IncomingMessage, response: ServerResponse, reply: Reply, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  // An unread body would be taken for the next request on this connection.
  if (!request.complete) response.shouldKeepAlive = false;
  if (error instanceof RequestError) reply(error.status, JSON.stringify({ error: error.message }));
  else if (error instanceof FieldErrors) reply(422, JSON.stringify({ detail: error.errors }));
  else
    reply(
      500,
      JSON.stringify({ error: `${error instanceof Error ? error.name : "Error"} : ${messageOf(error)}` }),
    );
}
