// The Sandbox port with a container engine: real walls, any image, nothing left behind.
import {
  type Clock,
  type ContainerSpec,
  isPortError,
  PortError,
  type RunningContainer,
  type Sandbox,
  type Survivor,
} from "../../ports/index.js";
import { type ContainerParts, followContainer, runs, type State } from "./container.js";
import type { FoundEngine } from "./discover.js";
import { createBody, startError } from "./hostConfig.js";
import { bearerOf, holderName, type Labeled, labelsOf, nameOf, ownerLabel } from "./labels.js";
import {
  closeWithinMs,
  removeAgainMs,
  removeTries,
  sparesEach,
  sweepAtOnce,
  versionWithinMs,
} from "./limits.js";
import { networkSpares } from "./networkSpares.js";
import { podNetworks } from "./podNetworks.js";
import { remove } from "./remove.js";

export interface EngineSandboxOptions {
  readonly engine: FoundEngine;
  readonly clock: Clock;
  /** Names this life of Drydock. */
  readonly instance: string;
  /** How many networks of a kind wait for a pod. */
  readonly spares?: number;
  /** Drydock's own folder, whose next life may take back what this one leaves; without one nobody does. */
  readonly home?: string;
}

/** A container that an earlier life left. */
interface Left {
  readonly Id: string;
  readonly State?: string;
  readonly Labels?: Labeled;
}

interface Info {
  readonly SecurityOptions?: readonly string[] | null;
  readonly OperatingSystem?: string;
  readonly Rootless?: boolean;
}

export interface EngineSandbox extends Sandbox {
  /** Nothing of this life is in the engine. Rejects when that cannot be known. */
  isEmpty(): Promise<boolean>;
}

