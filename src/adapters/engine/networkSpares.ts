/**
 * Networks made ahead. Most of a container's start is its network, which nothing of the pod is needed for but which
 * ports it has: so for ports that pods asked for of late, a holder runs already and waits to become a pod's. Whatever
 * befalls one, the start that would have taken it happens the usual way.
 */
import { randomUUID } from "node:crypto";
import type { Clock, PodRef } from "../../ports/index.js";
import type { EngineApi } from "./api.js";
import { holderBody } from "./hostConfig.js";
import { holderName, type Labels, nameOf } from "./labels.js";
import { spareKinds, spareRefillMs, sparesUnusedMs } from "./limits.js";
import { ensurePauseImage } from "./pauseImage.js";
import { remove } from "./remove.js";

export interface NetworkSpares {
  /** A running holder with these ports, and the machine's that lead to them; the next one is made once all is quiet. */
  take(pod: PodRef, ports: readonly number[]): NetworkSpare | undefined;
  close(): Promise<void>;
}

export interface NetworkSpare {
  readonly id: string;
  /** In the order of those asked for. */
  readonly hostPorts: readonly number[];
}

export interface NetworkSparesOptions {
  readonly api: EngineApi;
  readonly architecture: string;
  readonly labels: Labels;
  readonly clock: Clock;
  /** How many of a kind wait; none is a choice too. */
  readonly each: number;
}

interface Waiting {
  readonly id: string;
  readonly hostPorts: ReadonlyMap<number, number>;
}

/** Ports that pods have, and what waits for the next such pod. */
interface Kind {
  readonly ports: readonly number[];
  readonly waiting: Waiting[];
  stopReaping: () => void;
}

const nobody: PodRef = { namespace: "", name: "spare", uid: "" };

export function networkSpares({
  api,
  architecture,
  labels,
  clock,
  each,
}: NetworkSparesOptions): NetworkSpares {
  /** The one that was asked for last comes last. */
  const kinds = new Map<string, Kind>();
  const removing = new Set<Promise<unknown>>();
  let filling: Promise<void> | undefined;
  let stopWaiting = () => {};
  let isClosed = false;

  function used(ports: readonly number[]): Kind {
    const key = [...ports].sort((a, b) => a - b).join(" ");
    const kind = kinds.get(key) ?? { ports, waiting: [], stopReaping: () => {} };
    kinds.delete(key);
    kinds.set(key, kind);
    for (const [other, { waiting }] of kinds)
      if (kinds.size > spareKinds && waiting !== kind.waiting) drop(other);
    kind.stopReaping();
    kind.stopReaping = clock.after(sparesUnusedMs, () => drop(key));
    stopWaiting();
    stopWaiting = clock.after(spareRefillMs, () => {
      filling ??= fill().finally(() => {
        filling = undefined;
      });
    });
    return kind;
  }

  function drop(key: string): void {
    const kind = kinds.get(key);
    kinds.delete(key);
    kind?.stopReaping();
    for (const { id } of kind?.waiting.splice(0) ?? []) end(id);
  }

  function end(id: string): void {
    const gone = remove(api, id).finally(() => removing.delete(gone));
    removing.add(gone);
  }

  async function fill(): Promise<void> {
    for (const kind of kinds.values()) {
      while (kind.waiting.length < each && !isClosed) {
        const made = await make(kind.ports).catch(() => undefined);
        // An engine that cannot now is asked again after the next start.
        if (made === undefined) return;
        const isWanted = !isClosed && [...kinds.values()].includes(kind);
        if (!isWanted) end(made.id);
        else kind.waiting.push(made);
        if (!isWanted) break;
      }
    }
  }

  async function make(ports: readonly number[]): Promise<Waiting> {
    await ensurePauseImage(api, architecture);
    const { Id: id } = await api.call<{ Id: string }>("POST", "/containers/create", {
      query: { name: nameOf(holderName, nobody, randomUUID()) },
      withinMs: 0,
      // The engine chooses: what it has bound, nobody else takes.
      body: holderBody(
        ports.map((containerPort) => ({ containerPort, hostPort: 0 })),
        labels.of(nobody, holderName, []),
      ),
    });
    try {
      await api.call("POST", `/containers/${id}/start`, { withinMs: 0 });
      const { NetworkSettings: seen } = await api.call<Inspected>("GET", `/containers/${id}/json`);
      const hostPorts = ports.map((port) => {
        const hostPort = Number(seen.Ports?.[`${port}/tcp`]?.[0]?.HostPort);
        if (!(hostPort > 0)) throw new Error(`port ${port} leads nowhere`);
        return [port, hostPort] as const;
      });
      return { id, hostPorts: new Map(hostPorts) };
    } catch (error) {
      await remove(api, id);
      throw error;
    }
  }

  return {
    take(pod, ports) {
      if (each === 0 || isClosed || ports.length === 0 || new Set(ports).size < ports.length)
        return undefined;
      const spare = used(ports).waiting.shift();
      if (spare === undefined) return undefined;
      // For people who look: its labels cannot be changed any more, and the pod's containers name it.
      const name = nameOf(holderName, pod, spare.id);
      void api.call("POST", `/containers/${spare.id}/rename`, { query: { name } }).catch(() => {});
      return { id: spare.id, hostPorts: ports.map((port) => spare.hostPorts.get(port)!) };
    },
    async close() {
      isClosed = true;
      stopWaiting();
      await filling;
      for (const key of [...kinds.keys()]) drop(key);
      await Promise.all(removing);
    },
  };
}

interface Inspected {
  readonly NetworkSettings: {
    readonly Ports?: { readonly [port: string]: readonly { readonly HostPort?: string }[] | null } | null;
  };
}
