/**
 * One container of a pod, from its image to its last end: started, probed, and started again as the pod's restart
 * policy says. Everything that happens is noted as facts; nobody here writes a status.
 */
import type { Container } from "../../domain/apis/core/container.types.js";
import { isoSeconds } from "../../domain/apis/meta/time.js";
import { asNumber } from "../../domain/apis/quantity/index.js";
import { isPortError, type RunningContainer, type Survivor } from "../../ports/index.js";
import { afterEnd, goDuration, noBackoff } from "../backoff.js";
import { watchGrowth } from "../growth.js";
import { endShownMs, setupRetryFirstMs, setupRetryMaxMs } from "../limits.js";
import { type ContainerLogs, containerLogs } from "../logs/containerLogs.js";
import type { LogFile } from "../logs/logFile.js";
import type { Place } from "../place.js";
import { askProbe } from "../probes/ask.js";
import { runProbes } from "../probes/prober.js";
import { isProblem, isTrouble } from "../setup/problem.js";
import { type Terminated, waiting } from "../status/facts.js";
import { deferred, pause } from "../times.js";
import type { PodWorld } from "../world.js";
import { neverStarted, terminated } from "./ending.js";
import { runHook } from "./hooks.js";
import { type Pulled, pullImage } from "./image.js";
import { makeContainerSpec } from "./spec.js";

export type Role = "init" | "sidecar" | "main";
/** `ended`: the pod ended first. */
export type LifeOutcome = "succeeded" | "failed" | "ended";

/** A container of an earlier life of Drydock, and where it is. */
export interface RunsOn {
  readonly survivor: Survivor;
  readonly place: Place;
}

export interface ContainerLife {
  readonly container: Container;
  readonly logs: ContainerLogs;
  /** Pulls at once, starts when the gate opens, resolves when the container is done for good. One that runs on is followed. */
  run(gate: Promise<void>, runsOn?: RunsOn): Promise<LifeOutcome>;
  /** Resolves at the first time the container counts as started. */
  readonly started: Promise<void>;
  running(): RunningContainer | undefined;
  stop(graceMs: number): void;
  kill(): void;
}