export async function engineSandbox({
  engine,
  clock,
  instance,
  spares = sparesEach,
  home,
}: EngineSandboxOptions): Promise<EngineSandbox> {
  const { api } = engine;
  const info = await api.call<Info>("GET", "/info");
  const options = info.SecurityOptions ?? [];
  const isPodman = engine.name === "Podman";
  const hasSelinux = options.some((one) => one.includes("selinux"));
  const labels = labelsOf(instance, home);
  const networks = podNetworks(api, engine.architecture, labels);
  // Docker names whoever joins a network after its holder, and that was made before anybody knew the pod's name.
  const each = isPodman ? spares : 0;
  const ahead = networkSpares({ api, architecture: engine.architecture, labels, clock, each });
  const running = new Set<RunningContainer>();
  const pods = new Map<string, ContainerSpec["pod"]>();
  /** By pod and name: the next start waits until the container before is gone, which still holds its ports. */
  const leaving = new Map<string, Promise<void>>();
  const left = await orphans();
  let isClosed = false;

  async function start(spec: ContainerSpec): Promise<RunningContainer> {
    if (isClosed) throw new PortError("ServiceUnavailable", "Drydock is shutting down");
    const slot = `${spec.pod.uid}/${spec.name}`;
    pods.set(spec.pod.uid, spec.pod);
    await Promise.all([leaving.get(slot), removeLeft(spec.pod.uid)]);
    const network = await networks.join(spec);
    const { Id: id } = await api.call<{ Id: string }>("POST", "/containers/create", {
      query: { name: nameOf(spec.name, spec.pod, spec.id) },
      body: createBody(spec, {
        network,
        namesAll: isPodman,
        labels: labels.of(
          spec.pod,
          spec.name,
          spec.walls?.podPorts ?? [],
          network === "own" ? undefined : network.of,
        ),
        hasSelinux,
      }),
      withinMs: 0,
    });
    const output = await begin(id).catch(async (error: unknown) => {
      await remove(api, id);
      throw isPortError(error) ? startError(error) : error;
    });
    return follow({
      id,
      spec,
      output,
      startedAtMs: clock.now(),
      builtFor: spec.image.architecture,
      stopSignal: spec.image.stopSignal,
    });
  }

  function follow({
    stopSignal = "SIGTERM",
    ...parts
  }: Pick<ContainerParts, "id" | "spec" | "output" | "startedAtMs" | "builtFor"> & {
    readonly stopSignal: string | undefined;
  }): RunningContainer {
    const { id, spec } = parts;
    const slot = `${spec.pod.uid}/${spec.name}`;
    const container = followContainer({
      ...parts,
      api,
      clock,
      architecture: engine.architecture,
      stopSignal,
      clearAway() {
        running.delete(container);
        const gone = removeAtLast(id)
          .then(() => networks.left(spec.pod))
          .finally(() => leaving.get(slot) === gone && leaving.delete(slot));
        leaving.set(slot, gone);
      },
    });
    running.add(container);
    if (isClosed) void container.kill();
    return container;
  }

  /** The engine may be away, or busy with it; what then still is there, the next life ends. */
  async function removeAtLast(id: string): Promise<void> {
    for (let tries = 1; !(await remove(api, id)) && tries < removeTries && !isClosed; tries += 1) {
      await new Promise<void>((resolve) => clock.after(removeAgainMs, resolve));
    }
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

  /** By pod: they stay what they are until the pod's worker asks for them, starts others, or the sweep comes. */
  async function orphans(): Promise<Map<string, readonly Left[]>> {
    const found = await api.call<readonly Left[]>("GET", "/containers/json", {
      query: { all: true, filters: JSON.stringify({ label: [ownerLabel] }) },
    });
    const byPod = new Map<string, readonly Left[]>();
    const bearers = new Map<string, string>();
    for (const { Labels = {} } of found) {
      const { holder, podUid } = bearerOf(Labels);
      if (holder !== undefined) bearers.set(holder, podUid);
    }
    for (const one of found) {
      if (!labels.isOrphan(one.Labels ?? {})) continue;
      const podUid = bearers.get(one.Id) ?? bearerOf(one.Labels ?? {}).podUid;
      byPod.set(podUid, [...(byPod.get(podUid) ?? []), one]);
    }
    return byPod;
  }

  /** Rejects where the engine is away. */
  function mine(): Promise<readonly Left[]> {
    return api.call<readonly Left[]>("GET", "/containers/json", {
      query: { all: true, filters: JSON.stringify({ label: [labels.mine] }) },
      withinMs: versionWithinMs,
    });
  }

  function takeLeft(uid: string): readonly Left[] {
    const taken = left.get(uid) ?? [];
    left.delete(uid);
    return taken;
  }

  function removeLeft(uid: string): Promise<void> {
    return removeAll(takeLeft(uid));
  }

  /** Those that hold a network go last: an engine refuses to remove one that others still use. */
  async function removeAll(all: readonly Left[]): Promise<void> {
    for (const part of [all.filter((one) => !isHolder(one)), all.filter(isHolder)]) {
      for (let at = 0; at < part.length; at += sweepAtOnce) {
        await Promise.all(part.slice(at, at + sweepAtOnce).map(({ Id }) => remove(api, Id)));
      }
    }
  }

  /** Those that have ended, and those that run, whose network, if it is another's, still is there. */
  async function survivors(pod: ContainerSpec["pod"]): Promise<readonly Survivor[]> {
    const all = left.get(pod.uid) ?? [];
    if (all.length === 0) return [];
    const holder = all.find((one) => isHolder(one) && one.State === "running");
    const seen = await Promise.all(all.filter((one) => !isHolder(one)).map(inspected));
    left.delete(pod.uid);
    const known = seen.flatMap(({ one, now }) => {
      if (now === undefined || !wasStarted(now)) return [];
      const isRunning = runs(now.State);
      const [kind, other] = now.HostConfig.NetworkMode.split(":");
      return isRunning && kind === "container" && other !== holder?.Id ? [] : [{ one, now, isRunning }];
    });
    const kept = known.map(({ one }) => one);
    const isHeld = holder !== undefined && kept.length > 0;
    await removeAll(all.filter((one) => !kept.includes(one) && !(isHeld && one === holder)));
    if (isHeld) networks.put(pod, holder.Id);
    if (kept.length > 0) pods.set(pod.uid, pod);
    return known.map(({ one, now, isRunning }): Survivor => {
      const { container: name, podPorts } = bearerOf(one.Labels ?? {});
      return {
        name,
        id: one.Id,
        isRunning,
        podPorts,
        follow: (spec, sinceMs) =>
          follow({
            id: one.Id,
            spec,
            output: { sinceMs },
            startedAtMs: Date.parse(now.State.StartedAt),
            // It has shown that it runs on this engine.
            builtFor: undefined,
            stopSignal: stopSignalOf(now.Config.StopSignal),
          }),
        end: () => removeAtLast(one.Id),
      };
    });
  }

  async function inspected(one: Left): Promise<{ readonly one: Left; readonly now: Inspected | undefined }> {
    const now = await api.call<Inspected>("GET", `/containers/${one.Id}/json`).catch((error: unknown) => {
      if (isPortError(error, "NotFound")) return undefined;
      throw error;
    });
    return { one, now };
  }

  async function sweep(keep: ReadonlySet<string> = new Set()): Promise<readonly string[]> {
    const all = [...left.keys()].filter((uid) => !keep.has(uid)).flatMap(takeLeft);
    await removeAll(all);
    return all.map(({ Id }) => Id);
  }

  return {
    scheme: engine.name.toLowerCase(),
    // Docker's proxy, and every virtual machine's, accepts at once; Podman as root has the kernel forward packets.
    forwardsPorts: !(isPodman && info.Rootless === false && engine.address.url.startsWith("unix:")),
    start,
    networkFor(pod, ports) {
      const spare = ahead.take(pod, ports);
      if (spare === undefined) return undefined;
      pods.set(pod.uid, pod);
      networks.put(pod, spare.id);
      return spare.hostPorts;
    },
    survivors,
    sweep,
    async endPod(pod) {
      pods.delete(pod.uid);
      await removeLeft(pod.uid);
      const mine = [...leaving].filter(([slot]) => slot.startsWith(`${pod.uid}/`));
      await Promise.all(mine.map(([, left]) => left));
      await networks.leave(pod);
    },
    isEmpty: async () => (await mine()).length === 0,
    async close() {
      isClosed = true;
      const done = (async () => {
        await mine();
        const spared = ahead.close();
        await Promise.all([...running].map((container) => container.kill()));
        await Promise.all(leaving.values());
        await removeAll([...left.keys()].flatMap(takeLeft));
        await Promise.all([...pods.values()].map((pod) => networks.leave(pod)));
        await spared;
      })();
      const late = new Promise<void>((resolve) => setTimeout(resolve, closeWithinMs).unref());
      // An engine that is away clears nothing away, and says nothing of an end.
      await Promise.race([done.catch(() => {}), late]);
    },
  };
}

interface Inspected {
  readonly State: State;
  readonly HostConfig: { readonly NetworkMode: string };
  readonly Config: { readonly StopSignal?: string | number };
}

/** One that was only made has the beginning of all time for its start. */
function wasStarted({ State: { StartedAt } }: Inspected): boolean {
  return Date.parse(StartedAt) > 0;
}

function isHolder({ Labels = {} }: Left): boolean {
  return bearerOf(Labels).container === holderName;
}

/** Podman tells a number where Docker tells what the image says; the engine takes either. */
function stopSignalOf(said: string | number | undefined): string | undefined {
  return said === undefined || said === "" ? undefined : String(said);
}
