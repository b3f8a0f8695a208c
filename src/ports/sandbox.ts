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
  /** Hears every byte written, in order. While a promise it gave back is pending, no more is read. */
  readonly onOutput: (stream: "stdout" | "stderr", chunk: Uint8Array) => void | Promise<void>;
}

/** How a container ended. `exitCode` is 128 + signal when a signal ended it. */
export interface ContainerExit {
  readonly exitCode: number;
  readonly signal: number | undefined;
  readonly oomKilled: boolean;
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
}

export interface SandboxExec {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

export interface Sandbox {
  /** How container ids are prefixed in status, such as `process`. */
  readonly scheme: string;
  /** Rejects with a PortError, whose text users see, when nothing could be started. */
  start(spec: ContainerSpec): Promise<RunningContainer>;
  /** Ends what an earlier life left behind; gives the ids of those containers. */
  sweep(): Promise<readonly string[]>;
  /** Ends everything at once. */
  close(): Promise<void>;
}
