// The gateway's sockets: HTTP/1.1, HTTP/2 without TLS and WebSocket on one port per listener.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { RevisionStat } from "../../domain/autoscaling/index.js";
import type { Clock, Random } from "../../ports/index.js";
import { type Activate, activator, type ThrottlerLimits } from "../activator/index.js";
import { createProxy, type ProxyLimits, proxyLimits } from "../proxy/index.js";
import { type Certificates, makeCertificates } from "./certificates.js";
import { httpDate } from "./date.js";
import { netFront } from "./http1.js";
import { h2Front } from "./http2.js";
import { makeIds } from "./ids.js";
import { type FrontLimits, frontLimits } from "./limits.js";
import { nodeFront } from "./nodeHttp1.js";
import type { SeenRequest } from "./seen.js";
import type { Ahead, Shared } from "./serve.js";
import { sniff } from "./sniff.js";
import { type GatewayStats, Stats } from "./stats.js";
import { emptyTable, type ListenerName, type Revision, type RouteTable } from "./table.js";

export interface GatewayListener {
  readonly name: ListenerName;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Speaks TLS, with the certificates of the route table. */
  readonly tls?: boolean;
  /** Opens with the first certificate and not before. */
  readonly whenNeeded?: boolean;
  /** A socket that somebody else has bound and keeps, in Node's own form; accepted on instead of a new one. */
  readonly handle?: object;
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
  /** Hears of a listener that opened after the start, or could not. */
  readonly onOpened?: (failure: string | undefined) => void;
  /** Hears of certificates that cannot be used; their hosts keep what they had. */
  readonly ahead?: Ahead;
  /** Stands around every request that goes to a pod. */
  readonly around?: (activate: Activate) => Activate;
  readonly onBadCertificate?: (message: string) => void;
}

export interface Gateway {
  update(table: RouteTable): void;
  /** These revisions of the table have other pods now; the next table has them too. */
  move(revisions: readonly Revision[]): void;
  addresses(): readonly GatewayListener[];
  stats(): GatewayStats;
  /** Requests in flight by pod address. */
  inFlight(): ReadonlyMap<string, number>;
  /** Requests another process still has with these pods: their places are taken. */
  borrow(busy: ReadonlyMap<string, number> | undefined): void;
  /** Requests that wait for a place in a pod with a limit. */
  waiting(): number;
  /** Every request is told to it when it was answered, until another is named or none. */
  tellSeen(hear: ((seen: SeenRequest) => void) | undefined): void;
  /** Prometheus text. */
  metrics(): string;
  /** Takes no more connections, lets what runs finish for that long, then cuts it off. */
  close(options: { readonly drainMs: number; readonly lastRequestMs?: number }): Promise<void>;
}

