// Bytes out, bytes back. Told an address, it never asks whose it is; told to stop, it stops.
import type { Ran } from "./connection.js";
import type { Exchange, Forward, Forwarded } from "./exchange.js";
import { H2cPool } from "./h2c.js";
import { type ProxyLimits, proxyLimits } from "./limits.js";
import { Memory } from "./memory.js";
import { Pool } from "./pool.js";

export interface Proxy {
  readonly forward: Forward;
  /** For whoever reads what is forwarded. */
  readonly memory: Memory;
  /** Connections to addresses not among these are closed when idle. */
  retain(addresses: ReadonlySet<string>): void;
  /** Whoever was at this address has ended: what is under way there ends too, in these words. */
  lose(address: string, because: string): void;
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
  const memory = new Memory();
  const pool = new Pool(limits, memory);
  const h2c = new H2cPool(limits);
  const send: Forward = (exchange, address, done) => {
    if (exchange.reply.gone) done(clientGone);
    else if (exchange.protocol === "h2c" && exchange.upgrade === undefined) h2c.run(exchange, address, done);
    else overHttp1(pool, exchange, address, done);
  };
  return {
    memory,
    forward(exchange, address, done) {
      const { body } = exchange;
      // With the whole of a small body in hand the pod's connection is not held while the client dawdles.
      if (body === undefined || body.complete || !body.small || exchange.expectContinue)
        send(exchange, address, done);
      else body.gather(() => send(exchange, address, done));
    },
    retain(addresses) {
      pool.retain(addresses);
      h2c.retain(addresses);
    },
    lose(address, because) {
      pool.lose(address, because);
      h2c.lose(address, because);
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
  done: (forwarded: Forwarded) => void,
): void {
  // A tunnel keeps its connection for good, so it takes a new one and leaves the warm ones to others.
  const warm = exchange.upgrade === undefined ? pool.take(address) : undefined;
  if (warm === undefined) {
    overFresh(pool, exchange, address, done);
    return;
  }
  warm.run(exchange, (ran: Ran) => {
    // Only a connection that has served before can be stale, so this happens at most once.
    if (ran.outcome === "stale") overFresh(pool, exchange, address, done);
    else done(ran);
  });
}

function overFresh(
  pool: Pool,
  exchange: Exchange,
  address: string,
  done: (forwarded: Forwarded) => void,
): void {
  pool.open(address, exchange.upgrade !== undefined, (opened) => {
    if ("outcome" in opened) done(opened);
    else if (exchange.reply.gone) {
      pool.release(opened);
      done(clientGone);
    } else
      opened.run(exchange, (ran) => {
        if (ran.outcome !== "stale") done(ran);
      });
  });
}
