import type { ResolvedImage } from "./images.js";
import type { ExecSession, PodRef } from "./podRuntime.js";

/** A directory or file of this machine, and where the container expects it. Read-only is honoured where the sandbox can. */
export interface SandboxMount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readOnly: boolean;
}

/** Everything a sandbox needs to start one container; nothing is looked up later. */
export interface ContainerSpec {
  /** Unique among all containers that ever ran here. */
  readonly id: string;
  readonly pod: PodRef;
  readonly name: string;
  readonly image: ResolvedImage;
  /** The whole argv, as the container would see it. */
  readonly command: readonly string[];
  readonly env: { readonly [name: string]: string };
  /** As the container would see it; undefined is the image's own, or its home. */
  readonly workingDir: string | undefined;
  readonly mounts: readonly SandboxMount[];
  readonly ports: readonly { readonly containerPort: number; readonly hostPort: number }[];
  /** A directory of its own: home, temporary files, default working directory. */
  readonly home: string;
  readonly memoryLimitBytes: number | undefined;
  readonly cpuLimit: number | undefined;
  /** What only a sandbox with walls can give; a process has none. */
  readonly walls?: Walls;
  /** Hears every byte written, in order. While a promise it gave back is pending, no more is read. */
  readonly onOutput: (stream: "stdout" | "stderr", chunk: Uint8Array) => void | Promise<void>;
}

/** A port of a pod's container, and the port of this machine that leads to it. */
export interface PodPort {
  readonly container: string;
  readonly containerPort: number;
  readonly hostPort: number;
}

/** What stands between a container and the machine, and what it shares with its pod. */
export interface Walls {
  readonly hostname: string;
  /** Every port of the pod. With several containers in it the pod's network holds them, else the container does. */
  readonly podPorts: readonly PodPort[];
  readonly sharesNetwork: boolean;
  /** Names the pod adds to its /etc/hosts. */
  readonly hostAliases: readonly { readonly ip: string; readonly name: string }[];
  /** Undefined is the image's own. */
  readonly user: number | undefined;
  readonly group: number | undefined;
  readonly extraGroups: readonly number[];
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
  readonly isPrivileged: boolean;
  readonly mayGainPrivileges: boolean;
  readonly isUnconfined: boolean;
  readonly hasReadOnlyRoot: boolean;
  /** What it is to get of a busy processor, in processors. */
  readonly cpuRequest: number | undefined;
  /** Volumes in memory that no other container of the pod mounts. */
  readonly memoryMounts: readonly {
    readonly containerPath: string;
    readonly limitBytes: number | undefined;
  }[];
}

/** How a container ended. `exitCode` is 128 + signal when a signal ended it. */
export interface ContainerExit {
  readonly exitCode: number;
  readonly signal: number | undefined;
  readonly oomKilled: boolean;
  /** Why, where the sandbox knows more than the code says. */
  readonly because?: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

export interface ContainerUsage {
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
  readonly atMs: number;
  readonly windowMs: number;
}

export interface RunningContainer {
  readonly id: string;
  readonly startedAtMs: number;
  /** Settles once, when no process of the container is left and all its output was heard. Never rejects. */
  readonly exited: Promise<ContainerExit>;
  /** Asks to end, then insists after the grace. A later, shorter grace counts. */
  stop(graceMs: number): Promise<ContainerExit>;
  kill(): Promise<ContainerExit>;
  /** A command beside the container's own, ended with it. Rejects with a PortError when it cannot start. */
  exec(options: SandboxExec): Promise<ExecSession>;
  usage(): ContainerUsage | undefined;
  /** Why nothing can be said of it for now, or that all is well again; only where the sandbox can be out of reach. */
  onTrouble?(listener: (because: string | undefined) => void): void;
}

export interface SandboxExec {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** A container of an earlier life of Drydock: it runs on as it was, or has ended since, and how is still known. */
export interface Survivor {
  /** Its name in the pod. */
  readonly name: string;
  readonly id: string;
  readonly isRunning: boolean;
  /** Every port of its pod, as that life had given them. */
  readonly podPorts: readonly PodPort[];
  /** From here on it is as if it had been started here. What it has written since that moment is heard first. */
  follow(
    spec: Pick<ContainerSpec, "pod" | "name" | "memoryLimitBytes" | "onOutput">,
    sinceMs: number,
  ): RunningContainer;
  /** It is not wanted any more. */
  end(): Promise<void>;
}

export interface Sandbox {
  /** How container ids are prefixed in status, such as `process`. */
  readonly scheme: string;
  /** Rejects with a PortError, whose text users see, when nothing could be started. */
  start(spec: ContainerSpec): Promise<RunningContainer>;
  /** Containers of this image will be wanted: what can wait for them is loaded. */
  warm?(image: ResolvedImage): void;
  /** One is wanted in a moment: what waits for it shakes off its sleep. The image as it was resolved will do. */
  stir?(image: ResolvedImage): void;
  /**
   * A network that was made ahead becomes this pod's, and all its containers start in it: the ports of this machine
   * that lead to these of the pod, in their order. Undefined when none waits.
   */
  networkFor?(pod: PodRef, ports: readonly number[]): readonly number[] | undefined;
  /** Whether a port of the machine accepts connections before the container listens, as a forwarder's port does. */
  readonly forwardsPorts?: boolean;
  /** Nothing more of this pod will be started: what its containers shared goes. */
  endPod?(pod: PodRef): Promise<void>;
  /** What an earlier life left of this pod, where containers outlive Drydock; the caller's from now on. */
  survivors?(pod: PodRef): Promise<readonly Survivor[]>;
  /** Ends what an earlier life left behind, but for these pods'; gives the ids of those containers. */
  sweep(keep?: ReadonlySet<string>): Promise<readonly string[]>;
  /** Ends everything at once. */
  close(): Promise<void>;
}
