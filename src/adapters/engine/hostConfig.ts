// From what a container of a pod asks for to what the engine is told. A pure function: read beside the engine's API.
import { type ContainerSpec, PortError, type Walls } from "../../ports/index.js";
import { engineLogBytes } from "./limits.js";
import { pauseImage, pauseProgram } from "./pauseImage.js";

export interface Placement {
  /** Another container's network, or one of its own. */
  readonly network: { readonly of: string } | "own";
  /** Docker gives the name of the network's holder to whoever joins it, and refuses to be told; Podman must be told. */
  readonly namesAll: boolean;
  readonly labels: { readonly [name: string]: string };
  /** Files of this machine carry labels that would keep containers out. */
  readonly hasSelinux: boolean;
}

/** The body of POST /containers/create. */
export function createBody(
  spec: ContainerSpec,
  { network, namesAll, labels, hasSelinux }: Placement,
): object {
  const { walls } = spec;
  const [program, ...words] = spec.command;
  return {
    Image: spec.image.reference,
    // Both are set, always: an engine adds the image's own words to whichever is left out.
    Entrypoint: [program],
    Cmd: words,
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    ...(spec.workingDir !== undefined && { WorkingDir: spec.workingDir }),
    ...userOf(spec),
    Labels: labels,
    Tty: false,
    OpenStdin: false,
    ...((network === "own" || namesAll) && { Hostname: hostname(walls) }),
    ...(network === "own" && {
      ExposedPorts: Object.fromEntries(spec.ports.map(({ containerPort }) => [`${containerPort}/tcp`, {}])),
    }),
    HostConfig: {
      ...(network === "own"
        ? { PortBindings: portBindings(spec.ports), ExtraHosts: extraHosts(walls) }
        : { NetworkMode: `container:${network.of}` }),
      Mounts: spec.mounts.map(({ containerPath, hostPath, readOnly }) => ({
        Type: "bind",
        Source: hostPath,
        Target: containerPath,
        ReadOnly: readOnly,
      })),
      Tmpfs: temporary(spec),
      // Without swap, or a limit would only make a container slow.
      ...(spec.memoryLimitBytes !== undefined && {
        Memory: Math.floor(spec.memoryLimitBytes),
        MemorySwap: Math.floor(spec.memoryLimitBytes),
      }),
      ...(spec.cpuLimit !== undefined && { CpuPeriod: cpuPeriodUs, CpuQuota: cpuQuota(spec.cpuLimit) }),
      ...(walls?.cpuRequest !== undefined && { CpuShares: cpuShares(walls.cpuRequest) }),
      LogConfig: { Type: "json-file", Config: { "max-size": String(engineLogBytes) } },
      ...securityOf(walls, hasSelinux),
    },
  };
}

/** The same for the container that holds a pod's network. */
export function holderBody(
  ports: ContainerSpec["ports"],
  labels: Placement["labels"],
  hosts: readonly string[] = [],
): object {
  return {
    Image: pauseImage,
    Entrypoint: [pauseProgram],
    Labels: labels,
    ExposedPorts: Object.fromEntries(ports.map(({ containerPort }) => [`${containerPort}/tcp`, {}])),
    HostConfig: {
      PortBindings: portBindings(ports),
      ExtraHosts: hosts,
      CapDrop: ["ALL"],
      ReadonlyRootfs: true,
      LogConfig: { Type: "none", Config: {} },
    },
  };
}

const cpuPeriodUs = 100_000;

/** The kernel refuses less than a hundredth of a period. */
function cpuQuota(cpus: number): number {
  return Math.max(Math.round(cpus * cpuPeriodUs), 1_000);
}

/** As the kubelet reckons: 1024 for a whole processor, and never less than the kernel's 2. */
function cpuShares(cpus: number): number {
  return Math.max(Math.floor(cpus * 1024), 2);
}

/** Longer names are cut, as the kubelet does. */
export function hostname(walls: Walls | undefined): string {
  return (walls?.hostname ?? "").slice(0, 63).replace(/[-.]+$/, "");
}

/** Port 0 is one that the engine chooses. On loopback only: what reaches a pod goes through the gateway. Several ports of the machine may lead to one of the pod's. */
function portBindings(ports: ContainerSpec["ports"]): object {
  const bindings: Record<string, { readonly HostIp: string; readonly HostPort: string }[]> = {};
  for (const { containerPort, hostPort } of ports) {
    const name = `${containerPort}/tcp`;
    bindings[name] = [...(bindings[name] ?? []), { HostIp: "127.0.0.1", HostPort: String(hostPort) }];
  }
  return bindings;
}

export function extraHosts(walls: Walls | undefined): readonly string[] {
  return (walls?.hostAliases ?? []).map(({ name, ip }) => `${name}:${ip}`);
}

function userOf({ walls, image }: ContainerSpec): object {
  if (walls?.user === undefined && walls?.group === undefined) return {};
  const [own = ""] = (image.user ?? "").split(":");
  const user = walls.user === undefined ? own || "0" : String(walls.user);
  return { User: walls.group === undefined ? user : `${user}:${walls.group}` };
}

function temporary({ mounts, walls }: ContainerSpec): object {
  const all: Record<string, string> = {};
  const isTaken = mounts.some(({ containerPath }) => containerPath === "/tmp");
  // The runtime contract: /tmp can be written to, whatever the rest is.
  if (walls?.hasReadOnlyRoot && !isTaken) all["/tmp"] = "rw,mode=1777";
  for (const { containerPath, limitBytes } of walls?.memoryMounts ?? []) {
    all[containerPath] = limitBytes === undefined ? "rw,mode=1777" : `rw,mode=1777,size=${limitBytes}`;
  }
  return all;
}

function securityOf(walls: Walls | undefined, hasSelinux: boolean): object {
  const options = [
    ...(walls?.mayGainPrivileges === false ? ["no-new-privileges"] : []),
    ...(walls?.isUnconfined ? ["seccomp=unconfined"] : []),
    ...(hasSelinux ? ["label=disable"] : []),
  ];
  return {
    ...(options.length > 0 && { SecurityOpt: options }),
    ...(walls?.isPrivileged && { Privileged: true }),
    ...(walls?.hasReadOnlyRoot && { ReadonlyRootfs: true }),
    CapAdd: (walls?.capabilities.add ?? []).map(capability),
    CapDrop: (walls?.capabilities.drop ?? []).map(capability),
    GroupAdd: (walls?.extraGroups ?? []).map(String),
  };
}

/** Kubernetes leaves the prefix out, people write it, and engines take either, but not in any case. */
function capability(name: string): string {
  const upper = name.toUpperCase();
  return upper === "ALL" || upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
}

/** The engine's words without the part that only it understands. */
export function startError(error: PortError): PortError {
  if (error.reason === "ServiceUnavailable") return error;
  const said = error.message.replace(/^preparing container \w+ for attach: /, "");
  if (/address already in use|port is already allocated|port .* is in use/i.test(said)) {
    return new PortError("Conflict", said, { cause: error });
  }
  return new PortError("Invalid", said, { cause: error });
}
