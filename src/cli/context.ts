// All that a command is handed. Commands touch the world through nothing else, but for files their user names.
import type { Clock } from "../ports/index.js";

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Bytes as they are; resolves when more may follow. */
  pipe(chunk: Uint8Array): Promise<void>;
  readStdin(): Promise<string>;
  readonly outIsTty: boolean;
  readonly errIsTty: boolean;
  readonly columns: number;
  readonly outColors: boolean;
  readonly errColors: boolean;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Query;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** The API over the wire. Refusals reject with a PortError that carries the server's Status. */
export interface Api {
  readonly server: string;
  request(request: ApiRequest): Promise<unknown>;
  stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
  close(): void;
}

export interface ModelRequest {
  /** Where the gateway listens. */
  readonly gateway: string;
  readonly host: string;
  readonly path: string;
  readonly body: string;
  readonly signal: AbortSignal;
}

export interface ModelAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly totalMs: number;
  /** Until the first byte of the answer. */
  readonly firstByteMs: number;
}

/** What `instance.json` holds and `drydock status -o json` shows. */
export interface Instance {
  readonly pid: number;
  readonly startedAt: string;
  readonly version: string;
  readonly api: { readonly url: string };
  readonly gateway: {
    readonly url: string;
    readonly localUrl: string;
    /** There while some Gateway brings a certificate. */
    readonly httpsUrl?: string | undefined;
    readonly pid?: number | undefined;
  };
  readonly kubeconfig: string;
  readonly dataDir: string;
}

export interface StartOptions {
  /** Undefined takes the default, or a free port when the default is taken; 0 takes a free one. */
  readonly apiPort: number | undefined;
  readonly gatewayPort: number | undefined;
  readonly gatewayTlsPort: number | undefined;
  readonly bind: string | undefined;
  readonly domain: string | undefined;
}

export type Say = (line: string) => void;

export interface Started {
  readonly instance: Instance;
  /** Drains and ends everything; once it resolves nothing is left but the data. */
  close(say?: Say): Promise<void>;
}

/** An instance whose data goes with it. */
export interface PrivateInstance {
  readonly api: Api;
  readonly gatewayUrl: string;
  readonly apiUrl: string;
  close(): Promise<void>;
}

export interface Instances {
  readonly home: string;
  /** The instance that runs on this home, if one does. */
  find(): Promise<Instance | undefined>;
  connect(instance: Instance): Promise<Api>;
  kubeconfig(instance: Instance): Promise<string>;
  /** Starts in this process. */
  start(options: StartOptions, say: Say): Promise<Started>;
  startDetached(options: StartOptions, say: Say): Promise<Instance>;
  /** Ends the instance and whatever it left behind; resolves when no process of it is left. */
  stop(say: Say): Promise<"stopped" | "notRunning">;
  startPrivate(say: Say): Promise<PrivateInstance>;
}

export interface RuntimeRow {
  readonly name: string;
  readonly installed: boolean;
  readonly version: string;
  readonly path: string;
  readonly bytes: number;
}

export interface RuntimeInstaller {
  readonly names: readonly string[];
  list(): Promise<readonly RuntimeRow[]>;
  install(
    name: string,
    options: {
      readonly from: string | undefined;
      readonly signal: AbortSignal;
      readonly onProgress: Say;
    },
  ): Promise<void>;
}

/** A program that Drydock does more with, found on this machine or not. */
export interface Tool {
  readonly name: "python" | "engine";
  readonly found: string | undefined;
  /** What it gives, or would give. */
  readonly gives: string;
}

export interface Context {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The user's own home folder. */
  readonly userHome: string;
  /** The example folder that Drydock ships. */
  readonly examples: string;
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly instances: Instances;
  readonly callModel: (request: ModelRequest) => Promise<ModelAnswer>;
  readonly runtimes: () => Promise<RuntimeInstaller>;
  readonly tools: () => Promise<readonly Tool[]>;
}
