import type { Duplex, Readable, Writable } from "node:stream";

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The query of GET pods/NAME/log (core/v1 PodLogOptions). */
export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly sinceMs?: number;
}

export interface ExecOptions {
  readonly container: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
}

/** A command running beside a container. `exited` gives its code; it never rejects. */
export interface ExecSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<number>;
  resize(width: number, height: number): void;
  kill(): void;
}

export interface PodUsage {
  readonly pod: PodRef;
  readonly containers: readonly {
    readonly name: string;
    readonly cpuNanoCores: number;
    readonly memoryBytes: number;
  }[];
  readonly atMs: number;
  readonly windowMs: number;
}

/** What the API asks of the node for its streaming verbs. Rejects with a PortError whose text users see. */
export interface PodRuntime {
  logs(pod: PodRef, options: LogOptions, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  exec(pod: PodRef, options: ExecOptions): Promise<ExecSession>;
  /** A byte stream to a port as the pod knows it (its containerPort), wherever that really listens. */
  dial(pod: PodRef, port: number): Promise<Duplex>;
  usage(): readonly PodUsage[];
}
