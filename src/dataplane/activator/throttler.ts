// Every revision's throttler, and what they share: room to wait in, and what is told to the autoscaler.
import type { RevisionStat } from "../../domain/autoscaling/index.js";
import type { Random } from "../../ports/index.js";
import { figures } from "./figures.js";
import { hall } from "./hall.js";
import { reportEveryMs, type ThrottlerLimits, throttlerLimits } from "./limits.js";
import { RevisionThrottler, type Timing } from "./revision.js";
import { Ticket } from "./ticket.js";
import type { Asker, Attempt, PodAddress, RevisionPods, Waiting } from "./types.js";

export interface ThrottlerOptions {
  readonly attempt: Attempt;
  /** Requests are with a pod whose server has ended: what it will not answer is to come back. */
  readonly onLost: (pod: PodAddress) => void;
  readonly random: Random;
  readonly timing: Timing;
  /** Milliseconds since 1970, for what is reported. */
  readonly nowMs: () => number;
  readonly limits?: Partial<ThrottlerLimits> | undefined;
  readonly onStats?: ((stats: readonly RevisionStat[]) => void) | undefined;
}

export interface Throttler {
  try(waiting: Waiting, asker: Asker): void;
  /** Told with every new route table; those who wait go out here when a pod has come. */
  update(revisions: readonly RevisionPods[]): void;
  /** Ahead of the table: the pods of these alone are others now. */
  move(revisions: readonly RevisionPods[]): void;
  /** Requests in flight by pod address. */
  inFlight(): ReadonlyMap<string, number>;
  /**
   * Requests another process still has with these pods, by address. Undefined while it takes new ones and nobody can say:
   * pods that limit how many they take get none from here.
   */
  borrow(busy: ReadonlyMap<string, number> | undefined): void;
  /** Requests that wait for a place in a pod with a limit. */
  waiting(): number;
  figures(): readonly string[];
  close(): void;
}

export function makeThrottler(options: ThrottlerOptions): Throttler {
  const { timing, onStats } = options;
  const limits = { ...throttlerLimits, ...options.limits };
  const revisions = new Map<string, RevisionThrottler>();
  /** From what requests carry, without making a key for each. */
  const bySource = new WeakMap<RevisionPods, RevisionThrottler>();
  const tracked = new Set<RevisionThrottler>();
  const startedMs = timing.nowMs();
  let busyElsewhere: ReadonlyMap<string, number> | undefined = new Map();
  const shared = {
    timing,
    random: options.random,
    limits,
    attempt: options.attempt,
    onLost: options.onLost,
    elsewhere: (address: string) =>
      busyElsewhere === undefined ? Number.POSITIVE_INFINITY : (busyElsewhere.get(address) ?? 0),
    hall: hall(() => revisions.values(), limits.hold),
    onFirst,
  };
  let stopReport: (() => void) | undefined;

  function of(source: RevisionPods): RevisionThrottler {
    const known = bySource.get(source);
    if (known !== undefined && !known.dropped) return known;
    let revision = revisions.get(source.key);
    if (revision === undefined) {
      revision = new RevisionThrottler(source, shared);
      revisions.set(source.key, revision);
    }
    bySource.set(source, revision);
    return revision;
  }

  function onFirst(revision: RevisionThrottler, held: boolean): void {
    if (onStats === undefined) return;
    tracked.add(revision);
    const first = () =>
      onStats([stat(revision, { averageConcurrentRequests: 1, requestCount: 1 }, timing.nowMs())]);
    // Somebody waits for what this sets going; else it may wait until the request is on its way.
    if (held) first();
    else timing.after(0, first);
    stopReport ??= timing.after(reportEveryMs, report);
  }

  function report(): void {
    const nowMs = timing.nowMs();
    const stats: RevisionStat[] = [];
    for (const revision of tracked) {
      const { concurrency, arrivals, overMs } = revision.tally.take(nowMs);
      // What was told at once is not told twice.
      const told = Number(revision.told);
      revision.told = false;
      const seconds = Math.max(overMs, 1) / 1000;
      const averageConcurrentRequests = Math.max(0, concurrency - told);
      stats.push(
        stat(
          revision,
          { averageConcurrentRequests, requestCount: Math.max(0, arrivals - told) / seconds },
          nowMs,
        ),
      );
      if (revision.tally.inFlight > 0 || arrivals > 0) continue;
      tracked.delete(revision);
      revision.tracked = false;
    }
    stopReport = tracked.size === 0 ? undefined : timing.after(reportEveryMs, report);
    if (stats.length > 0) onStats?.(stats);
  }

  function stat(
    { source, pods }: RevisionThrottler,
    counted: Pick<RevisionStat, "averageConcurrentRequests" | "requestCount">,
    nowMs: number,
  ): RevisionStat {
    return {
      namespace: source.namespace,
      name: source.name,
      podName: pods.ready[0]?.pod ?? "activator",
      ...counted,
      averageProxiedConcurrentRequests: 0,
      proxiedRequestCount: 0,
      processUptimeSeconds: (nowMs - startedMs) / 1000,
      timestampMs: options.nowMs(),
    };
  }

  return {
    try: (waiting, asker) => of(waiting.revision).admit(new Ticket(waiting, asker)),
    update(sources) {
      const keys = new Set<string>();
      for (const source of sources) {
        keys.add(source.key);
        of(source).update(source);
      }
      for (const [key, revision] of revisions) {
        if (keys.has(key)) continue;
        if (revision.tally.inFlight > 0) {
          if (revision.queue.size > 0) revision.giveUpAll();
          continue;
        }
        revision.drop();
        revisions.delete(key);
        tracked.delete(revision);
      }
    },
    move(sources) {
      for (const source of sources) of(source).update(source);
    },
    inFlight() {
      const counts = new Map<string, number>();
      for (const { pods } of revisions.values())
        for (const { address, inFlight } of pods.all())
          if (inFlight > 0) counts.set(address, (counts.get(address) ?? 0) + inFlight);
      return counts;
    },
    borrow(busy) {
      busyElsewhere = busy;
      for (const revision of revisions.values()) revision.wake();
    },
    waiting() {
      let count = 0;
      for (const { queue, settings } of revisions.values())
        if ((settings?.containerConcurrency ?? 0) > 0) count += queue.size;
      return count;
    },
    figures: () => figures(revisions.values()),
    close() {
      stopReport?.();
      for (const revision of revisions.values()) revision.drop();
      revisions.clear();
    },
  };
}