export function containerLife(container: Container, role: Role, world: PodWorld): ContainerLife {
  const { deps, ending } = world;
  const { clock, recorder } = deps;
  const { name } = container;
  const logs = containerLogs(world.folders.logs(name), clock, deps.log);
  let current: RunningContainer | undefined;
  let isStopping = false;
  /** What a start that is under way must do when it finds the pod ending. */
  let lateGraceMs = 0;
  const started = deferred();
  /** Aborted with each piece of output: the starting container's only sign of how far it is. */
  let said = new AbortController();
  /** Aborted while the engine is away. */
  let doubt = new AbortController();

  async function run(gate: Promise<void>, runsOn?: RunsOn): Promise<LifeOutcome> {
    const first = runsOn === undefined ? pullImage(container, role, world) : undefined;
    const opened = Promise.race([gate.then(() => true), aborted(ending)]);
    let backoff = noBackoff;
    const firstInstance = world.facts(name).restartCount;
    for (let instance = firstInstance; ; instance++) {
      const isFirst = instance === firstInstance;
      const goesOn = isFirst ? runsOn : undefined;
      // What was started already waits for nothing.
      if (goesOn === undefined && !(await opened)) return "ended";
      const pulled =
        goesOn === undefined ? await (isFirst ? first : pullImage(container, role, world)) : undefined;
      if (goesOn === undefined && pulled === undefined) return "ended";
      // An engine holds a pod's ports while the pod lives, and says itself when one is taken.
      const isProcess = pulled?.place.kind === "process";
      if (isProcess && !isFirst && (await world.ports().refresh(name))) world.portsChanged();
      const startedMs = goesOn === undefined ? clock.now() : 0;
      const end = goesOn === undefined ? await liveOnce(pulled!, instance) : await goOn(goesOn, instance);
      if (end === undefined) return "ended";
      const outcome = outcomeOf(end);
      if (ending.aborted) return "ended";
      if (outcome !== "again") return outcome;
      backoff = afterEnd(backoff, clock.now() - startedMs);
      if (backoff.delayMs > 0) await waitToRestart(end, backoff.delayMs);
      if (ending.aborted) return "ended";
    }
  }

  function outcomeOf(end: Terminated): "succeeded" | "failed" | "again" {
    const policy = world.pod().spec?.restartPolicy ?? "Always";
    const isWell = end.exitCode === 0;
    if (role === "sidecar") return "again";
    if (role === "init") return isWell ? "succeeded" : policy === "Never" ? "failed" : "again";
    if (policy === "Always") return "again";
    return isWell ? "succeeded" : policy === "Never" ? "failed" : "again";
  }

  /** One start and one end; undefined when the pod ended before the start. */
  async function liveOnce(pulled: Pulled, instance: number): Promise<Terminated | undefined> {
    const log = logs.open(instance);
    const { image, place } = pulled;
    const running = await start(pulled, log);
    if (running === undefined || "exitCode" in running) {
      await log.close();
      if (running !== undefined) world.note(name, { state: { terminated: running }, restartCount: instance });
      return running;
    }

    current = running;
    if (role === "main") world.start.running(running.startedAtMs);
    world.note(name, {
      state: { running: { startedAt: isoSeconds(running.startedAtMs) } },
      restartCount: instance,
      imageID: image.digest,
      containerID: idOf(running, place),
    });
    recorder.event(world.pod(), "Normal", "Created", `Created container: ${name}`);
    recorder.event(world.pod(), "Normal", "Started", `Started container ${name}`);
    return liveOn(running, place, log, instance, "isNew");
  }

  /** Its facts are what they were; its log goes on where it broke off. */
  async function goOn({ survivor, place }: RunsOn, instance: number): Promise<Terminated> {
    const sinceMs = logs.lastWordMs(instance) ?? 0;
    const log = logs.open(instance);
    const limit = container.resources?.limits?.["memory"];
    const memoryLimitBytes = limit === undefined ? undefined : asNumber(limit);
    const spec = { pod: world.ref, name, memoryLimitBytes, onOutput: log.write };
    current = survivor.follow(spec, sinceMs);
    return liveOn(current, place, log, instance, survivor.isRunning ? "runsOn" : "hasEnded");
  }

  function idOf(running: RunningContainer, place: Place): string {
    return `${place.sandbox.scheme}://${running.id}`;
  }

  async function liveOn(
    running: RunningContainer,
    place: Place,
    log: LogFile,
    instance: number,
    found: "isNew" | "runsOn" | "hasEnded",
  ): Promise<Terminated> {
    const containerID = idOf(running, place);
    if (ending.aborted) void running.stop(lateGraceMs);

    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, ending]);
    if (found !== "hasEnded") void watch(running, place, signal, found === "runsOn");
    running.onTrouble?.((because) => {
      if (signal.aborted) return;
      world.away(because);
      if (because === undefined) doubt = new AbortController();
      else doubt.abort();
      if (because === undefined)
        recorder.event(world.pod(), "Normal", "EngineBack", "the container engine answers again");
      else recorder.event(world.pod(), "Warning", "EngineAway", because);
    });
    if (role === "init") void watchGrowth(world.folders.volumes, clock, signal, world.progressed);
    const exit = await running.exited;
    over.abort();
    current = undefined;
    // What a failure says may be its log's last words.
    const closed = log.close();
    if (exit.exitCode !== 0) await closed;
    const terminationLog = world.folders.terminationLog(name);
    const end = await terminated({ container, exit, containerID, terminationLog, logs, instance });
    world.note(name, {
      state: { terminated: end },
      isStarted: false,
      isReady: role === "init" && end.exitCode === 0,
    });
    return end;
  }

  /** Tries until the container runs, could not be started at all, or the pod ends. */
  async function start(
    { image, place }: Pulled,
    log: LogFile,
  ): Promise<RunningContainer | Terminated | undefined> {
    let waitMs = setupRetryFirstMs;
    let told = "";
    while (!ending.aborted) {
      try {
        const hear: LogFile["write"] = (stream, chunk) => {
          const later = log.write(stream, chunk);
          said.abort();
          said = new AbortController();
          return later;
        };
        const spec = await makeContainerSpec(container, image, place.kind, world, hear);
        if (ending.aborted) return undefined;
        if (!isProblem(spec)) return await place.sandbox.start(spec);
        world.note(name, { state: waiting("CreateContainerConfigError", spec.problem) });
        if (spec.problem !== told) recorder.event(world.pod(), "Warning", "Failed", `Error: ${spec.problem}`);
        told = spec.problem;
      } catch (error) {
        if (!isTrouble(error)) throw error;
        if (isPortError(error, "Invalid")) {
          recorder.event(world.pod(), "Warning", "Failed", `Error: ${error.message}`);
          return neverStarted(error.message, clock.now());
        }
        if (isPortError(error, "Conflict") && (await world.ports().refresh(name))) world.portsChanged();
        world.note(name, { state: waiting("CreateContainerError", error.message) });
      }
      await pause(clock, waitMs, ending);
      waitMs = Math.min(waitMs * 2, setupRetryMaxMs);
    }
    return undefined;
  }

  async function watch(
    running: RunningContainer,
    { sandbox }: Place,
    signal: AbortSignal,
    wasRunning: boolean,
  ): Promise<void> {
    let isBelieved = wasRunning;
    if (container.lifecycle?.postStart !== undefined && !wasRunning) {
      const because = await runHook(container.lifecycle.postStart, container, running, world, graceMs());
      if (because !== undefined && !signal.aborted) {
        recorder.event(world.pod(), "Warning", "FailedPostStartHook", because);
        void running.stop(graceMs());
        return;
      }
    }
    if (role === "init") return;
    const { startupProbe: startup, readinessProbe: readiness, livenessProbe: liveness } = container;
    await runProbes(
      { startup, readiness, liveness },
      {
        clock,
        async ask(probe, timeoutMs) {
          const askedMs = clock.now();
          const forwards = sandbox.forwardsPorts ?? false;
          const answer = await askProbe(probe, timeoutMs, container, world.ports(), running, forwards);
          if (answer.isWell) world.start.answered(askedMs);
          // Nobody looked while Drydock was away.
          if (!answer.isWell && isBelieved && probe !== liveness) world.note(name, { isReady: false });
          isBelieved = false;
          return answer;
        },
        stirred: () => said.signal,
        doubted: () => doubt.signal,
        onStarted() {
          if (signal.aborted) return;
          world.note(name, { isStarted: true });
          started.resolve();
        },
        onReady(isReady) {
          if (!signal.aborted) world.note(name, { isReady });
        },
        onFailed: (probe, because) =>
          recorder.event(world.pod(), "Warning", "Unhealthy", `${probe} probe failed: ${because}`),
        onGivenUp(probe) {
          const why = `Container ${name} failed ${probe.toLowerCase()} probe, will be restarted`;
          recorder.event(world.pod(), "Normal", "Killing", why);
          const seconds = (probe === "Startup" ? startup : liveness)?.terminationGracePeriodSeconds;
          void running.stop(seconds === undefined ? graceMs() : seconds * 1000);
        },
      },
      signal,
    );
  }

  async function waitToRestart(end: Terminated, delayMs: number): Promise<void> {
    const { metadata } = world.pod();
    const podName = `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
    await pause(clock, Math.min(endShownMs, delayMs), ending);
    if (ending.aborted) return;
    const message = `back-off ${goDuration(delayMs)} restarting failed container=${name} pod=${podName}`;
    world.note(name, { state: waiting("CrashLoopBackOff", message), lastState: { terminated: end } });
    const told = `Back-off restarting failed container ${name} in pod ${podName}`;
    recorder.event(world.pod(), "Warning", "BackOff", told);
    await pause(clock, Math.max(delayMs - endShownMs, 0), ending);
  }

  function graceMs(): number {
    return (world.pod().spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  async function stopGently(running: RunningContainer, allowedMs: number): Promise<void> {
    recorder.event(world.pod(), "Normal", "Killing", `Stopping container ${name}`);
    const preStop = container.lifecycle?.preStop;
    const beganMs = clock.now();
    if (preStop !== undefined && allowedMs > 0) {
      const because = await runHook(preStop, container, running, world, allowedMs);
      if (because !== undefined) recorder.event(world.pod(), "Warning", "FailedPreStopHook", because);
    }
    await running.stop(Math.max(allowedMs - (clock.now() - beganMs), 0));
  }

  return {
    container,
    logs,
    run,
    started: started.promise,
    running: () => current,
    stop(allowedMs) {
      lateGraceMs = allowedMs;
      if (current === undefined) return;
      // Asked again, with less time: the hook had its chance.
      if (isStopping) void current.stop(allowedMs);
      else void stopGently(current, allowedMs);
      isStopping = true;
    },
    kill() {
      lateGraceMs = 0;
      void current?.kill();
    },
  };
}

function aborted(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    else signal.addEventListener("abort", () => resolve(false), { once: true });
  });
}
