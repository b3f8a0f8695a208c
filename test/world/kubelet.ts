/**
 * A kubelet that only says so: it places pods, marks them as told, and lets them go when asked to.
 * Each pod gets ports of its own, as pods on one machine must.
 */

import type { Informers } from "../../src/controller/index.js";
import type {
  Container,
  ContainerState,
  ContainerStatus,
} from "../../src/domain/apis/core/container.types.js";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import { progressCondition } from "../../src/domain/apis/core/progress.js";
import { isoSeconds } from "../../src/domain/apis/meta/time.js";
import { type Client, type Clock, isPortError } from "../../src/ports/index.js";

/** What becomes of a pod. */
export type Fate =
  | { readonly is: "ready" | "pending" | "succeeded" }
  /** Up and not ready; `moving` while something such as a download makes progress. */
  | { readonly is: "running"; readonly moving?: boolean }
  | { readonly is: "waiting"; readonly reason: string; readonly message?: string }
  /** Its init container or its containers end, are started again, and end again. */
  | {
      readonly is: "crashing";
      readonly exitCode: number;
      readonly message?: string;
      /** Why it ended, where the kubelet knows better than `Error`. */
      readonly reason?: string;
      readonly init?: boolean;
      /** Restarted this often already, and waiting to be restarted again. */
      readonly restarts?: number;
    }
  /** It ended a moment ago, was started again, and answers its probe: for now. */
  | { readonly is: "flapping"; readonly exitCode: number; readonly message?: string }
  /** No node has room for it. */
  | { readonly is: "unschedulable"; readonly message: string }
  | {
      readonly is: "failed";
      readonly reason?: string;
      readonly exitCode: number;
      /** What ended the pod itself, such as Evicted. */
      readonly because?: { readonly reason: string; readonly message: string };
    };

export interface FakeKubelet {
  /** What becomes of pods from now on; those there are looked at again. */
  decide(fateOf: (pod: Pod) => Fate): void;
  /** Deleted pods stay, terminating, until this is called with false. */
  holdDeleted(hold: boolean): void;
}

export const fakeNode = "node-1";
const firstPort = 30_000;

export function startKubelet(client: Client, informers: Informers, clock: Clock): FakeKubelet {
  const pods = informers.of(Pod);
  let fateOf: (pod: Pod) => Fate = () => ({ is: "ready" });
  let holds = false;
  let nextPort = firstPort;
  const working = new Set<string>();
  const again = new Set<string>();

  function look(pod: Pod): void {
    const { uid = "", namespace = "", name } = pod.metadata;
    if (working.has(uid)) {
      again.add(uid);
      return;
    }
    working.add(uid);
    void tend(pod).finally(() => {
      working.delete(uid);
      const now = pods.lister.get({ namespace, name });
      if (again.delete(uid) && now !== undefined) look(now);
    });
  }

  async function tend(pod: Pod): Promise<void> {
    try {
      if (pod.metadata.deletionTimestamp !== undefined) {
        if (!holds) await end(pod);
        return;
      }
      const fate = fateOf(pod);
      if (pod.spec?.nodeName !== undefined) await report(pod, fate);
      else if (fate.is === "unschedulable") await leave(pod, fate.message);
      else await place(pod);
    } catch (error) {
      // Someone else was faster; the change that this was comes by as an event.
      if (!isPortError(error, "Conflict") && !isPortError(error, "NotFound")) throw error;
    }
  }

  async function end({ metadata }: Pod): Promise<void> {
    const key = { namespace: metadata.namespace ?? "", name: metadata.name };
    await client.delete(Pod, key, { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } });
  }

  async function place(pod: Pod): Promise<void> {
    const ports = Object.fromEntries(
      (pod.spec?.containers ?? [])
        .flatMap((container) => container.ports ?? [])
        .map((port) => [String(port.containerPort), nextPort++]),
    );
    await client.update(Pod, {
      ...pod,
      metadata: {
        ...pod.metadata,
        annotations: { ...pod.metadata.annotations, "drydock.dev/ports": JSON.stringify(ports) },
      },
      spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName: fakeNode },
    });
  }

  async function leave(pod: Pod, message: string): Promise<void> {
    const scheduled = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
    await client.updateStatus(Pod, {
      ...pod,
      status: { ...pod.status, phase: "Pending", conditions: [scheduled] },
    });
  }

  async function report(pod: Pod, fate: Fate): Promise<void> {
    const now = isoSeconds(clock.now());
    const answers = fate.is === "ready" || fate.is === "flapping";
    const isReady = answers ? "True" : "False";
    const was = pod.status?.conditions?.find((one) => one.type === "Ready");
    const since = was?.status === isReady ? (was.lastTransitionTime ?? now) : now;
    const wish: Pod["status"] = {
      ...pod.status,
      phase: phases[fate.is],
      ...(fate.is === "failed" ? fate.because : {}),
      podIP: "127.0.0.1",
      podIPs: [{ ip: "127.0.0.1" }],
      hostIP: "127.0.0.1",
      startTime: pod.status?.startTime ?? now,
      conditions: [
        ...(fate.is === "running" && fate.moving === true
          ? [{ type: progressCondition, status: "True", lastProbeTime: now }]
          : []),
        { type: "PodScheduled", status: "True" },
        {
          type: "Ready",
          status: isReady,
          lastTransitionTime: since,
          ...(isReady === "False" ? unready(pod) : {}),
        },
      ],
      initContainerStatuses: (pod.spec?.initContainers ?? []).map((container) =>
        fate.is === "crashing" && fate.init === true
          ? statusOf(container, stateOf(fate, now, pod), false, fate)
          : statusOf(container, stateOf({ is: "succeeded" }, now, pod), true),
      ),
      containerStatuses: (pod.spec?.containers ?? []).map((container) =>
        fate.is === "crashing" && fate.init === true
          ? statusOf(container, { waiting: { reason: "PodInitializing" } }, false)
          : statusOf(container, stateOf(fate, now, pod), answers, fate),
      ),
    };
    await client.updateStatus(Pod, { ...pod, status: wish });
  }

  pods.subscribe(({ type, object }) => {
    if (type !== "deleted") look(object);
  });
  return {
    decide(next) {
      fateOf = next;
      for (const pod of pods.lister.list()) look(pod);
    },
    holdDeleted(hold) {
      holds = hold;
      for (const pod of pods.lister.list()) look(pod);
    },
  };
}

