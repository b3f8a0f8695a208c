/**
 * Probes of one running container. Until the first success a probe is asked often, because a model that is up and
 * not yet known to be up is time lost; failures count, and are told, only as often as the period says.
 */
import type { Probe } from "../../domain/apis/core/container.types.js";
import type { Clock } from "../../ports/index.js";
import { defaultPeriodMs, doubtedMs, eagerExecMs, eagerProbes, eagerRestMs, stirsAtOnce } from "../limits.js";
import { pause } from "../times.js";
import type { Answer } from "./answers.js";

export type ProbeName = "Startup" | "Readiness" | "Liveness";

export interface ProbeSet {
  readonly startup: Probe | undefined;
  readonly readiness: Probe | undefined;
  readonly liveness: Probe | undefined;
}

export interface ProberDeps {
  readonly clock: Clock;
  readonly ask: (probe: Probe, timeoutMs: number) => Promise<Answer>;
  /** Aborts at the container's next sign of life: a server that says it listens is asked at once. */
  readonly stirred?: () => AbortSignal;
  /** Aborts when only its own answers can say whether the container still is there: they are asked for at once, and often. */
  readonly doubted?: () => AbortSignal;
  readonly onStarted: () => void;
  readonly onReady: (isReady: boolean) => void;
  readonly onFailed: (name: ProbeName, because: string) => void;
  /** Startup or liveness failed too often: the container is to be restarted. */
  readonly onGivenUp: (name: ProbeName) => void;
}

/** Runs until the signal aborts. */
export async function runProbes(probes: ProbeSet, deps: ProberDeps, signal: AbortSignal): Promise<void> {
  if (probes.startup !== undefined) {
    const isUp = await untilWell("Startup", probes.startup, deps, signal);
    if (signal.aborted) return;
    if (!isUp) return deps.onGivenUp("Startup");
  }
  deps.onStarted();
  if (probes.readiness === undefined) deps.onReady(true);
  await Promise.all([
    probes.readiness && watchReadiness(probes.readiness, deps, signal),
    probes.liveness && watchLiveness(probes.liveness, deps, signal),
  ]);
}

/** False when the threshold of failures was reached first. */
async function untilWell(
  name: ProbeName,
  probe: Probe,
  { clock, ask, stirred, onFailed }: ProberDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const { periodMs, timeoutMs, failureThreshold } = timings(probe);
  await pause(clock, seconds(probe.initialDelaySeconds), signal);
  const startMs = clock.now();
  let nextCountedMs = startMs + periodMs;
  let failures = 0;
  let stirs = 0;
  while (!signal.aborted) {
    // Taken before it is asked: what is said meanwhile counts.
    const stir = probe.exec === undefined ? stirred?.() : undefined;
    const answer = await ask(probe, timeoutMs);
    if (signal.aborted) return false;
    if (answer.isWell) return true;
    const nowMs = clock.now();
    if (nowMs >= nextCountedMs) {
      nextCountedMs = nowMs + periodMs;
      failures += 1;
      onFailed(name, answer.because);
      // Readiness has no limit: a container that is never ready is not restarted for it.
      if (name !== "Readiness" && failures >= failureThreshold) return false;
    }
    const waitMs = Math.min(eagerWait(probe, nowMs - startMs), periodMs);
    const restMs = stirs < stirsAtOnce ? 0 : Math.min(eagerRestMs, waitMs);
    if (restMs > 0) await pause(clock, restMs, signal);
    const woken = stir === undefined ? signal : AbortSignal.any([signal, stir]);
    await pause(clock, waitMs - restMs, woken);
    if (stir?.aborted) stirs += 1;
  }
  return false;
}

async function watchReadiness(probe: Probe, deps: ProberDeps, signal: AbortSignal): Promise<void> {
  const { clock, ask, onReady, onFailed } = deps;
  const { periodMs, timeoutMs, failureThreshold, successThreshold } = timings(probe);
  await untilWell("Readiness", probe, deps, signal);
  let isReady = successThreshold <= 1;
  const restUntilAsked = (ms: number) => {
    const doubt = probe.exec === undefined ? deps.doubted?.() : undefined;
    if (doubt?.aborted) return pause(clock, Math.min(ms, doubtedMs), signal);
    return pause(clock, ms, doubt === undefined ? signal : AbortSignal.any([signal, doubt]));
  };
  let inRow = 1; // answers of the other kind than isReady says, or the successes so far
  if (isReady) {
    if (signal.aborted) return;
    onReady(true);
    inRow = 0;
  }
  while (!signal.aborted) {
    await restUntilAsked(isReady ? periodMs : Math.min(periodMs, unreadyWait(probe, successThreshold)));
    if (signal.aborted) return;
    const answer = await ask(probe, timeoutMs);
    if (signal.aborted) return;
    if (!answer.isWell && isReady) onFailed("Readiness", answer.because);
    if (answer.isWell === isReady) {
      inRow = 0;
      continue;
    }
    inRow += 1;
    if (inRow < (isReady ? failureThreshold : successThreshold)) continue;
    isReady = !isReady;
    inRow = 0;
    onReady(isReady);
  }
}

async function watchLiveness(probe: Probe, deps: ProberDeps, signal: AbortSignal): Promise<void> {
  const { clock, ask, onFailed, onGivenUp } = deps;
  const { periodMs, timeoutMs, failureThreshold } = timings(probe);
  await pause(clock, seconds(probe.initialDelaySeconds), signal);
  let failures = 0;
  while (!signal.aborted) {
    await pause(clock, periodMs, signal);
    if (signal.aborted) return;
    const answer = await ask(probe, timeoutMs);
    if (signal.aborted) return;
    failures = answer.isWell ? 0 : failures + 1;
    if (answer.isWell) continue;
    onFailed("Liveness", answer.because);
    if (failures >= failureThreshold) return onGivenUp("Liveness");
  }
}

function timings(probe: Probe) {
  return {
    // Knative's 0 asks for "as fast as you can until it is up", which every first success here is.
    periodMs: seconds(probe.periodSeconds) || defaultPeriodMs,
    timeoutMs: seconds(probe.timeoutSeconds) || 1_000,
    failureThreshold: probe.failureThreshold || 3,
    successThreshold: probe.successThreshold || 1,
  };
}

function eagerWait(probe: Probe, sinceMs: number): number {
  const everyMs = eagerProbes.find((step) => sinceMs < step.untilMs)?.everyMs ?? defaultPeriodMs;
  return probe.exec === undefined ? everyMs : Math.max(everyMs, eagerExecMs);
}

/** Coming back is noticed early, unless the owner asked for a settled run of successes, which needs its period. */
function unreadyWait(probe: Probe, successThreshold: number): number {
  return successThreshold > 1 ? defaultPeriodMs : probe.exec === undefined ? 200 : eagerExecMs;
}

function seconds(value: number | undefined): number {
  return (value ?? 0) * 1000;
}
