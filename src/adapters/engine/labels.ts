/**
 * What is written on every container: whose it is, for people and for the sweep. A pid alone says little, so the
 * owner is named by machine, boot, pid and start time.
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { PodRef } from "../../ports/index.js";

export const ownerLabel = "dev.drydock.owner";

export interface Labels {
  of(pod: PodRef, container: string): { readonly [name: string]: string };
  /** Whether a container with this owner is nobody's any more: made on this machine, by a Drydock that has ended. */
  isOrphan(owner: string): boolean;
}

export function labelsOf(instance: string): Labels {
  const machine = hostname();
  const boot = read("/proc/sys/kernel/random/boot_id") ?? "";
  const mine = [machine, boot, process.pid, startOf(process.pid) ?? "", instance].join(" ");
  return {
    of: (pod, container) => ({
      [ownerLabel]: mine,
      // The names that tools for Kubernetes look for.
      "io.kubernetes.pod.namespace": pod.namespace,
      "io.kubernetes.pod.name": pod.name,
      "io.kubernetes.pod.uid": pod.uid,
      "io.kubernetes.container.name": container,
    }),
    isOrphan(owner) {
      if (owner === mine) return false;
      const [where, when, pid, start] = owner.split(" ");
      if (where !== machine) return false;
      // Two sandboxes of one process: the other one clears away for itself.
      return !(when === boot && startOf(Number(pid)) === start);
    },
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
