// Bytes out, bytes back. Told an address, it never asks whose it is; told to stop, it stops.
import type { Connection, Ran } from "./connection.js";
import type { Exchange, Forward, Forwarded } from "./exchange.js";
import { H2cPool } from "./h2c.js";
import { type ProxyLimits, proxyLimits } from "./limits.js";
import { Pool } from "./pool.js";

export interface Proxy {
  readonly forward: Forward;
  /** Connections to addresses not among these are closed when idle. */
  retain(addresses: ReadonlySet<string>): void;
  counts(): { readonly open: number; readonly idle: number };
  close(): void;
}

const clientGone: Forwarded = {
  outcome: "broken",
  how: "clientGone",
  because: "the client went away",
  begun: false,
};

export function createProxy(overrides: Partial<ProxyLimits> = {}): Proxy {
  const limits = { ...proxyLimits, ...overrides };
  const pool = new Pool(limits);
  const h2c = new H2cPool(limits);
  return {
    forward: (exchange, address) =>
      new Promise((resolve) => {
        const { body, reply } = exchange;
        const send = () => {
          if (reply.gone) resolve(clientGone);
          else if (exchange.protocol === "h2c" && exchange.upgrade === undefined)
            h2c.run(exchange, address, resolve);
          else overHttp1(pool, exchange, address, resolve);
        };
        // With the whole of a small body in hand the pod's connection is not held while the client dawdles.
        if (body?.small && !exchange.expectContinue) body.gather(send);
        else send();
      }),
    retain(addresses) {
      pool.retain(addresses);
      h2c.retain(addresses);
    },
    counts: () => pool.counts(),
    close() {
      pool.close();
      h2c.close();
    },
  };
}

function overHttp1(
  pool: Pool,
  exchange: Exchange,
  address: string,
  resolve: (forwarded: Forwarded) => void,
): void {
  const fresh = () =>
    pool.open(address, (opened) => {
      if ("outcome" in opened) resolve(opened);
      else if (exchange.reply.gone) {
        pool.release(opened);
        resolve(clientGone);
      } else run(opened);
    });
  const run = (connection: Connection) =>
    connection.run(exchange, (ran: Ran) => {
      // Only a connection that has served before can be stale, so this happens at most once.
      if (ran.outcome === "stale") fresh();
      else resolve(ran);
    });
  // A tunnel keeps its connection for good, so it takes a new one and leaves the warm ones to others.
  const warm = exchange.upgrade === undefined ? pool.take(address) : undefined;
  if (warm === undefined) fresh();
  else run(warm);
}
