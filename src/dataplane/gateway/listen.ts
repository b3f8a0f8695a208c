// The gateway's sockets: HTTP/1.1, HTTP/2 without TLS and WebSocket on one port per listener.
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock, Random } from "../../ports/index.js";
import { activator, type Throttler, warmThrottler } from "../activator/index.js";
import { createProxy, type ProxyLimits, proxyLimits } from "../proxy/index.js";
import { refuse, serveHttp1 } from "./http1.js";
import { h2Front } from "./http2.js";
import { headLimitBytes, headTimeoutMs, keepAliveMs } from "./limits.js";
import { requestIds } from "./requestId.js";
import type { Shared } from "./serve.js";
import { sniff } from "./sniff.js";
import { type GatewayStats, Stats } from "./stats.js";
import { emptyTable, type ListenerName, type RouteTable } from "./table.js";
import { serveUpgrade } from "./upgrade.js";

export interface GatewayListener {
  readonly name: ListenerName;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface StartGateway {
  readonly listeners: readonly GatewayListener[];
  readonly random: Random;
  readonly clock: Clock;
  readonly table?: RouteTable;
  /** Instead of the one that knows warm revisions only. */
  readonly throttler?: Throttler;
  readonly limits?: Partial<ProxyLimits>;
  /** Hears of mistakes in the gateway itself; nothing else is worth a log line here. */
  readonly onBug?: (bug: unknown) => void;
}

export interface Gateway {
  update(table: RouteTable): void;
  addresses(): readonly GatewayListener[];
  stats(): GatewayStats;
  /** Requests in flight by pod address. */
  inFlight(): ReadonlyMap<string, number>;
  /** Prometheus text. */
  metrics(): string;
  /** Takes no more connections, lets what runs finish for that long, then cuts it off. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

export async function startGateway(options: StartGateway): Promise<Gateway> {
  const proxy = createProxy(options.limits);
  const warm = warmThrottler(options.random);
  const shared: Shared = {
    table: options.table ?? emptyTable,
    draining: false,
    activate: activator(options.throttler ?? warm.throttler, proxy.forward),
    stats: new Stats(),
    random: options.random,
    nextId: requestIds(options.random),
    limits: { ...proxyLimits, ...options.limits },
    onBug: options.onBug ?? (() => {}),
  };
  const open: Listening[] = [];
  try {
    for (const listener of options.listeners) open.push(await listen(shared, listener));
  } catch (error) {
    for (const one of open) one.cut();
    throw error;
  }

  return {
    update(table) {
      shared.table = table;
      options.throttler?.update?.(table.revisions);
      proxy.retain(
        new Set(table.revisions.flatMap((revision) => revision.targets.map((target) => target.address))),
      );
    },
    addresses: () => open.map((one) => one.at),
    stats: () => shared.stats.snapshot(proxy.counts()),
    inFlight: () => warm.inFlight.all(),
    metrics: () => shared.stats.text(proxy.counts()),
    async close({ drainMs }) {
      shared.draining = true;
      const cut = () => {
        for (const one of open) one.cut();
      };
      const stop = options.clock.after(drainMs, cut);
      await Promise.all(open.map((one) => one.drain()));
      stop();
      cut();
      proxy.close();
    },
  };
}

interface Listening {
  readonly at: GatewayListener;
  /** Resolves when the last connection is gone. */
  drain(): Promise<void>;
  cut(): void;
}

async function listen(shared: Shared, listener: GatewayListener): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: headLimitBytes,
    headersTimeout: headTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    // Told by us instead, in our words.
    requireHostHeader: false,
    // A body may take as long as its route allows: the proxy has that deadline, and one for silence.
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
    keepAlive: true,
  });
  // Node would drop fields past a count without a word; the head's size bounds them well enough.
  server.maxHeadersCount = 0;
  const { name } = listener;
  server.on("request", (request, response) => serveHttp1(shared, name, request, response));
  server.on("checkContinue", (request, response) => serveHttp1(shared, name, request, response));
  server.on("upgrade", (request, socket, early) =>
    serveUpgrade(shared, name, server, request, socket as Socket, early),
  );
  server.on("connect", (_request, socket) =>
    refuse(socket as Socket, "405 Method Not Allowed", "this is no forward proxy"),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const tooLong = error.code === "HPE_HEADER_OVERFLOW";
    const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    const status = tooLong
      ? "431 Request Header Fields Too Large"
      : late
        ? "408 Request Timeout"
        : "400 Bad Request";
    refuse(socket as Socket, status, `the request is not clean HTTP: ${error.code ?? error.message}`);
  });

  const h2 = h2Front(shared, name);
  const [toHttp1] = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    shared.stats.connections += 1;
    socket.once("close", () => {
      sockets.delete(socket);
      shared.stats.connections -= 1;
    });
    sniff(
      socket,
      () => toHttp1?.call(server, socket),
      () => h2.accept(socket),
    );
  });

  await bind(server, listener);
  const { address, port } = server.address() as AddressInfo;
  return {
    at: { name, host: address, port },
    drain() {
      h2.drain();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
    },
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function bind(server: Server, { host, port }: GatewayListener): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
