// The Sandbox port with a container engine: real walls, any image, nothing left behind.
import {
  type Clock,
  type ContainerSpec,
  isPortError,
  PortError,
  type RunningContainer,
  type Sandbox,
} from "../../ports/index.js";
import { followContainer } from "./container.js";
import type { FoundEngine } from "./discover.js";
import { createBody, startError } from "./hostConfig.js";
import { labelsOf, nameOf, ownerLabel } from "./labels.js";
import { closeWithinMs, sweepAtOnce } from "./limits.js";
import { podNetworks, remove } from "./podNetworks.js";

export interface EngineSandboxOptions {
  readonly engine: FoundEngine;
  readonly clock: Clock;
  /** Names this life of Drydock. */
  readonly instance: string;
}

interface Info {
  readonly SecurityOptions?: readonly string[] | null;
  readonly OperatingSystem?: string;
  readonly Rootless?: boolean;
}

export async function engineSandbox({ engine, clock, instance }: EngineSandboxOptions): Promise<Sandbox> {
  const { api } = engine;
  const info = await api.call<Info>("GET", "/info");
  const options = info.SecurityOptions ?? [];
  const isPodman = engine.name === "Podman";
  const hasSelinux = options.some((one) => one.includes("selinux"));
  const labels = labelsOf(instance);
  const networks = podNetworks(api, engine.architecture, labels);
  const running = new Set<RunningContainer>();
  const pods = new Map<string, ContainerSpec["pod"]>();
  /** By pod and name: the next start waits until the container before is gone, which still holds its ports. */
  const leaving = new Map<string, Promise<void>>();
  let isClosed = false;

  async function start(spec: ContainerSpec): Promise<RunningContainer> {
    if (isClosed) throw new PortError("ServiceUnavailable", "Drydock is shutting down");
    const slot = `${spec.pod.uid}/${spec.name}`;
    pods.set(spec.pod.uid, spec.pod);
    await leaving.get(slot);
    const network = await networks.join(spec);
    const { Id: id } = await api.call<{ Id: string }>("POST", "/containers/create", {
      query: { name: nameOf(spec.name, spec.pod, spec.id) },
      body: createBody(spec, {
        network,
        namesAll: isPodman,
        labels: labels.of(spec.pod, spec.name),
        hasSelinux,
      }),
      withinMs: 0,
    });
    const output = await begin(id).catch(async (error: unknown) => {
      await remove(api, id);
      throw isPortError(error) ? startError(error) : error;
    });
    const container = followContainer({
      api,
      id,
      spec,
      output,
      clock,
      architecture: engine.architecture,
      stopSignal: spec.image.stopSignal ?? "SIGTERM",
      clearAway() {
        running.delete(container);
        const left = remove(api, id).finally(() => leaving.get(slot) === left && leaving.delete(slot));
        leaving.set(slot, left);
      },
    });
    running.add(container);
    if (isClosed) void container.kill();
    return container;
  }

  /** Listened to before it runs, or its first words would be lost. */
  async function begin(id: string) {
    const query = { stream: true, stdout: true, stderr: true };
    const output = await api.connect(`/containers/${id}/attach`, { query });
    try {
      await api.call("POST", `/containers/${id}/start`, { withinMs: 0 });
    } catch (error) {
      output.destroy();
      throw error;
    }
    return output;
  }

  async function sweep(): Promise<readonly string[]> {
    const found = await api.call<readonly { Id: string; Labels?: { [name: string]: string } }[]>(
      "GET",
      "/containers/json",
      { query: { all: true, filters: JSON.stringify({ label: [ownerLabel] }) } },
    );
    const orphans = found.filter(({ Labels }) => labels.isOrphan(Labels?.[ownerLabel] ?? ""));
    // Those that hold a network go last: an engine refuses to remove one that others still use.
    const holders = orphans.filter(({ Labels }) => Labels?.["io.kubernetes.container.name"] === "POD");
    for (const part of [orphans.filter((one) => !holders.includes(one)), holders]) {
      for (let at = 0; at < part.length; at += sweepAtOnce) {
        await Promise.all(part.slice(at, at + sweepAtOnce).map(({ Id }) => remove(api, Id)));
      }
    }
    return orphans.map(({ Id }) => Id);
  }

  return {
    scheme: engine.name.toLowerCase(),
    // Docker's proxy, and every virtual machine's, accepts at once; Podman as root has the kernel forward packets.
    forwardsPorts: !(isPodman && info.Rootless === false && engine.address.url.startsWith("unix:")),
    start,
    sweep,
    async endPod(pod) {
      pods.delete(pod.uid);
      const mine = [...leaving].filter(([slot]) => slot.startsWith(`${pod.uid}/`));
      await Promise.all(mine.map(([, left]) => left));
      await networks.leave(pod);
    },
    async close() {
      isClosed = true;
      const done = (async () => {
        await Promise.all([...running].map((container) => container.kill()));
        await Promise.all(leaving.values());
        await Promise.all([...pods.values()].map((pod) => networks.leave(pod)));
      })();
      const late = new Promise<void>((resolve) => setTimeout(resolve, closeWithinMs).unref());
      await Promise.race([done, late]);
    },
  };
}
