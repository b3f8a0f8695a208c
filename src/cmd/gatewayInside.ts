// The gateway in the process of its API: what a private instance in a test or a script may ask for.
import { systemRandom } from "../adapters/clock/index.js";
import type { Informers } from "../controller/index.js";
import { startGateway } from "../dataplane/index.js";
import type { Client, Clock, Log } from "../ports/index.js";
import type { Closers } from "./closers.js";
import { followRoutes } from "./followRoutes.js";
import { httpFront, type OnStats, type OpenGateway } from "./openGateway.js";
import { logsRequests } from "./requestLog.js";

export interface GatewayInsideOptions {
  readonly bind: string;
  readonly externalPort: number;
  readonly tlsPort: number;
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Log;
}

/** An instance inside a test or a script ends when it is told to; nobody waits for its stragglers. */
const drainInsideMs = 500;

export async function openGatewayInside(
  { bind, externalPort, tlsPort, client, informers, clock, log }: GatewayInsideOptions,
  closers: Closers,
): Promise<OpenGateway> {
  const listeners: OnStats[] = [];
  const gateway = await startGateway({
    listeners: [
      { name: "external", host: bind, port: externalPort },
      { name: "local", host: "127.0.0.1", port: 0 },
      { name: "external", host: bind, port: tlsPort, tls: true, whenNeeded: true },
    ],
    random: systemRandom,
    clock,
    http: httpFront(process.env),
    onBadCertificate: (message) => log.error("a certificate cannot be used", { message }),
    onOpened: (failure) => {
      if (failure !== undefined) log.error("the gateway cannot listen with TLS", { error: failure });
    },
    onStats: (stats) => {
      for (const listener of listeners) listener(stats);
    },
  });
  closers.add(() => gateway.close({ drainMs: drainInsideMs }));
  await followRoutes(informers, gateway, { client, clock, log });
  const logRequests = logsRequests(gateway, informers, log);
  closers.add(() => logRequests(undefined));
  return {
    logRequests: (order) => void logRequests(order),
    addresses: () => gateway.addresses(),
    pid: () => undefined,
    ready: async () => {},
    onStats: (listener) => void listeners.push(listener),
    metrics: async () => gateway.metrics(),
    resources: async () => undefined,
    restart: async () => {},
  };
}