export async function startGateway(options: StartGateway): Promise<Gateway> {
  const proxy = createProxy(options.limits);
  const { clock, random } = options;
  const { activate, throttler } = activator(proxy, {
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
    activate: options.around?.(activate) ?? activate,
    ahead: options.ahead,
    onSeen: undefined,
    memory: proxy.memory,
    stats: new Stats(),
    random: options.random,
    ids: makeIds(options.random),
    date: httpDate(options.clock),
    limits: { ...proxyLimits, ...frontLimits, ...options.limits },
    httpsPort: undefined,
    onBug: options.onBug ?? (() => {}),
  };
  const certificates = makeCertificates();
  const open: Listening[] = [];
  const secure = (tls: RouteTable["tls"] = []) => {
    for (const message of certificates.use(tls)) options.onBadCertificate?.(message);
    for (const one of open) one.renew();
  };
  const waiting = new Set(options.listeners.filter((one) => one.whenNeeded === true));
  const openOne = async (listener: GatewayListener): Promise<void> => {
    const one = await listen(shared, listener, options.http ?? "net", certificates);
    open.push(one);
    if (one.at.tls && one.at.name === "external") shared.httpsPort = one.at.port;
    one.renew();
  };
  /** What waited for a certificate. */
  const openWaiting = async (): Promise<void> => {
    for (const listener of [...waiting]) {
      waiting.delete(listener);
      await openOne(listener);
    }
  };
  try {
    for (const listener of options.listeners) if (!waiting.has(listener)) await openOne(listener);
    secure(shared.table.tls);
    if ((shared.table.tls ?? []).length > 0) await openWaiting();
  } catch (error) {
    for (const one of open) one.cut();
    throw error;
  }

  return {
    update(table) {
      if (table.tls !== shared.table.tls) secure(table.tls);
      if (waiting.size > 0 && (table.tls ?? []).length > 0 && !shared.draining) {
        openWaiting().then(
          () => options.onOpened?.(undefined),
          (error: Error) => options.onOpened?.(error.message),
        );
      }
      shared.table = table;
      proxy.retain(
        new Set(table.revisions.flatMap((revision) => revision.targets.map((target) => target.address))),
      );
      throttler.update(table.revisions);
    },
    move: (revisions) => throttler.move(revisions),
    addresses: () => open.map((one) => one.at),
    stats: () => shared.stats.snapshot(proxy.counts()),
    inFlight: () => throttler.inFlight(),
    borrow: (busy) => throttler.borrow(busy),
    waiting: () => throttler.waiting(),
    tellSeen: (hear) => {
      shared.onSeen = hear;
    },
    metrics: () => `${shared.stats.text(proxy.counts())}${throttler.figures().join("\n")}\n`,
    async close({ drainMs, lastRequestMs = usualLastRequestMs }) {
      shared.draining = true;
      const cut = () => {
        for (const one of open) one.cut();
      };
      const stop = options.clock.after(drainMs, cut);
      await Promise.all(open.map((one) => one.drain(lastRequestMs)));
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
  drain(lastRequestMs: number): Promise<void>;
  cut(): void;
  /** The certificates have changed. */
  renew(): void;
}

async function listen(
  shared: Shared,
  listener: GatewayListener,
  http: "net" | "node",
  certificates: Certificates,
): Promise<Listening> {
  const sockets = new Set<Socket>();
  let onLast: (() => void) | undefined;
  const count = (socket: Socket) => {
    sockets.add(socket);
    shared.stats.connections += 1;
    socket.once("close", () => {
      sockets.delete(socket);
      shared.stats.connections -= 1;
      if (sockets.size === 0) onLast?.();
    });
  };
  const { name } = listener;
  const tls = listener.tls === true;
  const { firstByteMs } = shared.limits;
  const h1 = http === "node" ? nodeFront(shared, name) : netFront(shared, name);
  const h2 = h2Front(shared, name);
  const basics = { allowHalfOpen: true, noDelay: true, keepAlive: true };
  const secured = tls ? tlsServer(basics, certificates, firstByteMs) : undefined;
  const server = secured ?? createServer(basics);
  server.on("connection", (socket: Socket) => {
    count(socket);
    if (tls) return;
    const isHttp1 = () => {
      const goesOn = h1.accept(socket, false);
      if (goesOn !== socket) count(goesOn);
    };
    sniff(socket, firstByteMs, isHttp1, () => h2.accept(socket));
  });
  secured?.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol === "h2") h2.accept(socket);
    else h1.accept(socket, true);
  });

  await bind(server, listener);
  const { address, port } = server.address() as AddressInfo;
  return {
    at: tls ? { name, host: address, port, tls } : { name, host: address, port },
    drain(lastRequestMs) {
      h2.drain();
      h1.drain(lastRequestMs);
      return new Promise((resolve) => {
        server.close(() => {
          // A socket in an accepted one's place is ours to wait for.
          if (sockets.size === 0) resolve();
          else onLast = resolve;
        });
      });
    },
    cut() {
      h1.close();
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    renew: () => secured?.setSecureContext(certificates.fallback),
  };
}

function tlsServer(basics: object, certificates: Certificates, handshakeTimeout: number) {
  const server = createTlsServer({
    ...basics,
    handshakeTimeout,
    ALPNProtocols: ["h2", "http/1.1"],
    // Without one for the name the fallback is shown, and the client judges.
    SNICallback: (asked, take) => take(null, certificates.of(asked)),
  });
  // A failed handshake is the client's news; the socket is gone already.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

/** Idle connections get this long for a request that may be on its way; whoever has time gives more. */
const usualLastRequestMs = 250;

/** Connections that wait to be accepted: a burst, or all that come while one process takes over from another. */
const backlog = 4096;

function bind(server: Server, { host, port, handle }: GatewayListener): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const done = () => {
      server.removeListener("error", reject);
      resolve();
    };
    if (handle === undefined) server.listen({ host, port, backlog }, done);
    else server.listen(handle, backlog, done);
  });
}
