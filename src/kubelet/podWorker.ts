/**
 * One pod, from the moment it is ours to the moment it is gone: ports and volumes, init containers one after the
 * other, then the rest together; and at the end everything stopped, told, and cleared away.
 */
import { setMaxListeners } from "node:events";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Pod } from "../domain/apis/core/pod.types.js";
import type { StartTimes } from "../domain/apis/core/started.js";
import type { PodRef } from "../ports/index.js";
import { type ContainerLife, containerLife, type RunsOn } from "./container/containerLife.js";
import type { KubeletDeps } from "./deps.js";
import { podFolders } from "./folders.js";
import type { HostPorts } from "./hostPorts.js";
import {
  awayFirstMs,
  awayMaxMs,
  closeEndMs,
  finalStatusMs,
  growthToldMs,
  setupRetryFirstMs,
  setupRetryMaxMs,
} from "./limits.js";
import { podPlace } from "./place.js";
import { podApi } from "./podApi.js";
import { type PodPorts, takePodPorts } from "./podPorts.js";
import type { NodeFacts } from "./setup/downward.js";
import { isProblem, isTrouble, type SetupProblem } from "./setup/problem.js";
import { prepareVolumes, type Volumes } from "./setup/volumes.js";
import { startWatch } from "./startTimes.js";
import { type ContainerFacts, isWellUnderWay, type PodFacts, waiting } from "./status/facts.js";
import { isEnded, makePodStatus } from "./status/podStatus.js";
import { restoredFacts } from "./status/restored.js";
import { statusWriter } from "./status/statusWriter.js";
import { deferred, pause } from "./times.js";
import type { PodWorld } from "./world.js";

export interface PodWorker {
  readonly ref: PodRef;
  pod(): Pod;
  life(container: string): ContainerLife | undefined;
  facts(container: string): ContainerFacts | undefined;
  ports(): PodPorts | undefined;
  /** The pod as the API has it now. */
  update(pod: Pod): void;
  /** The pod is no longer in the API: nothing to tell, everything to end. */
  gone(): void;
  /** Drydock ends: the processes too, the pod stays. */
  close(graceMs: number): Promise<void>;
  /** Resolves when nothing of the pod is left here. */
  readonly done: Promise<void>;
}

