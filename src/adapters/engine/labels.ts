/**
 * What is written on every container: whose it is, for people and for the sweep. A pid alone says little, so the
 * owner is named by machine, boot, pid and start time.
 */
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { PodPort, PodRef } from "../../ports/index.js";

export const ownerLabel = "dev.drydock.owner";
const homeLabel = "dev.drydock.home";
const portsLabel = "dev.drydock.ports";
/** On a container in another's network, whose: one that was made ahead of its pod could not be labelled with it. */
const networkLabel = "dev.drydock.network";
const nameLabel = "io.kubernetes.container.name";
/** The container that holds a pod's network. */
export const holderName = "POD";

export interface Labeled {
  readonly [name: string]: string;
}

export interface Labels {
  /** What the containers of this life have in common, as engines filter for it. */
  readonly mine: string;
  of(pod: PodRef, container: string, ports: readonly PodPort[], holder?: string): Labeled;
  /**
   * Whether a container is this home's, or nobody's any more: made on this machine by a Drydock that has ended, in
   * this home, or in one that will not be used again. Another home's next Drydock takes back what is its own.
   */
  isOrphan(labels: Labeled): boolean;
}

/** Without a home, nobody comes back for what is left. */
export function labelsOf(instance: string, home = ""): Labels {
  const machine = hostname();
  const boot = read("/proc/sys/kernel/random/boot_id") ?? "";
  const mine = [machine, boot, process.pid, startOf(process.pid) ?? "", instance].join(" ");
  return {
    mine: `${ownerLabel}=${mine}`,
    of: (pod, container, ports, holder) => ({
      [ownerLabel]: mine,
      [homeLabel]: home,
      [portsLabel]: JSON.stringify(ports),
      ...(holder !== undefined && { [networkLabel]: holder }),
      // The names that tools for Kubernetes look for.
      "io.kubernetes.pod.namespace": pod.namespace,
      "io.kubernetes.pod.name": pod.name,
      "io.kubernetes.pod.uid": pod.uid,
      [nameLabel]: container,
    }),
    isOrphan({ [ownerLabel]: owner = "", [homeLabel]: from = "" }) {
      if (owner === mine) return false;
      const [where, when, pid, start] = owner.split(" ");
      if (where !== machine) return false;
      // Two sandboxes of one process: the other one clears away for itself.
      if (when === boot && startOf(Number(pid)) === start) return false;
      return from === "" || from === home || !existsSync(from);
    },
  };
}

/** Whose a container is, as its labels say. */
export function bearerOf(labels: Labeled): {
  readonly podUid: string;
  readonly container: string;
  readonly podPorts: readonly PodPort[];
  readonly holder: string | undefined;
} {
  return {
    podUid: labels["io.kubernetes.pod.uid"] ?? "",
    container: labels[nameLabel] ?? "",
    podPorts: JSON.parse(labels[portsLabel] ?? "[]") as readonly PodPort[],
    holder: labels[networkLabel],
  };
}

/** Unique, and readable in `docker ps`. */
export function nameOf(container: string, pod: PodRef, id: string): string {
  return `drydock_${container}_${pod.name}_${pod.namespace}_${id.slice(0, 12)}`;
}

/** Undefined for a process that is not there, a zombie too. Where there is no /proc, whoever answers a signal counts as there. */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat !== undefined) {
    // The command's name may hold spaces and brackets; the fields begin after the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  }
  if (process.platform === "linux") return undefined;
  try {
    process.kill(pid, 0);
    return "";
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined; // not on this platform, or gone
  }
}
