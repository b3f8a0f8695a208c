// How long requests under way may take once an instance is told to end.
import type { Say } from "../cli/index.js";

/** Kubernetes' own grace: who moves to a cluster later finds the same. `DRYDOCK_DRAIN_SECONDS` says otherwise. */
const usualSeconds = 30;

export function drainMs(environment: NodeJS.ProcessEnv): number {
  const text = environment["DRYDOCK_DRAIN_SECONDS"] ?? "";
  return (/^\d{1,4}$/.test(text) ? Number(text) : usualSeconds) * 1000;
}

/** What an instance on its way out still waits for; whoever ended it reads it from a file. */
export interface Draining {
  readonly requests: number;
  readonly withinMs: number;
}

/** Requests end by the hundred; a reader wants a line now and then. */
const sayEveryMs = 1_000;

export function drainTeller(say: Say, nowMs: () => number): (draining: Draining) => void {
  let told = 0;
  let toldMs = Number.NEGATIVE_INFINITY;
  return ({ requests, withinMs }) => {
    if (requests === 0 || requests === told || nowMs() < toldMs + sayEveryMs) return;
    told = requests;
    toldMs = nowMs();
    const what = requests === 1 ? "1 request" : `${requests} requests`;
    say(`Waiting for ${what} under way, for up to ${withinMs / 1000} s in all.`);
  };
}
