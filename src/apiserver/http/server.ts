// The listener: TLS, who is there, and one answer for each request. Nothing is said to strangers.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock, Log, PodRuntime } from "../../ports/index.js";
import { makeAuthenticator } from "../auth/authenticate.js";
import { makeAuthorizer } from "../auth/authorize.js";
import { makeTokens } from "../auth/tokens.js";
import { limits } from "../limits.js";
import type { Registry, User } from "../registry/index.js";
import { isStatus, refusal, statusOf } from "../status.js";
import { makeUpgrades } from "../streams/upgrade.js";
import { reviews } from "../virtual/reviews.js";
import { usage } from "../virtual/usage.js";
import type { Call, House } from "./call.js";
import { makeDiscovery } from "./discovery.js";
import { impersonated } from "./impersonate.js";
import { makeMeter } from "./meter.js";
import { makeOpenApi } from "./openapi.js";
import { addressOf } from "./path.js";
import { answerError } from "./respond.js";
import { type Routes, route } from "./router.js";

export interface ApiServerOptions {
  readonly registry: Registry;
  readonly host: string;
  /** 0 takes any free port; `url` then says which. */
  readonly port: number;
  readonly tls: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
  };
  readonly auth: {
    /** The administrator's bearer token. */
    readonly token: string;
    /** PEM of a P-256 key; signs ServiceAccount tokens. */
    readonly serviceAccountKey: string;
  };
  /** What runs pods; without it, their logs and streams answer 503. */
  readonly podRuntime?: PodRuntime | undefined;
  /** Lines for /metrics from whoever works beside this server. */
  readonly figures?: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ApiServer {
  readonly url: string;
  readonly port: number;
  /** Ends every connection, streams included. The registry stays open: it is the caller's. */
  close(): Promise<void>;
}

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { registry, clock, log, podRuntime, auth, tls } = options;
  const tokens = makeTokens(auth.serviceAccountKey);
  const authenticator = makeAuthenticator(registry, tokens, auth.token);
  const authorizer = makeAuthorizer(registry);
  const meter = makeMeter();
  const house: House = {
    registry,
    clock,
    random: registry.random,
    log,
    podRuntime,
    tokens,
    authorizer,
    meter,
    figures: options.figures ?? (async () => []),
  };
  const virtuals = [...reviews(authenticator), ...(podRuntime === undefined ? [] : usage(podRuntime))];
  const routes: Routes = {
    plain: { discovery: makeDiscovery(registry.served, virtuals), openapi: makeOpenApi(registry.served) },
    virtuals,
  };

  const callOf = (request: IncomingMessage, response: ServerResponse): Call => {
    const { path, query } = addressOf(request.url ?? "/");
    const user: User = authenticator.user(request) ?? nobody;
    return { house, request, response, path, query, user, warnings: [] };
  };

  const admit = (call: Call): Call => {
    refuseBrowsers(call.request);
    if (call.user === nobody) throw refusal("Unauthorized", "Unauthorized");
    const { headers, rawHeaders } = call.request;
    return { ...call, user: impersonated(call.user, headers, rawHeaders, authorizer) };
  };

  const server = createServer({
    cert: tls.cert,
    key: tls.key,
    ca: tls.ca,
    requestCert: true,
    // A client without a certificate may still have a token; the certificate's worth is judged per request.
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
  });
  server.maxHeadersCount = 200;

  server.on("request", (request, response) => {
    const startMs = clock.now();
    response.setHeader("Audit-Id", randomUUID());
    let call: Call;
    try {
      call = callOf(request, response);
    } catch {
      response.writeHead(400).end();
      return;
    }
    let verb = "";
    let resource = "";
    const answered = async () => {
      await route(admit(call), routes, (routed) => {
        ({ verb, resource } = routed);
      });
    };
    answered()
      .catch((error: unknown) => answerError(call, error))
      .catch((error: unknown) => {
        log.error("an answer could not be sent", { path: call.path, error: String(error) });
        response.destroy();
      })
      .finally(() => {
        const seconds = verb === "watch" ? 0 : (clock.now() - startMs) / 1000;
        meter.answered(verb, resource, response.statusCode, seconds);
      });
  });

  const sockets = new Set<Duplex>();
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  const upgrades = makeUpgrades(house);
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const refuse = (error: unknown) => {
      const status = statusOf(error);
      const text = `${JSON.stringify(isStatus(status) ? status : {})}\n`;
      socket.end(
        `HTTP/1.1 ${status.code ?? 500} ${status.reason ?? "Error"}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
      );
    };
    const taken = async () => {
      // An upgrade has no response of its own; nothing on these roads asks for one.
      const call = admit(callOf(request, undefined as unknown as ServerResponse));
      await upgrades.take(call, socket, head);
    };
    taken().catch(refuse);
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => log.error("the API listener failed", { error: String(error) }));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://${shownHost(options.host)}:${port}`,
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Stands for whoever showed nothing we know. */
const nobody: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** A page in a browser must not reach the API through its visitor, whatever name it gave this address. */
function refuseBrowsers({ headers }: IncomingMessage): void {
  const site = headers["sec-fetch-site"];
  const origin = headers.origin;
  const foreign = origin !== undefined && originHost(origin) !== headers.host;
  if (!foreign && (site === undefined || site === "none" || site === "same-origin")) return;
  throw refusal("Forbidden", "forbidden: requests from other sites' pages are not served", {});
}

function originHost(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
