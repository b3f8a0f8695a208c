/**
 * A trace of traffic, replayed on a clock that costs nothing: the same decider, bounds and way to zero as a live
 * Revision has, over pods that are a simple queue. A day takes less than a second.
 */
import type { Condition } from "../apis/meta/meta.types.js";
import { serveMode } from "./burst.js";
import { type Applied, decideApply } from "./decideApply.js";
import { type Decider, makeDecider } from "./decider.js";
import { judgeActive, leastReady } from "./judgeActive.js";
import type { ScalingSettings } from "./settings.js";

export interface TracePoint {
  readonly second: number;
  /** From this second on, until the next point. */
  readonly load: number;
}

export interface Trace {
  /** Requests that are under way at once, or that arrive in a second. */
  readonly unit: "concurrency" | "rps";
  /** By rising seconds. */
  readonly points: readonly TracePoint[];
}

export interface PodModel {
  /** How long a pod works on a request. */
  readonly serviceMs: number;
  /** How many it works on at once; 0 is without limit. */
  readonly containerConcurrency: number;
  /** From wanted to ready. */
  readonly startMs: number;
}

/** One second of the replay, as it was at its end. */
export interface ReplaySecond {
  readonly second: number;
  readonly load: number;
  /** Requests in flight and held, on average. */
  readonly concurrency: number;
  /** Requests that wait for a pod. */
  readonly held: number;
  /** What the decider wants. */
  readonly desired: number;
  /** Replicas of the Deployment. */
  readonly replicas: number;
  readonly ready: number;
  readonly panic: boolean;
  readonly active: "True" | "False" | "Unknown";
  readonly because: string;
}

/** When the replay's clock begins: any moment but 1970, which reads as no moment at all. */
const startMs = 86_400_000;

/** How finely a second is cut: fine enough for a request of a tenth of a second, and no finer than it must be. */
const finestMs = 10;
const coarsestMs = 100;

/** `untilSecond` is the last second played. The Revision begins as it would after its deployment, with its initial scale ready. */
export function replay(
  trace: Trace,
  settings: ScalingSettings,
  model: PodModel,
  untilSecond: number,
): readonly ReplaySecond[] {
  const revision = makeRevision(settings, model);
  const queue = makeQueue(trace.unit, model);
  const seconds: ReplaySecond[] = [];
  let at = 0;
  for (let second = 0; second <= untilSecond; second += 1) {
    while (trace.points[at + 1] !== undefined && (trace.points[at + 1]?.second ?? 0) <= second) at += 1;
    const point = trace.points[at];
    const load = point !== undefined && point.second <= second ? point.load : 0;
    // The first request after none is told at once, and left out of the next report.
    const firstWord = queue.isIdle() && load > 0;
    const beginMs = startMs + second * 1000;
    const endMs = beginMs + 1000;
    if (firstWord) revision.hear(1, 1, beginMs);
    const { concurrency, arrivals } = queue.play(load, beginMs, revision.readyAt);
    if (concurrency > 0 || !queue.wasSilent()) {
      const told = firstWord ? 1 : 0;
      revision.hear(Math.max(0, concurrency - told), Math.max(0, arrivals - told), endMs);
    }
    revision.pass(endMs);
    seconds.push({
      second,
      load,
      concurrency,
      held: queue.held(revision.readyAt(endMs)),
      ...revision.now(endMs),
    });
  }
  return seconds;
}

