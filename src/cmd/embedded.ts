/**
 * Embedded mode: the API, its reconcilers and the kubelet in this process, the gateway beside it. Here is what needs
 * little code and runs beside this thread; it starts while control.ts, most of our code, is still being loaded.
 */
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../adapters/clock/index.js";
import { processSandbox } from "../adapters/process/index.js";
import { memoryStore, sqliteStore } from "../adapters/store/index.js";
import { ensurePki, type Pki } from "../adapters/tls/index.js";
import type { Client, Clock, Log, Sandbox, Store } from "../ports/index.js";
import { type Closers, makeClosers } from "./closers.js";
import type { GatewayResources } from "./gatewayProcess.js";

export interface EmbeddedOptions {
  /** Where everything is kept. Without one the instance is private: in memory, its files gone with it. */
  readonly home?: string;
  /** Where model runtimes are installed, when not below home; shared by all instances. */
  readonly runtimesHome?: string;
  readonly bind?: string;
  /** 0 takes a free port. */
  readonly apiPort?: number;
  readonly gatewayPort?: number;
  readonly gatewayTlsPort?: number;
  /** A process of its own keeps control work from delaying requests; inside this one it starts faster. */
  readonly gateway?: "process" | "inside";
  /** What external hosts end in. */
  readonly domain?: string;
  readonly log: Log;
  /** Hears, as an instance ends, how many requests its gateway still has with pods. */
  readonly onDraining?: (requests: number) => void;
}

export interface Embedded {
  readonly api: {
    readonly url: string;
    readonly ca: string;
    readonly token: string;
    readonly clientCert: string;
    readonly clientKey: string;
  };
  gateway(): {
    readonly url: string;
    readonly localUrl: string;
    readonly httpsUrl: string | undefined;
    readonly pid: number | undefined;
  };
  /** Another gateway process takes over; no request is lost. */
  restartGateway(): Promise<void>;
  /** What the gateway's process holds; nothing when it is this one. */
  gatewayResources(): Promise<GatewayResources | undefined>;
  readonly home: string;
  readonly client: Client;
  readonly clock: Clock;
  close(): Promise<void>;
}

/** What control is handed: on their way, or there already. */
export interface Beside {
  readonly home: string;
  readonly clock: Clock;
  readonly bind: string;
  readonly store: Store;
  readonly sandbox: Promise<Sandbox>;
  /** How much is made ahead, where the user has a wish. */
  readonly spared: { readonly spares?: number };
  readonly pki: Pki;
}

/** Starts everything; each part that is up by then is closed again when a later one fails. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const closers = makeClosers();
  try {
    const home = await openHome(options.home, closers);
    const beside = startBeside(home, options, closers);
    const { startControl } = await import("./control.js");
    return { ...(await startControl(beside, options, closers)), close: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function openHome(asked: string | undefined, closers: Closers): Promise<string> {
  const home = asked ?? (await mkdtemp(join(tmpdir(), "drydock-")));
  if (asked === undefined) closers.add(() => rm(home, { recursive: true, force: true }));
  await mkdir(home, { recursive: true });
  // Secrets, keys and logs are below it, whoever made the folder and how.
  await chmod(home, 0o700);
  return home;
}

function startBeside(home: string, options: EmbeddedOptions, closers: Closers): Beside {
  const { bind = "127.0.0.1" } = options;
  const clock = systemClock();
  const store =
    options.home === undefined
      ? memoryStore()
      : loading(sqliteStore({ file: join(home, "drydock.db") }), closers);
  const spared = sparesAsked(process.env);
  const sandbox = closers.opening(
    processSandbox({ runFolder: join(home, "run"), clock, ...spared }),
    (made) => made.close(),
  );
  const pki = ensurePki({ folder: join(home, "pki"), hosts: [bind], clock });
  return { home, clock, bind, store, sandbox, spared, pki };
}

/** Who has little memory to spare may say how many programs wait, down to none. */
function sparesAsked(env: NodeJS.ProcessEnv): { readonly spares?: number } {
  const text = env["DRYDOCK_SPARES"] ?? "";
  return /^\d{1,2}$/.test(text) ? { spares: Number(text) } : {};
}

/** A store that is read at once; who asks for its content later finds it there. */
function loading(store: Store, closers: Closers): Store {
  const content = closers.opening(store.load(), () => store.close());
  return { ...store, load: () => content };
}
