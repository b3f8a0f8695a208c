// The gateway's sockets: HTTP/1.1, HTTP/2 without TLS and WebSocket on one port per listener.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { RevisionStat } from "../../domain/autoscaling/index.js";
import type { Clock, Random } from "../../ports/index.js";
import { activator, type ThrottlerLimits } from "../activator/index.js";
import { createProxy, type ProxyLimits, proxyLimits } from "../proxy/index.js";
import { httpDate } from "./date.js";
import { netFront } from "./http1.js";
import { h2Front } from "./http2.js";
import { makeIds } from "./ids.js";
import { type FrontLimits, frontLimits } from "./limits.js";
import { nodeFront } from "./nodeHttp1.js";
import type { Shared } from "./serve.js";
import { sniff } from "./sniff.js";
import { type GatewayStats, Stats } from "./stats.js";
import { emptyTable, type ListenerName, type RouteTable } from "./table.js";

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
  readonly limits?: Partial<ProxyLimits & FrontLimits>;
  /** Who reads HTTP/1.1: our own front on bare sockets, unless told, or Node's server. */
  readonly http?: "net" | "node";
  readonly throttlerLimits?: Partial<ThrottlerLimits>;
  /** Each second what revisions with traffic had in flight; at once for a first request after none. */
  readonly onStats?: (stats: readonly RevisionStat[]) => void;
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
  const { clock, random } = options;
  const { activate, throttler } = activator(proxy.forward, {
    random,
    timing: { nowMs: () => performance.now(), after: (ms, run) => clock.after(ms, run) },
    nowMs: () => clock.now(),
    limits: options.throttlerLimits,
    onStats: options.onStats,
  });
  throttler.update(options.table?.revisions ?? []);
  const shared: Shared = {
    table: options.table ?? emptyTable,
    draining: false,
    activate,
    stats: new Stats(),
    random: options.random,
    ids: makeIds(options.random),
    date: httpDate(options.clock),
    limits: { ...proxyLimits, ...frontLimits, ...options.limits },
    onBug: options.onBug ?? (() => {}),
  };
  const open: Listening[] = [];
  try {
    for (const listener of options.listeners)
      open.push(await listen(shared, listener, options.http ?? "net"));
  } catch (error) {
    for (const one of open) one.cut();
    throw error;
  }

  return {
    update(table) {
      shared.table = table;
      proxy.retain(
        new Set(table.revisions.flatMap((revision) => revision.targets.map((target) => target.address))),
      );
      throttler.update(table.revisions);
    },
    addresses: () => open.map((one) => one.at),
    stats: () => shared.stats.snapshot(proxy.counts()),
    inFlight: () => throttler.inFlight(),
    metrics: () => `${shared.stats.text(proxy.counts())}${throttler.figures().join("\n")}\n`,
    async close({ drainMs }) {
      shared.draining = true;
      const cut = () => {
        for (const one of open) one.cut();
      };
      const stop = options.clock.after(drainMs, cut);
      await Promise.all(open.map((one) => one.drain()));
      stop();
      cut();
      throttler.close();
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

async function listen(shared: Shared, listener: GatewayListener, http: "net" | "node"): Promise<Listening> {
  const sockets = new Set<Socket>();
  const { name } = listener;
  const h1 = http === "node" ? nodeFront(shared, name) : netFront(shared, name);
  const h2 = h2Front(shared, name);
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
    sockets.add(socket);
    shared.stats.connections += 1;
    socket.once("close", () => {
      sockets.delete(socket);
      shared.stats.connections -= 1;
    });
    sniff(
      socket,
      shared.limits.firstByteMs,
      () => h1.accept(socket, false),
      () => h2.accept(socket),
    );
  });

  await bind(server, listener);
  const { address, port } = server.address() as AddressInfo;
  return {
    at: { name, host: address, port },
    drain() {
      h2.drain();
      h1.drain();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
    cut() {
      h1.close();
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