export function podWorker(first: Pod, deps: KubeletDeps, table: HostPorts, node: NodeFacts): PodWorker {
  const { clock, log, recorder } = deps;
  const { metadata, spec = { containers: [] } } = first;
  const ref: PodRef = {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    uid: metadata.uid ?? "",
  };
  const folders = podFolders(deps.home, ref.uid);
  const place = podPlace(first, deps);
  const hasInit = (spec.initContainers ?? []).length > 0;
  const resting = hasInit ? "PodInitializing" : "ContainerCreating";
  const startedAtMs = Date.parse(first.status?.startTime ?? "") || clock.now();
  /** Nothing of this pod is started any more. */
  const ending = new AbortController();
  /** Nothing about this pod is written any more: it is gone, or Drydock is going. */
  const over = new AbortController();
  for (const { signal } of [ending, over]) setMaxListeners(0, signal); // every wait of every container listens

  let pod = first;
  let facts: Omit<PodFacts, "pod" | "conditions"> = {
    containers: restoredFacts(first, resting, clock.now(), () =>
      place.mayHaveSurvived ? { isRunning: false } : undefined,
    ),
    startedAtMs,
    isPrepared: false,
    isInitialized: !hasInit || isEnded(first),
    isTerminating: false,
    isOver: isEnded(first),
    progressedAtMs: undefined,
    away: undefined,
    failure: undefined,
    started: undefined,
  };
  let conditions = first.status?.conditions ?? [];
  let ports: PodPorts | undefined;
  let volumes: Volumes = new Map();
  /** Containers of an earlier life that are followed from where it broke off, by name. */
  const takenBack = new Map<string, RunsOn>();
  let isBindDue = false;
  let bound: Promise<void> | undefined;
  let graceAllowedMs = Number.POSITIVE_INFINITY;
  /** Others may start. */
  let endTurn = () => {};

  const api = podApi({ client: deps.client, clock, log, ref, over: over.signal });
  const status = statusWriter({
    clock,
    log,
    over: over.signal,
    make() {
      const made = makePodStatus({ ...facts, pod, conditions: currentConditions() }, clock.now());
      conditions = made.conditions ?? [];
      return made;
    },
    mayWait: () => isWellUnderWay(facts),
    async write(made) {
      // First, and in the same flush: whoever sees a ready pod must also see where its ports are.
      bindNow();
      await Promise.all([bound, api.writeStatus(made)]);
    },
  });

  /** Ours as last made, since the watch may still carry older ones; others' as the API has them. */
  function currentConditions() {
    const seen = pod.status?.conditions ?? [];
    return [...conditions, ...seen.filter((one) => !conditions.some((mine) => mine.type === one.type))];
  }

  function know(change: Partial<typeof facts>): void {
    facts = { ...facts, ...change };
    status.publish();
  }

  const start = startWatch(clock.now, deps.wokenAtMs?.(first));
  const world: PodWorld = {
    deps,
    start,
    node,
    ref,
    folders,
    pod: () => pod,
    ports: () => ports!,
    volumes: () => volumes,
    place: place.of,
    sandboxKind: place.kind,
    ending: ending.signal,
    facts: (container) => facts.containers.get(container)!,
    note(container, change) {
      const containers = new Map(facts.containers);
      const before = containers.get(container)!;
      const { terminated } = before.state;
      // Whatever a container does after its end, even wait: how it ended stays known.
      const kept = change.state !== undefined && terminated !== undefined && { lastState: { terminated } };
      containers.set(container, { ...before, ...kept, ...change });
      know({ containers, started: facts.started ?? startedNow(containers) });
    },
    away: (because) => know({ away: because }),
    progressed() {
      const nowMs = clock.now();
      if (nowMs - (facts.progressedAtMs ?? 0) >= growthToldMs) know({ progressedAtMs: nowMs });
    },
    portsChanged: bind,
  };
  const before = (spec.initContainers ?? []).map((container) => {
    const isSidecar = container.restartPolicy === "Always";
    return { isSidecar, life: containerLife(container, isSidecar ? "sidecar" : "init", world) };
  });
  const mains = spec.containers.map((container) => containerLife(container, "main", world));
  const lives = [...before.map((one) => one.life), ...mains];

  /** Only a first start is one that somebody waited for. */
  function startedNow(containers: ReadonlyMap<string, ContainerFacts>): StartTimes | undefined {
    if (!spec.containers.every(({ name }) => containers.get(name)?.isReady)) return undefined;
    if (takenBack.size > 0) return undefined;
    const times = start.ready();
    if (times !== undefined) deps.onStarted(times);
    endTurn();
    return times;
  }

  /** Before the next status, and behind what is being started: before there is one nobody asks where the ports are. */
  function bind(): void {
    isBindDue = true;
    setImmediate(bindNow);
    status.publish();
  }

  function bindNow(): void {
    if (!isBindDue || over.signal.aborted) return;
    isBindDue = false;
    bound = Promise.all([bound, api.bind(pod, deps.nodeName, ports!.annotation())]).then(() => {});
  }

  async function live(): Promise<void> {
    if (facts.isOver) return; // only its logs are of interest, and its deletion
    await takeBack();
    // What was in memory went with the last Drydock, and init containers may have to write it again.
    const inMemory = (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.medium === "Memory");
    const hadVolumes = existsSync(folders.volumes) && (!inMemory || runsOn());
    const gate = deferred();
    // They make their images ready while volumes, ports and init containers are on their way.
    const main = mains.filter((life) => !isFinished(life)).map((life) => runLife(life, gate.promise));
    const cancelDeadline = watchDeadline();
    endTurn = runsOn() ? () => {} : await deps.turns.take(ending.signal);
    const prepared = await prepare();
    const others = prepared ? await initialize(hadVolumes) : [];
    if (!ending.signal.aborted) {
      start.initialized();
      know({ isInitialized: true });
      gate.resolve();
      await Promise.all(main);
    }
    ending.abort();
    // Sidecars have no end of their own.
    if (!facts.isTerminating && !over.signal.aborted) stopAll(graceMs());
    await Promise.all([...main, ...others]);
    cancelDeadline();
    endTurn();
    await place.end(ref);
    know({ isOver: true });
  }

  /** What a Drydock that was killed left goes on as it is, or tells how it ended; the rest begins again. */
  async function takeBack(): Promise<void> {
    if (!place.mayHaveSurvived) return;
    const found = await askForSurvivors();
    const unwanted = (found?.all ?? []).filter((survivor) => {
      const { state, containerID } = facts.containers.get(survivor.name) ?? {};
      const isKnown = state?.running !== undefined && containerID?.endsWith(`://${survivor.id}`) === true;
      if (isKnown && !ending.signal.aborted) takenBack.set(survivor.name, { survivor, place: found!.place });
      return !takenBack.has(survivor.name);
    });
    await Promise.all(unwanted.map((survivor) => survivor.end()));
    const containers = restoredFacts(first, resting, clock.now(), (name) => takenBack.get(name)?.survivor);
    facts = { ...facts, containers, away: undefined };
    const [one] = takenBack.values();
    if (one === undefined) return;
    ports ??= await takePodPorts(pod, table, one.survivor.podPorts);
    facts = { ...facts, isPrepared: true, isInitialized: before.every(isUp) };
    log.info("took back containers of an earlier life", { pod: ref, count: takenBack.size });
  }

  /** Only the engine knows what became of them: nothing is begun anew, or ended, before it answers. */
  async function askForSurvivors() {
    for (let waitMs = awayFirstMs; !over.signal.aborted; waitMs = Math.min(waitMs * 2, awayMaxMs)) {
      const found = await place.survivors(ref);
      if (found.outcome === "found") {
        if (facts.away !== undefined)
          recorder.event(pod, "Normal", "EngineBack", "the container engine answers again");
        return found;
      }
      if (facts.away === undefined) recorder.event(pod, "Warning", "EngineAway", found.because);
      know({ away: found.because, isInitialized: before.every(isUp) });
      await pause(clock, waitMs, over.signal);
    }
    return undefined;
  }

  function isUp({ isSidecar, life }: (typeof before)[number]): boolean {
    const known = facts.containers.get(life.container.name);
    return isSidecar ? known?.isStarted === true : known?.state.terminated?.exitCode === 0;
  }

  function runsOn(): boolean {
    return [...takenBack.values()].some(({ survivor }) => survivor.isRunning);
  }

  function runLife(life: ContainerLife, gate: Promise<void>): ReturnType<ContainerLife["run"]> {
    return life.run(gate, takenBack.get(life.container.name));
  }

  async function initialize(hadVolumes: boolean): Promise<readonly Promise<unknown>[]> {
    const running: Promise<unknown>[] = [];
    for (const { isSidecar, life } of before) {
      if (ending.signal.aborted) break;
      // An earlier life of Drydock saw it succeed, and what it wrote is still there.
      if (!isSidecar && hadVolumes && isFinished(life)) continue;
      const run = runLife(life, Promise.resolve());
      running.push(run);
      if (isSidecar) await Promise.race([life.started, run]);
      else if ((await run) === "failed") ending.abort();
    }
    return running;
  }

  function isFinished(life: ContainerLife): boolean {
    return facts.containers.get(life.container.name)?.state.terminated !== undefined;
  }

  /** False when the pod ended first. */
  async function prepare(): Promise<boolean> {
    let waitMs = setupRetryFirstMs;
    let told = "";
    while (!ending.signal.aborted) {
      const made = await tryPrepare();
      if (bound === undefined && !isBindDue && ports !== undefined) bind();
      if (!isProblem(made)) {
        volumes = made;
        start.prepared();
        know({ isPrepared: true });
        return true;
      }
      if (made.problem !== told) recorder.event(pod, "Warning", "FailedMount", made.problem);
      told = made.problem;
      for (const { container } of lives) {
        const { reason = "ContainerCreating" } = world.facts(container.name).state.waiting ?? {};
        world.note(container.name, { state: waiting(reason, made.problem) });
      }
      await pause(clock, waitMs, ending.signal);
      waitMs = Math.min(waitMs * 2, setupRetryMaxMs);
    }
    return false;
  }

  async function tryPrepare(): Promise<Volumes | SetupProblem> {
    try {
      const context = { ...deps, folders, node, sandboxKind: await place.kind };
      const [, made] = await Promise.all([takePorts(), prepareVolumes(pod, context)]);
      return made;
    } catch (error) {
      if (!isTrouble(error)) throw error;
      return { problem: error.message };
    }
  }

  async function takePorts(): Promise<void> {
    ports ??= await takePodPorts(pod, table, await place.network(ref));
  }

  function watchDeadline(): () => void {
    const seconds = pod.spec?.activeDeadlineSeconds;
    if (seconds === undefined) return () => {};
    return clock.after(Math.max(startedAtMs + seconds * 1000 - clock.now(), 0), () => {
      if (ending.signal.aborted) return;
      const message = "Pod was active on the node longer than the specified deadline";
      know({ failure: { reason: "DeadlineExceeded", message } });
      recorder.event(pod, "Normal", "DeadlineExceeded", message);
      ending.abort();
      stopAll(graceMs());
    });
  }

  function stopAll(allowedMs: number): void {
    for (const life of lives) life.stop(allowedMs);
  }

  function graceMs(): number {
    return (pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  async function terminate(): Promise<void> {
    const wasReady = mains.some(({ container }) => facts.containers.get(container.name)?.isReady);
    graceAllowedMs = graceMs();
    know({ isTerminating: true });
    ending.abort();
    // Not Ready first: the slot must be empty for everybody before the process hears that it is to go.
    if (wasReady) {
      await Promise.race([status.flush(), pause(clock, deps.lameDuckMs)]);
      await pause(clock, deps.lameDuckMs);
    }
    stopAll(graceAllowedMs);
    await alive;
    await Promise.race([status.flush(), pause(clock, finalStatusMs)]);
    await api.remove();
  }

  const alive = live().catch((error: unknown) => {
    // Our own bug: this pod fails loudly, the others go on.
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error("pod worker failed", { pod: ref, error: message });
    ending.abort();
    for (const life of lives) life.kill();
    know({ failure: { reason: "DrydockError", message: message.split("\n")[0] ?? "" }, isOver: true });
  });
  const finished = deferred();

  async function clearAway(): Promise<void> {
    for (const life of lives) life.kill();
    await alive;
    ports?.release();
    for (const folder of [folders.root, folders.memoryRoot]) {
      await rm(folder, { recursive: true, force: true }).catch((error) =>
        log.error("pod folder not removed", { pod: ref, error: String(error) }),
      );
    }
    finished.resolve();
  }

  return {
    ref,
    pod: () => pod,
    life: (container) => lives.find((one) => one.container.name === container),
    facts: (container) => facts.containers.get(container),
    ports: () => ports,
    update(latest) {
      pod = latest;
      if (latest.metadata.deletionTimestamp === undefined) return;
      if (!facts.isTerminating) {
        void terminate();
      } else if (graceMs() < graceAllowedMs) {
        graceAllowedMs = graceMs();
        stopAll(graceAllowedMs);
      }
    },
    gone() {
      if (over.signal.aborted) return;
      over.abort();
      ending.abort();
      void clearAway();
    },
    async close(closeGraceMs) {
      over.abort();
      ending.abort();
      stopAll(Math.min(closeGraceMs, graceMs()));
      // An engine that is away tells nothing of an end.
      await Promise.race([alive, pause(clock, closeGraceMs + closeEndMs)]);
      await rm(folders.memoryRoot, { recursive: true, force: true });
    },
    done: finished.promise,
  };
}
