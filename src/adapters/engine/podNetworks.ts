/**
 * What the containers of a pod share. One container alone has a network of its own. Several meet in the network of a
 * container that does nothing else, so that any of them can be started again without the others losing it.
 */
import type { ContainerSpec, PodRef } from "../../ports/index.js";
import { isPortError } from "../../ports/index.js";
import type { EngineApi } from "./api.js";
import { extraHosts, holderBody, hostname, type Placement, startError } from "./hostConfig.js";
import { holderName, type Labels, nameOf } from "./labels.js";
import { ensurePauseImage } from "./pauseImage.js";
import { remove } from "./remove.js";

export interface PodNetworks {
  /** Where this container is to be. Rejects with reason Conflict when a port of the pod is taken. */
  join(spec: ContainerSpec): Promise<Placement["network"]>;
  /** The container that holds this pod's network is there already, also for one that would have its own. */
  put(pod: PodRef, holder: string): void;
  leave(pod: PodRef): Promise<void>;
  /** A container of the pod is gone: what it alone kept from being removed can go too. */
  left(pod: PodRef): Promise<void>;
}

export function podNetworks(api: EngineApi, architecture: string, labels: Labels): PodNetworks {
  const holders = new Map<string, Promise<string>>();
  /** By pod: holders that ended, and stay as long as the engine keeps another container of theirs. */
  const ended = new Map<string, ReadonlySet<string>>();

  async function end(uid: string, ids: Iterable<string>): Promise<void> {
    const all = [...ids];
    const gone = await Promise.all(all.map((id) => remove(api, id)));
    const kept = new Set([...(ended.get(uid) ?? []), ...all].filter((id) => gone[all.indexOf(id)] !== true));
    if (kept.size > 0) ended.set(uid, kept);
    else ended.delete(uid);
  }

  async function hold(spec: ContainerSpec): Promise<string> {
    await ensurePauseImage(api, architecture);
    const ports = spec.walls?.podPorts ?? [];
    const { Id: id } = await api.call<{ Id: string }>("POST", "/containers/create", {
      query: { name: nameOf(holderName, spec.pod, spec.id) },
      withinMs: 0,
      body: {
        ...holderBody(ports, labels.of(spec.pod, holderName, ports), extraHosts(spec.walls)),
        Hostname: hostname(spec.walls),
      },
    });
    try {
      await api.call("POST", `/containers/${id}/start`, { withinMs: 0 });
    } catch (error) {
      await remove(api, id);
      throw isPortError(error) ? startError(error) : error;
    }
    return id;
  }

  async function isUp(id: string): Promise<boolean> {
    try {
      const { State } = await api.call<{ State: { Running: boolean } }>("GET", `/containers/${id}/json`);
      return State.Running;
    } catch (error) {
      if (isPortError(error, "NotFound")) return false;
      throw error;
    }
  }

  async function held(spec: ContainerSpec): Promise<string> {
    const { uid } = spec.pod;
    const before = holders.get(uid);
    if (before !== undefined) {
      const id = await before.catch(() => undefined);
      if (id !== undefined && (await isUp(id))) return id;
      if (id !== undefined) await end(uid, [id]);
      // Whoever came first makes the next one; the others wait for it.
      if (holders.get(uid) !== before) return held(spec);
    }
    const made = hold(spec);
    holders.set(uid, made);
    return made;
  }

  return {
    async join(spec) {
      const isHeld = spec.walls?.sharesNetwork || holders.has(spec.pod.uid);
      return isHeld ? { of: await held(spec) } : "own";
    },
    put: ({ uid }, holder) => void holders.set(uid, Promise.resolve(holder)),
    async leave({ uid }) {
      const holder = holders.get(uid);
      holders.delete(uid);
      const id = await holder?.catch(() => undefined);
      await end(uid, [...(ended.get(uid) ?? []), ...(id === undefined ? [] : [id])]);
    },
    left: ({ uid }) => end(uid, ended.get(uid) ?? []),
  };
}