/** A Revision without an API: what its PodAutoscaler and Deployment would say. */
function makeRevision(settings: ScalingSettings, { startMs: startingMs }: PodModel) {
  let startsMs = new Array<number>(Math.max(settings.initialScale, settings.minScale)).fill(startMs);
  const decider: Decider = makeDecider(settings, startsMs.length, startMs);
  let active: Pick<Condition, "status" | "reason" | "lastTransitionTime"> = condition("True", "", startMs);
  let proxySinceMs: number | undefined = settings.burstCapacity === 0 ? undefined : startMs;
  let applied: Applied = { want: startsMs.length, replicas: undefined, because: "" };
  let lookAtMs: number | undefined = startMs;

  const readyAt = (nowMs: number): number => startsMs.filter((readyMs) => readyMs <= nowMs).length;

  function look(nowMs: number): void {
    lookAtMs = undefined;
    applied = decideApply(settings, {
      desired: decider.wish.desiredScale,
      active,
      initialized: true,
      unrouted: false,
      giveUpAfterMs: undefined,
      proxySinceMs,
      activatorInPath: true,
      nowMs,
    });
    if (applied.replicas !== undefined) scale(applied.replicas, nowMs);
    if (applied.lookAgainInMs !== undefined) lookAtMs = nowMs + applied.lookAgainInMs;
    const before = { status: active.status, reason: active.reason ?? "", message: "" } as never;
    const judged = judgeActive(applied.want, readyAt(nowMs), leastReady(settings, true), before);
    if (judged.status !== active.status) {
      active = condition(judged.status, judged.reason ?? "", nowMs);
      lookAtMs = nowMs;
    }
    const proxied =
      serveMode(applied.want, decider.wish.excessBurstCapacity) === "Proxy" || readyAt(nowMs) === 0;
    proxySinceMs = proxied ? (proxySinceMs ?? nowMs) : undefined;
  }

  function scale(replicas: number, nowMs: number): void {
    // Those not ready yet go first, as a ReplicaSet has it.
    startsMs = startsMs.slice(0, replicas);
    while (startsMs.length < replicas) startsMs.push(nowMs + startingMs);
    const next = startsMs.find((readyMs) => readyMs > nowMs);
    if (next !== undefined) lookAtMs = Math.min(lookAtMs ?? next, next);
  }

  return {
    readyAt,
    hear(concurrency: number, arrivals: number, nowMs: number): void {
      decider.record(
        {
          averageConcurrentRequests: concurrency,
          averageProxiedConcurrentRequests: 0,
          requestCount: arrivals,
          proxiedRequestCount: 0,
        },
        nowMs,
      );
      if (concurrency > 0 && decider.wish.desiredScale <= 0 && decider.tick(readyAt(nowMs), nowMs))
        look(nowMs);
    },
    /** The end of a second: idle pods are counted, and every other second decides. */
    pass(nowMs: number): void {
      if (readyAt(nowMs) > 0 && settings.burstCapacity !== -1) decider.recordIdle(nowMs);
      if (decider.isDue(nowMs) && decider.tick(readyAt(nowMs), nowMs)) look(nowMs);
      // What comes by the second is looked at by the second.
      while (lookAtMs !== undefined && lookAtMs <= nowMs) look(nowMs);
    },
    now: (nowMs: number) => ({
      desired: Math.max(0, decider.wish.desiredScale),
      replicas: startsMs.length,
      ready: readyAt(nowMs),
      panic: decider.inPanic,
      active: active.status as ReplaySecond["active"],
      because: ["as wished", "no counts yet"].includes(applied.because)
        ? decider.wish.because
        : `${decider.wish.because}; ${applied.because}`,
    }),
  };
}

function condition(status: string, reason: string, nowMs: number) {
  return { status, reason, lastTransitionTime: new Date(nowMs).toISOString() } as const;
}

/** Requests as a fluid: they flow in, each stays for its service time once a pod has room for it. */
function makeQueue(unit: Trace["unit"], { serviceMs, containerConcurrency }: PodModel) {
  const stepMs = Math.min(coarsestMs, Math.max(finestMs, serviceMs));
  const steps = Math.round(1000 / stepMs);
  let inside = 0;
  let silent = 2;

  const room = (ready: number): number =>
    containerConcurrency === 0 ? (ready > 0 ? Number.POSITIVE_INFINITY : 0) : ready * containerConcurrency;

  return {
    isIdle: () => inside === 0,
    /** Nothing for a second, and that was told. */
    wasSilent: () => silent > 1,
    held: (ready: number) => Math.max(0, inside - room(ready)),
    play(load: number, fromMs: number, readyAt: (nowMs: number) => number) {
      let sum = 0;
      let arrivals = 0;
      for (let step = 0; step < steps; step += 1) {
        if (unit === "concurrency") {
          inside = load;
          sum += load;
          continue;
        }
        const came = (load * stepMs) / 1000;
        arrivals += came;
        inside += came;
        sum += inside;
        const working = Math.min(inside, room(readyAt(fromMs + step * stepMs)));
        inside = Math.max(0, inside - working * Math.min(1, stepMs / serviceMs));
        if (inside < least) inside = 0;
      }
      silent = sum === 0 ? silent + 1 : 0;
      if (unit === "concurrency") arrivals = (load * 1000) / serviceMs;
      return { concurrency: sum / steps, arrivals };
    },
  };
}

/** Less than this is no request. */
const least = 1e-6;
