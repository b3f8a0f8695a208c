// Connections to pods, kept warm by address and bounded.
import { connect, type OnReadOpts, type Socket } from "node:net";
import { Connection, type ConnectionOwner } from "./connection.js";
import type { Forwarded } from "./exchange.js";
import type { ProxyLimits } from "./limits.js";
import type { Memory } from "./memory.js";

export type Refused = Extract<Forwarded, { outcome: "refused" }>;

interface Shelf {
  readonly idle: Connection[];
  readonly connections: Set<Connection>;
  /** Those that are being dialled among them. */
  open: number;
}

/** Often enough that a forgotten connection outlives its time by little; more often where times are short. */
const sweepMs = 5_000;

/** A pod's idle time is counted from its side; stay clear of its edge. */
const idleMarginMs = 500;

export class Pool implements ConnectionOwner {
  /** Time to the nearest sweep: enough to tell a silent pod, and free. */
  nowMs = performance.now();
  private readonly shelves = new Map<string, Shelf>();
  private sweeper: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: ProxyLimits,
    readonly memory: Memory,
  ) {}

  /** A warm connection, or nothing; the newest first, which is the least likely to have been closed. */
  take(address: string): Connection | undefined {
    const idle = this.shelves.get(address)?.idle;
    if (idle === undefined) return undefined;
    for (;;) {
      const connection = idle.pop();
      if (connection === undefined) return undefined;
      if (connection.socket.destroyed) continue;
      if (connection.idleUntilMs > performance.now()) return connection;
      connection.socket.destroy();
    }
  }

  /** A tunnel's socket is joined to another one, and so reads as any socket does. */
  open(address: string, tunnel: boolean, ready: (opened: Connection | Refused) => void): void {
    const shelf = this.shelf(address);
    if (shelf.open >= this.limits.connectionsPerAddress) {
      ready({
        outcome: "refused",
        how: "full",
        because: `${shelf.open} connections to ${address} are open already`,
      });
      return;
    }
    const target = splitAddress(address);
    if (target === undefined) {
      ready({ outcome: "refused", how: "connect", because: `${address} is not an address` });
      return;
    }
    shelf.open += 1;
    this.sweeper ??= this.startSweeping();
    let connection: Connection | undefined;
    const { reading: buffer } = this.memory;
    const onread = {
      buffer,
      callback(length: number) {
        connection?.read(buffer, length);
        return true;
      },
    };
    dial(tunnel ? target : { ...target, onread }, this.limits.connectMs, (socket, because, how) => {
      if (socket === undefined) {
        shelf.open -= 1;
        ready({ outcome: "refused", how, because });
        return;
      }
      connection = new Connection(socket, address, this.limits, this);
      shelf.connections.add(connection);
      const made = connection;
      if (tunnel) socket.on("data", (bytes: Buffer) => made.read(bytes, bytes.length));
      ready(made);
    });
  }

  release(connection: Connection): void {
    const { idle } = this.shelf(connection.address);
    if (idle.length >= this.limits.idlePerAddress) {
      connection.socket.destroy();
      return;
    }
    const idleMs = Math.min(
      this.limits.idleMs,
      (connection.podIdleMs ?? Number.POSITIVE_INFINITY) - idleMarginMs,
    );
    if (idleMs <= 0) {
      connection.socket.destroy();
      return;
    }
    connection.idleUntilMs = performance.now() + idleMs;
    idle.push(connection);
  }

  gone(connection: Connection): void {
    const shelf = this.shelves.get(connection.address);
    if (shelf === undefined) return;
    shelf.open -= 1;
    shelf.connections.delete(connection);
    const at = shelf.idle.indexOf(connection);
    if (at >= 0) shelf.idle.splice(at, 1);
    if (shelf.open <= 0) this.shelves.delete(connection.address);
  }

  /** The pod that was there has ended; who comes from now on may meet its next life. */
  lose(address: string, because: string): void {
    const shelf = this.shelves.get(address);
    if (shelf === undefined) return;
    for (const connection of shelf.idle.splice(0)) connection.socket.destroy();
    for (const connection of shelf.connections) connection.lose(because);
  }

  /** Closes what idles towards addresses that are no longer in use. */
  retain(addresses: ReadonlySet<string>): void {
    for (const [address, { idle }] of this.shelves) {
      if (!addresses.has(address)) for (const connection of [...idle]) connection.socket.destroy();
    }
  }

  counts(): { readonly open: number; readonly idle: number } {
    let open = 0;
    let idle = 0;
    for (const shelf of this.shelves.values()) {
      open += shelf.open;
      idle += shelf.idle.length;
    }
    return { open, idle };
  }

  close(): void {
    clearInterval(this.sweeper);
    this.sweeper = undefined;
    this.retain(new Set());
  }

  private shelf(address: string): Shelf {
    let shelf = this.shelves.get(address);
    if (shelf === undefined) {
      shelf = { idle: [], connections: new Set(), open: 0 };
      this.shelves.set(address, shelf);
    }
    return shelf;
  }

  private startSweeping(): NodeJS.Timeout {
    const everyMs = Math.min(sweepMs, Math.max(10, this.limits.stallMs / 4));
    this.nowMs = performance.now();
    const sweeper = setInterval(() => {
      const now = performance.now();
      this.nowMs = now;
      // What moved may be noted as much too early as sweeps are apart.
      const silentMs = now - this.limits.stallMs - everyMs;
      for (const { idle, connections } of this.shelves.values()) {
        for (const connection of [...idle]) if (connection.idleUntilMs <= now) connection.socket.destroy();
        for (const connection of connections) connection.sweep(silentMs);
      }
    }, everyMs);
    return sweeper.unref();
  }
}

export function splitAddress(address: string): { readonly host: string; readonly port: number } | undefined {
  const colon = address.lastIndexOf(":");
  const port = Number(address.slice(colon + 1));
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return colon <= 0 || !Number.isInteger(port) || port < 1 || port > 65_535 ? undefined : { host, port };
}

function dial(
  target: { readonly host: string; readonly port: number; readonly onread?: OnReadOpts },
  connectMs: number,
  ready: (socket: Socket | undefined, because: string, how: "connect" | "timeout") => void,
): void {
  const socket = connect({ ...target, noDelay: true });
  const timer = setTimeout(() => {
    failed(`no connection within ${connectMs} ms`, "timeout");
  }, connectMs);
  const onError = (error: NodeJS.ErrnoException) => failed(`${error.code ?? error.message}`, "connect");
  const failed = (because: string, how: "connect" | "timeout") => {
    clearTimeout(timer);
    socket.removeListener("connect", onConnect);
    socket.removeListener("error", onError);
    // A late error of a socket nobody waits for any more has no other ear.
    socket.on("error", () => {});
    socket.destroy();
    ready(undefined, because, how);
  };
  const onConnect = () => {
    clearTimeout(timer);
    socket.removeListener("error", onError);
    ready(socket, "", "connect");
  };
  socket.once("connect", onConnect);
  socket.once("error", onError);
}
