// What a container's and its pod's security contexts, resources and names come to, for a sandbox that has walls.
import type { Container } from "../../domain/apis/core/container.types.js";
import type { Pod } from "../../domain/apis/core/pod.types.js";
import { asNumber } from "../../domain/apis/quantity/index.js";
import type { ResolvedImage, Walls } from "../../ports/index.js";
import type { SetupProblem } from "../setup/problem.js";
import type { PodWorld } from "../world.js";

/** The container's word counts before the pod's, as Kubernetes has it. */
export function wallsOf(container: Container, image: ResolvedImage, world: PodWorld): Walls | SetupProblem {
  const pod = world.pod();
  const own = container.securityContext ?? {};
  const shared = pod.spec?.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const problem = whyRefused(container, pod, image, user, world.deps.allowHostPath);
  if (problem !== undefined) return { problem };
  const seccomp = own.seccompProfile ?? shared.seccompProfile;
  const cpuRequest = container.resources?.requests?.["cpu"];
  return {
    hostname: pod.spec?.hostname ?? pod.metadata.name,
    podPorts: world.ports().all(),
    sharesNetwork: sharesNetwork(pod),
    hostAliases: (pod.spec?.hostAliases ?? []).flatMap(({ ip, hostnames }) =>
      (hostnames ?? []).map((name) => ({ ip: ip ?? "", name })),
    ),
    user,
    group: own.runAsGroup ?? shared.runAsGroup,
    extraGroups: [
      ...(shared.supplementalGroups ?? []),
      ...(shared.fsGroup === undefined ? [] : [shared.fsGroup]),
    ],
    capabilities: { add: own.capabilities?.add ?? [], drop: own.capabilities?.drop ?? [] },
    isPrivileged: own.privileged ?? false,
    mayGainPrivileges: own.allowPrivilegeEscalation ?? true,
    isUnconfined: seccomp?.type === "Unconfined",
    hasReadOnlyRoot: own.readOnlyRootFilesystem ?? false,
    cpuRequest: cpuRequest === undefined ? undefined : asNumber(cpuRequest),
    memoryMounts: memoryMounts(container, pod),
  };
}

/** One server alone needs no shared network; what runs to its end before it has nobody to talk to. */
export function sharesNetwork(pod: Pod): boolean {
  const sidecars = (pod.spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  return (pod.spec?.containers ?? []).length + sidecars.length > 1;
}

/** Volumes in memory that one container has for itself: a file system of its own, with the volume's limit. */
export function memoryMounts(container: Container, pod: Pod): Walls["memoryMounts"] {
  return (pod.spec?.volumes ?? []).flatMap(({ name, emptyDir }) => {
    if (emptyDir?.medium !== "Memory" || usersOf(name, pod) !== 1) return [];
    const limitBytes = emptyDir.sizeLimit === undefined ? undefined : asNumber(emptyDir.sizeLimit);
    return (container.volumeMounts ?? [])
      .filter((mount) => mount.name === name && !mount.subPath && !mount.subPathExpr)
      .map(({ mountPath }) => ({ containerPath: mountPath, limitBytes }));
  });
}

function usersOf(volume: string, pod: Pod): number {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return all.flatMap((one) => one.volumeMounts ?? []).filter((mount) => mount.name === volume).length;
}

function whyRefused(
  container: Container,
  pod: Pod,
  image: ResolvedImage,
  user: number | undefined,
  allowsHost: boolean,
): string | undefined {
  const { securityContext: own = {} } = container;
  if (own.privileged && !allowsHost) {
    return "privileged containers are refused; start Drydock with host paths allowed, or ask for single capabilities";
  }
  if (!(own.runAsNonRoot ?? pod.spec?.securityContext?.runAsNonRoot)) return undefined;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
  if (user === 0) return `container's runAsUser breaks non-root policy ${where}`;
  if (user !== undefined) return undefined;
  const [named = ""] = (image.user ?? "").split(":");
  if (named === "" || named === "0" || named === "root") {
    return `container has runAsNonRoot and image will run as root ${where}`;
  }
  return /^\d+$/.test(named)
    ? undefined
    : `container has runAsNonRoot and image has non-numeric user (${named}), cannot verify user is non-root ${where}`;
}
