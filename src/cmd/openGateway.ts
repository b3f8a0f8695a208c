// A gateway that listens, in a process of its own or in this one, and how its places are named.
import type { GatewayListener } from "../dataplane/index.js";
import type { RevisionStat } from "../domain/autoscaling/index.js";
import type { GatewayResources } from "./gatewayProcess.js";
import type { RequestLogOrder } from "./requestLog.js";

/** What revisions had in flight: each second, and at once for a first request after none. */
export type OnStats = (stats: readonly RevisionStat[]) => void;

export interface OpenGateway {
  addresses(): readonly GatewayListener[];
  pid(): number | undefined;
  ready(): Promise<void>;
  onStats(listener: OnStats): void;
  /** Prometheus text; none while no gateway answers. */
  metrics(): Promise<string>;
  /** What its process holds; nothing when it is this one. */
  resources(): Promise<GatewayResources | undefined>;
  /** Where requests are logged, and how; undefined for not at all. */
  logRequests(order: RequestLogOrder | undefined): void;
  /** Another process takes over; the one before finishes what it has. */
  restart(): Promise<void>;
}

export function addressOf(addresses: readonly GatewayListener[], name: GatewayListener["name"]) {
  return addressesOf(addresses, name).find(({ secure }) => !secure);
}

/** Every listener of that name, those that speak TLS too. */
export function addressesOf(addresses: readonly GatewayListener[], name: GatewayListener["name"]) {
  return addresses
    .filter((one) => one.name === name)
    .map(({ host, port, tls }) => ({ host: loopback(host), port, secure: tls === true }));
}

export function urlOf(addresses: readonly GatewayListener[], name: GatewayListener["name"]): string {
  const address = addressOf(addresses, name);
  return address === undefined ? "" : `http://${address.host}:${address.port}`;
}

/** Only while some Gateway brings a certificate. */
export function httpsUrlOf(addresses: readonly GatewayListener[]): string | undefined {
  const address = addresses.find((one) => one.tls === true);
  return address && `https://${loopback(address.host)}:${address.port}`;
}

/** Who reads HTTP/1.1 in the gateway: `node` puts Node's own server in front, should ours ever misread somebody. */
export function httpFront(environment: NodeJS.ProcessEnv): "net" | "node" {
  return environment["DRYDOCK_GATEWAY_HTTP"] === "node" ? "node" : "net";
}

/** Whoever listens everywhere is reached here. */
function loopback(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
}
