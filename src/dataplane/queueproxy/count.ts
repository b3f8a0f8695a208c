// What the autoscaler's scraper asks for: requests in flight and arrived, those among them that came through an activator.
import { type Activate, Tally } from "../activator/index.js";
import { fieldOf } from "../proxy/index.js";
import { statEveryMs } from "./limits.js";
import type { Stat } from "./statWire.js";

export interface Counter {
  readonly around: (activate: Activate) => Activate;
  /** The last whole period. */
  stat(): Stat;
  close(): void;
}

export function makeCounter(podName: string, nowMs: () => number): Counter {
  const startedMs = performance.now();
  const all = new Tally(startedMs);
  const proxied = new Tally(startedMs);
  let last = period();

  function period(): Stat {
    const now = performance.now();
    const every = all.take(now);
    const through = proxied.take(now);
    const seconds = Math.max(every.overMs, 1) / 1000;
    return {
      podName,
      averageConcurrentRequests: every.concurrency,
      averageProxiedConcurrentRequests: through.concurrency,
      requestCount: every.arrivals / seconds,
      proxiedRequestCount: through.arrivals / seconds,
      processUptimeSeconds: (now - startedMs) / 1000,
      timestampSeconds: Math.floor(nowMs() / 1000),
    };
  }

  const timer = setInterval(() => {
    last = period();
  }, statEveryMs);
  timer.unref();

  return {
    around: (activate) => (exchange, asker) => {
      const isProxied = fieldOf(exchange.lines, "k-proxy-request") === "activator";
      all.enter(performance.now());
      if (isProxied) proxied.enter(performance.now());
      const left = () => {
        all.leave(performance.now());
        if (isProxied) proxied.leave(performance.now());
      };
      activate(exchange, {
        settle(admitted) {
          left();
          asker.settle(admitted);
        },
        fail(bug) {
          left();
          asker.fail(bug);
        },
      });
    },
    stat: () => last,
    close: () => clearInterval(timer),
  };
}
