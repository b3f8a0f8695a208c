/**
 * Knative's queue-proxy for pods on a cluster: the gateway's front, breaker, limits and proxy before one container. On one
 * machine the gateway itself does this work, and no such process runs.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Clock, Random } from "../../ports/index.js";
import {
  emptyTable,
  type Gateway,
  type RequestLogSettings,
  type RouteTable,
  requestLine,
  startGateway,
} from "../gateway/index.js";
import { probesAhead } from "./ahead.js";
import { makeCounter } from "./count.js";
import { makeDrainer } from "./drainer.js";
import type { QueueProxySettings } from "./environment.js";
import { certificateLookMs, queuePerPlace, tunnelDrainMs } from "./limits.js";
import { profiles } from "./profile.js";
import { readiness } from "./readiness.js";
import { routeToUser } from "./route.js";
import { encodeStat } from "./statWire.js";
import type { QueueLog } from "./zap.js";

export interface QueueProxyOptions {
  readonly settings: QueueProxySettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: QueueLog;
  /** Takes the lines of the request log. */
  readonly requests: (line: string) => void;
  readonly quietMs?: number;
  readonly certificateLookMs?: number;
}

export interface QueueProxy {
  addresses(): { readonly serving: number; readonly tls: number | undefined };
  /** SIGTERM: drains as Knative's does, then ends. */
  leave(): Promise<void>;
}

export async function startQueueProxy(options: QueueProxyOptions): Promise<QueueProxy> {
  const { settings, clock, random, log } = options;
  const drainer = makeDrainer(clock, options.quietMs);
  const isReady = readiness(settings.probes, settings.userPort, settings.detectHttp2);
  const counter = makeCounter(settings.pod, () => clock.now());
  let table: RouteTable = { ...emptyTable, ...routeToUser(settings) };
  const certificate = await readCertificate(settings.certificateFolder);
  const shown = (read: Pem): RouteTable => ({
    ...table,
    tls: [{ hosts: ["*"], ...read, ...settings.tls }],
  });
  if (certificate !== undefined) table = shown(certificate);
  const perRevision =
    settings.containerConcurrency === 0
      ? Number.MAX_SAFE_INTEGER
      : settings.containerConcurrency * queuePerPlace;
  const gateway: Gateway = await startGateway({
    listeners: [
      { name: "external", host: "0.0.0.0", port: settings.servingPort },
      ...(certificate === undefined
        ? []
        : [{ name: "local" as const, host: "0.0.0.0", port: settings.tlsPort, tls: true }]),
    ],
    table,
    clock,
    random,
    ahead: probesAhead(drainer, isReady),
    around: counter.around,
    throttlerLimits: {
      hold: { perRevision, overall: { count: perRevision, bytes: Number.MAX_SAFE_INTEGER } },
      // The container is here: if it refuses, nobody else could take the request, and the activator wants to know.
      ejection: { firstMs: 1, maxMs: 1 },
      refusedHoldMs: 0,
    },
    onBug: (bug) => log.error(`a mistake in the queue-proxy: ${String(bug)}`),
    onBadCertificate: log.error,
  });
  const { requestLog, profiling, unserved } = settings.observability;
  if (requestLog !== undefined) logRequests(gateway, settings, requestLog, options.requests);
  for (const one of unserved) log.warn(one);

  const servers = await Promise.all([
    serveOn(settings.ports.admin, (request, response) => {
      if (request.url !== "/wait-for-drain") {
        response
          .writeHead(404, { "x-drydock-reason": "NoRoute" })
          .end("queue-proxy: only /wait-for-drain is here\n");
        return;
      }
      void drainer.preStop().then(() => response.end());
    }),
    serveOn(settings.ports.stats, (_request, response) => {
      response.setHeader("content-type", "application/protobuf");
      response.end(encodeStat(counter.stat()));
    }),
    serveOn(settings.ports.metrics, (_request, response) => {
      response.setHeader("content-type", "text/plain; version=0.0.4");
      response.end(gateway.metrics());
    }),
    ...(profiling ? [serveOn(settings.ports.profiling, profiles())] : []),
  ]);

  const lookMs = options.certificateLookMs ?? certificateLookMs;
  let stopLooking = () => {};
  function lookAgain(): void {
    stopLooking = clock.after(lookMs, () => {
      void readCertificate(settings.certificateFolder).then((now) => {
        const before = table.tls?.[0];
        if (now !== undefined && (now.cert !== before?.cert || now.key !== before.key)) {
          table = shown(now);
          gateway.update(table);
          log.info("the certificate was read anew");
        }
        lookAgain();
      });
    });
  }
  if (certificate !== undefined) lookAgain();

  return {
    addresses: () => {
      const [serving, tls] = gateway.addresses();
      return { serving: serving?.port ?? 0, tls: tls?.port };
    },
    async leave() {
      await drainer.term();
      stopLooking();
      await gateway.close({ drainMs: tunnelDrainMs });
      counter.close();
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

/** The container is the only one there is, so every line is of the same pod. */
function logRequests(
  gateway: Gateway,
  { revision: name, namespace, service, configuration, pod: podName, podIp }: QueueProxySettings,
  requestLog: RequestLogSettings,
  write: (line: string) => void,
): void {
  const whose = { name, namespace, service, configuration, podName, podIp };
  const line = requestLine(requestLog, () => whose);
  // The environment was read with the same template, and it parsed.
  if ("because" in line) throw new Error(line.because);
  gateway.tellSeen((seen) => {
    const said = line.value(seen);
    if (said !== undefined) write(said);
  });
}

interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** Nothing where none is mounted. */
async function readCertificate(folder: string): Promise<Pem | undefined> {
  try {
    const [cert, key] = await Promise.all([
      readFile(join(folder, "tls.crt"), "utf8"),
      readFile(join(folder, "tls.key"), "utf8"),
    ]);
    return { cert, key };
  } catch {
    return undefined;
  }
}

function serveOn(
  port: number,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(answer);
    server.once("error", reject);
    server.listen(port, () => resolve(server));
  });
}
