// Gives every pod of this node, and every pod without one, a worker; and clears up what an earlier life left behind.
import { readdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { makeInformers } from "../controller/index.js";
import { type Pod, Pod as PodKind, type PodSpec } from "../domain/apis/core/pod.types.js";
import { isPortError, type PodRuntime } from "../ports/index.js";
import type { KubeletDeps, KubeletOptions } from "./deps.js";
import { podFolders, podsFolder } from "./folders.js";
import { foresight } from "./foresight.js";
import { hostPorts } from "./hostPorts.js";
import { fetchImagesAhead } from "./imagesAhead.js";
import { closeGraceMs, lameDuckMs, startsPerProcessor } from "./limits.js";
import { nodeFacts, registerNode } from "./node.js";
import { type PodWorker, podWorker } from "./podWorker.js";
import { podRuntime } from "./runtime.js";
import { startFigures } from "./startTimes.js";
import { idleShareOfMachine, startTurns } from "./startTurns.js";
import { isEnded } from "./status/podStatus.js";

export interface Kubelet {
  readonly runtime: PodRuntime;
  readonly nodeName: string;
  /** Such pods may be made some time: what can be done for that ahead is. */
  warm(spec: PodSpec): Promise<void>;
  /** Such a pod is made in a moment. */
  stir(spec: PodSpec): void;
  /** Lines for /metrics. */
  figures(): readonly string[];
  /** Ends every process, within a bounded time; the pods stay in the API and run again after the next start. */
  close(): Promise<void>;
}

export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const starts = startFigures();
  const deps: KubeletDeps = {
    ...options,
    nodeName: options.nodeName ?? "drydock",
    allowHostPath: options.allowHostPath ?? false,
    lameDuckMs: options.lameDuckMs ?? lameDuckMs,
    closeGraceMs: options.closeGraceMs ?? closeGraceMs,
    serviceAccountToken: options.serviceAccountToken,
    onStarted: starts.observe,
    turns: startTurns({
      clock: options.clock,
      atOnce: startsPerProcessor * availableParallelism(),
      idleShare: idleShareOfMachine(),
    }),
  };
  const node = nodeFacts(deps.nodeName);
  const table = hostPorts(deps.random);
  const workers = new Map<string, PodWorker>();
  /** The uid last seen under a name: a pod made anew under it is another pod. */
  const uids = new Map<string, string>();
  let isClosed = false;

  const [swept] = await Promise.all([deps.sandbox.sweep(), registerNode(deps, node, options.version)]);
  if (swept.length > 0) deps.log.info("ended containers of an earlier life", { count: swept.length });

  function seen(pod: Pod): void {
    if (isClosed || !isOurs(pod, deps.nodeName)) return;
    const uid = pod.metadata.uid ?? "";
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const before = uids.get(name);
    if (before !== undefined && before !== uid) workers.get(before)?.gone();
    uids.set(name, uid);

    const worker = workers.get(uid);
    if (worker !== undefined) worker.update(pod);
    else if (pod.metadata.deletionTimestamp !== undefined) void forget(pod);
    else begin(pod, uid);
  }

  function begin(pod: Pod, uid: string): void {
    const worker = podWorker(pod, deps, table, node);
    workers.set(uid, worker);
    void worker.done.then(() => workers.delete(uid));
  }

  /** A pod that is to go and of which nothing runs here. */
  async function forget(pod: Pod): Promise<void> {
    const key = { namespace: pod.metadata.namespace ?? "", name: pod.metadata.name };
    const preconditions = { uid: pod.metadata.uid };
    await deps.client
      .delete(PodKind, key, { gracePeriodSeconds: 0, preconditions })
      .catch((error: unknown) => {
        if (!isPortError(error, "NotFound"))
          deps.log.error("pod not deleted", { pod: key, error: String(error) });
      });
  }

  const ownInformers = options.informers === undefined ? makeInformers(deps) : undefined;
  const informers = options.informers ?? ownInformers!;
  const pods = informers.of(PodKind);
  pods.subscribe(({ type, object }) => {
    if (type !== "deleted") return seen(object);
    const uid = object.metadata.uid ?? "";
    uids.delete(`${object.metadata.namespace}/${object.metadata.name}`);
    workers.get(uid)?.gone();
  });
  await pods.synced;
  // Nobody waits for it. What their workers may take back is left to them.
  const alive = () =>
    new Set([...workers].filter(([, worker]) => !isEnded(worker.pod())).map(([uid]) => uid));
  if (deps.engine?.hasLeftovers()) void deps.engine.sweep(alive);
  await clearFolders(deps.home, new Set(pods.lister.list().map((pod) => pod.metadata.uid ?? "")));

  const closing = new AbortController();
  fetchImagesAhead(deps, informers, closing.signal);

  return {
    runtime: podRuntime(workers),
    nodeName: deps.nodeName,
    ...foresight(deps, closing.signal),
    figures: starts.lines,
    async close() {
      isClosed = true;
      closing.abort();
      ownInformers?.close();
      await Promise.all([...workers.values()].map((worker) => worker.close(deps.closeGraceMs)));
    },
  };
}

function isOurs({ spec }: Pod, nodeName: string): boolean {
  if ((spec?.schedulingGates ?? []).length > 0) return false;
  return !spec?.nodeName || spec.nodeName === nodeName;
}

/** Folders of pods that went while nobody was here to see it. */
async function clearFolders(home: string, uids: ReadonlySet<string>): Promise<void> {
  for (const uid of await readdir(podsFolder(home)).catch(() => [])) {
    if (uids.has(uid)) continue;
    await rm(podFolders(home, uid).memoryRoot, { recursive: true, force: true });
    await rm(join(podsFolder(home), uid), { recursive: true, force: true });
  }
}
