/**
 * One pod, from the moment it is ours to the moment it is gone: ports and volumes, init containers one after the
 * other, then the rest together; and at the end everything stopped, told, and cleared away.
 */
import { setMaxListeners } from "node:events";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type Pod, Pod as PodKind } from "../domain/apis/core/pod.types.js";
import { isPortError, type PodRef } from "../ports/index.js";
import { type ContainerLife, containerLife } from "./container/containerLife.js";
import type { KubeletDeps } from "./deps.js";
import { podFolders } from "./folders.js";
import type { HostPorts } from "./hostPorts.js";
import { setupRetryFirstMs, setupRetryMaxMs, statusRetryFirstMs, statusRetryMaxMs } from "./limits.js";
import { type PodPorts, portsAnnotation, takePodPorts } from "./podPorts.js";
import type { NodeFacts } from "./setup/downward.js";
import { isProblem } from "./setup/problem.js";
import { prepareVolumes, type Volumes } from "./setup/volumes.js";
import { type ContainerFacts, type PodFacts, waiting } from "./status/facts.js";
import { makePodStatus } from "./status/podStatus.js";
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
  const { client, clock, log, recorder } = deps;
  const key = { namespace: first.metadata.namespace ?? "", name: first.metadata.name };
  const ref: PodRef = { ...key, uid: first.metadata.uid ?? "" };
  const folders = podFolders(deps.home, ref.uid);
  const spec = first.spec ?? { containers: [] };
  const hasInit = (spec.initContainers ?? []).length > 0;
  const ending = new AbortController();
  setMaxListeners(0, ending.signal); // every wait of every container listens
  const startedAtMs = Date.parse(first.status?.startTime ?? "") || clock.now();

  let pod = first;
  let facts: Omit<PodFacts, "pod" | "conditions"> = {
    containers: restoredFacts(first, hasInit ? "PodInitializing" : "ContainerCreating", clock.now()),
    startedAtMs,
    isPrepared: false,
    isInitialized: !hasInit,
    isTerminating: false,
    isOver: false,
    failure: undefined,
  };
  let conditions = first.status?.conditions ?? [];
  let ports: PodPorts | undefined;
  let volumes: Volumes = new Map();
  let bound: Promise<void> = Promise.resolve();
  let isGone = false;
  let isClosing = false;
  let graceAllowedMs = Number.POSITIVE_INFINITY;

  const status = statusWriter({
    clock,
    log,
    make() {
      const made = makePodStatus({ ...facts, pod, conditions: currentConditions() }, clock.now());
      conditions = made.conditions ?? [];
      return made;
    },
    async write(made) {
      await bound; // whoever sees a ready pod must also see where its ports are
      const body = { reason: null, message: null, ...made };
      await client.patch(
        PodKind,
        key,
        { metadata: { uid: ref.uid }, status: body },
        { type: "merge", subresource: "status" },
      );
    },
  });

  /** Ours as last made, since the watch may still carry older ones; others' as the API has them. */
  function currentConditions() {
    const theirs = (pod.status?.conditions ?? []).filter(
      (one) => !conditions.some((mine) => mine.type === one.type),
    );
    return [...conditions, ...theirs];
  }

  function know(change: Partial<typeof facts>): void {
    facts = { ...facts, ...change };
    status.publish();
  }

  const world: PodWorld = {
    deps,
    node,
    ref,
    folders,
    pod: () => pod,
    ports: () => ports!,
    volumes: () => volumes,
    ending: ending.signal,
    facts: (container) => facts.containers.get(container)!,
    note(container, change) {
      const containers = new Map(facts.containers);
      containers.set(container, { ...containers.get(container)!, ...change });
      know({ containers });
    },
    portsChanged() {
      bound = bound.then(bind);
    },
  };
  const sidecarOrInit = (spec.initContainers ?? []).map((container) => {
    const role = container.restartPolicy === "Always" ? ("sidecar" as const) : ("init" as const);
    return { role, life: containerLife(container, role, world) };
  });
  const mains = spec.containers.map((container) => containerLife(container, "main", world));
  const lives = [...sidecarOrInit.map((one) => one.life), ...mains];

  async function live(): Promise<void> {
    const hadVolumes = existsSync(folders.volumes);
    if (!(await prepare())) return;
    const cancelDeadline = watchDeadline();
    const gate = deferred();
    const running: Promise<unknown>[] = [];
    const main = mains.filter((life) => !isFinished(life)).map((life) => life.run(gate.promise));
    running.push(...main);

    for (const { role, life } of sidecarOrInit) {
      // An earlier life of Drydock saw it succeed, and what it wrote is still there.
      if (hadVolumes && role === "init" && isFinished(life)) continue;
      const run = life.run(Promise.resolve());
      running.push(run);
      if (role === "sidecar") {
        await Promise.race([life.started, run]);
      } else if ((await run) === "failed") {
        ending.abort();
      }
      if (ending.signal.aborted) break;
    }
    if (!ending.signal.aborted) {
      know({ isInitialized: true });
      gate.resolve();
      await Promise.all(main);
      if (!ending.signal.aborted) ending.abort();
    }
    for (const life of lives) if (!facts.isTerminating && !isClosing) life.stop(graceMs());
    await Promise.all(running);
    cancelDeadline();
    if (!isClosing) know({ isOver: true });
  }

  function isFinished(life: ContainerLife): boolean {
    return facts.containers.get(life.container.name)?.state.terminated !== undefined;
  }

  async function prepare(): Promise<boolean> {
    ports = await takePodPorts(pod, table);
    bound = bind();
    let waitMs = setupRetryFirstMs;
    let told = "";
    while (!ending.signal.aborted) {
      const made = await prepareVolumes(pod, { ...deps, folders, node }).catch((error) => ({
        problem: String(error.message),
      }));
      if (!isProblem(made)) {
        volumes = made;
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

  /** Says that the pod is on this node, and where its ports are. */
  async function bind(): Promise<void> {
    let waitMs = statusRetryFirstMs;
    while (!isGone) {
      const annotations = { [portsAnnotation]: ports!.annotation() };
      const node = pod.spec?.nodeName ? {} : { spec: { nodeName: deps.nodeName } };
      try {
        await client.patch(
          PodKind,
          key,
          { metadata: { uid: ref.uid, annotations }, ...node },
          { type: "merge" },
        );
        return;
      } catch (error) {
        if (isPortError(error, "NotFound")) return;
        log.error("pod not bound, trying again", { pod: key, error: String(error) });
        await pause(clock, waitMs, ending.signal);
        waitMs = Math.min(waitMs * 2, statusRetryMaxMs);
        if (ending.signal.aborted) return;
      }
    }
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
      for (const life of lives) life.stop(graceMs());
    });
  }

  function graceMs(): number {
    const seconds = pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
    return seconds * 1000;
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
    for (const life of lives) life.stop(graceAllowedMs);
    await alive;
    if (isGone || isClosing) return;
    await Promise.race([status.flush(), pause(clock, statusRetryMaxMs)]);
    status.stop();
    await remove();
  }

  async function remove(): Promise<void> {
    let waitMs = statusRetryFirstMs;
    while (!isGone && !isClosing) {
      try {
        await client.delete(PodKind, key, { gracePeriodSeconds: 0, preconditions: { uid: ref.uid } });
        return;
      } catch (error) {
        if (isPortError(error, "NotFound") || isPortError(error, "Conflict")) return;
        log.error("pod not deleted, trying again", { pod: key, error: String(error) });
        await pause(clock, waitMs);
        waitMs = Math.min(waitMs * 2, statusRetryMaxMs);
      }
    }
  }

  const alive = live().catch((error: unknown) => {
    log.error("pod worker failed", { pod: key, error: error instanceof Error ? error.stack : String(error) });
    for (const life of lives) life.kill();
    ending.abort();
    const message = error instanceof Error ? error.message : String(error);
    know({ failure: { reason: "DrydockError", message }, isOver: true });
  });
  const finish = deferred();

  async function clearAway(): Promise<void> {
    for (const life of lives) life.kill();
    await alive;
    ports?.release();
    await rm(folders.root, { recursive: true, force: true }).catch((error) =>
      log.error("pod folder not removed", { pod: key, error: String(error) }),
    );
    finish.resolve();
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
        for (const life of lives) life.stop(graceAllowedMs);
      }
    },
    gone() {
      if (isGone) return;
      isGone = true;
      status.stop();
      ending.abort();
      void clearAway();
    },
    async close(closeGraceMs) {
      isClosing = true;
      status.stop();
      ending.abort();
      for (const life of lives) life.stop(Math.min(closeGraceMs, graceMs()));
      await alive;
    },
    done: finish.promise,
  };
}