function unready(pod: Pod) {
  const names = (pod.spec?.containers ?? []).map((one) => one.name).join(" ");
  return { reason: "ContainersNotReady", message: `containers with unready status: [${names}]` };
}

const phases: { readonly [is in Fate["is"]]: string } = {
  ready: "Running",
  running: "Running",
  crashing: "Running",
  flapping: "Running",
  pending: "Pending",
  waiting: "Pending",
  unschedulable: "Pending",
  succeeded: "Succeeded",
  failed: "Failed",
};

function statusOf(
  { name, image }: Container,
  state: ContainerState,
  ready: boolean,
  fate?: Fate,
): ContainerStatus {
  const plain = { name, ready, restartCount: 0, image, imageID: "", state };
  if (fate?.is === "flapping") {
    const { exitCode, message = "" } = fate;
    const endedAt = state.running?.startedAt;
    const terminated = { exitCode, message, reason: "Error", startedAt: endedAt, finishedAt: endedAt };
    return { ...plain, restartCount: 1, lastState: { terminated } as ContainerState };
  }
  if (fate?.is !== "crashing" || fate.restarts === undefined) return plain;
  const waiting = { reason: "CrashLoopBackOff", message: `back-off restarting failed container=${name}` };
  return { ...plain, restartCount: fate.restarts, state: { waiting }, lastState: state };
}

function stateOf(fate: Fate, now: string, pod: Pod): ContainerState {
  switch (fate.is) {
    case "ready":
    case "running":
      return { running: { startedAt: pod.status?.startTime ?? now } };
    case "flapping":
      return { running: { startedAt: now } };
    case "waiting":
      return { waiting: { reason: fate.reason, message: fate.message ?? "" } };
    case "pending":
    case "unschedulable":
      return { waiting: { reason: "ContainerCreating" } };
    case "crashing":
      return {
        terminated: {
          exitCode: fate.exitCode,
          reason: fate.reason ?? "Error",
          message: fate.message ?? "",
        },
      };
    case "failed":
      return { terminated: { exitCode: fate.exitCode, reason: fate.reason ?? "Error" } };
    case "succeeded":
      return { terminated: { exitCode: 0, reason: "Completed" } };
  }
}
