// How long a pod's first start took, step by step: for the pod's own status, and for the node's metrics.
import { type StartPhase, type StartTimes, startPhases } from "../domain/apis/core/started.js";
import { startBucketsMs } from "./limits.js";

export interface StartWatch {
  /** Ports and volumes are there. */
  prepared(): void;
  /** Every init container has done its part. */
  initialized(): void;
  /** A main container's process has run since then; the last one counts. */
  running(sinceMs: number): void;
  /** The question that was answered well was asked then; the last one counts. */
  answered(askedAtMs: number): void;
  /** The whole pod is ready: what it took, the first time. */
  ready(): StartTimes | undefined;
}

/** `wokenMs`: when the request came that the pod was made for. */
export function startWatch(now: () => number, wokenMs?: number): StartWatch {
  const seenMs = now();
  let preparedMs = seenMs;
  let initializedMs = seenMs;
  let runningMs = seenMs;
  let askedMs = seenMs;
  let isTold = false;
  return {
    prepared() {
      preparedMs = now();
    },
    initialized() {
      initializedMs = Math.max(now(), preparedMs);
    },
    running(sinceMs) {
      runningMs = Math.max(sinceMs, initializedMs);
    },
    answered(askedAtMs) {
      askedMs = Math.max(askedMs, askedAtMs);
    },
    ready() {
      if (isTold) return undefined;
      isTold = true;
      const listenedMs = Math.max(askedMs, runningMs);
      return {
        ...(wokenMs === undefined ? {} : { decide: seenMs - wokenMs }),
        create: preparedMs - seenMs,
        files: initializedMs - preparedMs,
        sandbox: runningMs - initializedMs,
        load: listenedMs - runningMs,
        probe: now() - listenedMs,
      };
    },
  };
}

export interface StartFigures {
  observe(times: StartTimes): void;
  lines(): readonly string[];
}

/** A histogram for each step, as Prometheus reads them. */
export function startFigures(): StartFigures {
  const name = "drydock_pod_start_seconds";
  const series = [...startPhases, "all"] as const;
  const counts = new Map(series.map((phase) => [phase, startBucketsMs.map(() => 0)]));
  const sums = new Map<StartPhase | "all", number>(series.map((phase) => [phase, 0]));
  const starts = new Map<StartPhase | "all", number>(series.map((phase) => [phase, 0]));

  function count(phase: StartPhase | "all", ms: number): void {
    const buckets = counts.get(phase)!;
    startBucketsMs.forEach((bound, at) => {
      if (ms <= bound) buckets[at]! += 1;
    });
    sums.set(phase, sums.get(phase)! + ms);
    starts.set(phase, starts.get(phase)! + 1);
  }

  return {
    observe(times) {
      let allMs = 0;
      for (const phase of startPhases) {
        const ms = times[phase];
        if (ms === undefined) continue;
        count(phase, ms);
        allMs += ms;
      }
      count("all", allMs);
    },
    lines: () => [
      `# HELP ${name} How long pods took to be ready, by step; \`decide\` counts those that a request waited for.`,
      `# TYPE ${name} histogram`,
      ...series.flatMap((phase) => [
        ...startBucketsMs.map(
          (bound, at) => `${name}_bucket{phase="${phase}",le="${bound / 1000}"} ${counts.get(phase)![at]}`,
        ),
        `${name}_bucket{phase="${phase}",le="+Inf"} ${starts.get(phase)}`,
        `${name}_sum{phase="${phase}"} ${sums.get(phase)! / 1000}`,
        `${name}_count{phase="${phase}"} ${starts.get(phase)}`,
      ]),
    ],
  };
}
