// The parent's side of the gateway process: starts it, starts it again when it dies, replaces it without losing a
// request, and holds the sockets it listens on.
import { type ChildProcess, fork } from "node:child_process";
import type { GatewayListener } from "../dataplane/index.js";
import type { RevisionStat } from "../domain/autoscaling/index.js";
import { type Clock, type Log, PortError } from "../ports/index.js";
import { bindHandle, type ListeningHandle } from "./listeningHandle.js";
import type { OnStats, OpenGateway } from "./openGateway.js";
import type { RequestLogOrder } from "./requestLog.js";

export interface StartOrder {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly bind: string;
  readonly externalPort: number;
  /** Held from the start, opened with the first certificate. */
  readonly tlsPort: number;
  readonly localPort: number;
  /** A process before has accepted on it: clients connect whether or not somebody answers. */
  readonly tlsOpen?: boolean;
}

/** The sockets that a gateway accepts on. */
export type SocketName = GatewayListener["name"] | "externalTls";

/** Requests with a pod, by its address. */
export type Busy = readonly (readonly [address: string, requests: number])[];

export type ToGateway =
  | ({ readonly type: "start"; readonly busy?: Busy } & StartOrder)
  /** Comes with the handle to accept on; before `start`. */
  | { readonly type: "listener"; readonly name: SocketName }
  | { readonly type: "metrics" }
  | { readonly type: "debug" }
  /** Another process accepts by now: finish what is here, and end. */
  | { readonly type: "drain" }
  | { readonly type: "requestLog"; readonly order: RequestLogOrder | undefined }
  /** What the process before still has with pods, now that it takes no more: their places are taken. */
  | { readonly type: "busy"; readonly busy: Busy };

export type FromGateway =
  | { readonly type: "listening"; readonly addresses: readonly GatewayListener[] }
  | { readonly type: "ready" }
  | { readonly type: "stats"; readonly stats: readonly RevisionStat[] }
  | { readonly type: "metrics"; readonly text: string }
  | { readonly type: "debug"; readonly resources: GatewayResources }
  | { readonly type: "busy"; readonly busy: Busy }
  | { readonly type: "failed"; readonly message: string };

/** What a process holds, so that a leak can be seen. */
export interface GatewayResources {
  readonly pid: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Node's own count of what keeps a process busy, by kind. */
  readonly active: Readonly<Record<string, number>>;
}

export interface GatewayProcess extends OpenGateway {
  /** Tells it where the API is. Resolves when its addresses are known. */
  open(start: StartOrder): Promise<void>;
  close(): Promise<void>;
}

/** Waits before a gateway that died is started again: not at all the first time, longer while it keeps dying. */
const restartFirstMs = 0;
const restartNextMs = 100;
const restartMaxMs = 10_000;

/** A gateway too busy to tell its figures within a second is better reported without. */
const askMs = 1_000;

/** One life of the process. The promises reject when it ends first. */
interface Life {
  readonly child: ChildProcess;
  readonly listening: Promise<void>;
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  /** Who accepts in its place, and is told what this one still has with pods. */
  successor: Life | undefined;
  /** What it said last that it has with pods; only one on its way out tells. */
  requests: number;
}

/** Starts the process at once: its code is loaded while the API it needs is still on its way. */
export function startGatewayProcess(
  clock: Clock,
  log: Log,
  onDraining: (requests: number) => void = () => {},
): GatewayProcess {
  const program = new URL("./gateway.js", import.meta.url);
  let started: StartOrder | undefined;
  const handles = new Map<SocketName, ListeningHandle>();
  const listeners: OnStats[] = [];
  const metricsAsked: ((text: string) => void)[] = [];
  const debugAsked: ((resources: GatewayResources | undefined) => void)[] = [];
  let addresses: readonly GatewayListener[] = [];
  let requestLog: RequestLogOrder | undefined;
  let closing = false;
  let waitMs = restartFirstMs;
  let restarting: Promise<void> | undefined;
  const lives = new Set<Life>();
  let current = live();

  function live(): Life {
    const child = fork(program, { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] });
    // It may end before it hears what it is for; its exit then tells.
    child.on("error", () => {});
    // Unread, a full pipe would stop the gateway in the middle of a line.
    child.stderr?.on("data", (said: Buffer) =>
      log.info("the gateway said", { text: said.toString().trimEnd() }),
    );
    const listening = outcome();
    const ready = outcome();
    const gone = outcome();
    const life: Life = {
      child,
      listening: listening.promise,
      ready: ready.promise,
      gone: gone.promise,
      successor: undefined,
      requests: 0,
    };
    lives.add(life);
    child.on("message", (message: FromGateway) => {
      switch (message.type) {
        case "listening":
          addresses = message.addresses;
          listening.resolve();
          return;
        case "ready":
          waitMs = restartFirstMs;
          ready.resolve();
          return;
        case "failed":
          fail(message.message);
          return;
        case "stats":
          for (const listener of listeners) listener(message.stats);
          return;
        case "metrics":
          answer(metricsAsked, message.text);
          return;
        case "debug":
          answer(debugAsked, message.resources);
          return;
        case "busy":
          life.requests = message.busy.reduce((sum, [, requests]) => sum + requests, 0);
          if (life.successor !== undefined) send(life.successor, message);
          if (closing) onDraining([...lives].reduce((sum, { requests }) => sum + requests, 0));
      }
    });
    child.on("exit", (code, signal) => {
      lives.delete(life);
      gone.resolve();
      fail(`the gateway ended (${signal ?? `exit code ${code}`}) before it was ready`);
      if (life.successor !== undefined) {
        // Whatever it had with pods, it has no more.
        send(life.successor, { type: "busy", busy: [] });
        return;
      }
      if (closing || life !== current || addresses.length === 0) return;
      log.error("the gateway ended and is started again", { code, signal });
      clock.after(waitMs, again);
      waitMs = Math.min(Math.max(waitMs * 2, restartNextMs), restartMaxMs);
    });
    return life;

    function fail(message: string): void {
      const error = new PortError("ServiceUnavailable", message);
      listening.reject(error);
      ready.reject(error);
    }
  }

  // On the same ports as before: URLs that were handed out stay true.
  function again(): void {
    if (closing || started === undefined) return;
    current = live();
    for (const life of lives) if (life.successor !== undefined) life.successor = current;
    tell(current, []);
    current.ready.catch((error: unknown) => {
      log.error("the gateway could not be started again", {
        error: error instanceof Error ? error.message : String(error),
      });
    });
  }

  /** The next one accepts before the one before stops. */
  async function replace(): Promise<void> {
    if (closing || started === undefined) return;
    const before = current;
    const next = live();
    tell(next, undefined);
    await next.ready;
    if (closing) return;
    // It may have died meanwhile: then another is there already, and one is enough.
    const leaving = current === before ? before : next;
    if (leaving === before) current = next;
    leaving.successor = current;
    send(leaving, { type: "drain" });
    if (leaving === next) return;
    log.info("the gateway was replaced", { pid: next.child.pid, before: before.child.pid });
  }

  /** `busy` is undefined while another has requests with pods and takes more. */
  function tell(life: Life, busy: Busy | undefined): void {
    if (started === undefined) return;
    for (const [name, handle] of handles) {
      if (life.child.connected)
        life.child.send({ type: "listener", name } satisfies ToGateway, handle as never, () => {});
    }
    const tls = addresses.find((address) => address.tls === true);
    const ports = {
      externalPort: portOf("external"),
      localPort: portOf("local"),
      ...(tls && { tlsPort: tls.port, tlsOpen: true }),
    };
    if (requestLog !== undefined) send(life, { type: "requestLog", order: requestLog });
    send(life, {
      type: "start",
      ...(busy && { busy }),
      ...started,
      ...(addresses.length === 0 ? {} : ports),
    });
  }

  function portOf(name: GatewayListener["name"]): number {
    return addresses.find((address) => address.name === name)?.port ?? 0;
  }

  /** All sockets or none: where this Node cannot hold them, the gateway binds for itself. */
  async function hold({ bind, externalPort, localPort, tlsPort }: StartOrder): Promise<void> {
    const held: GatewayListener[] = [];
    for (const [name, host, port] of [
      ["external", bind, externalPort],
      ["local", "127.0.0.1", localPort],
      ["externalTls", bind, tlsPort],
    ] as const) {
      const bound = await bindHandle(host, port);
      if (bound === undefined) return;
      handles.set(name, bound.handle);
      // Bound is not open: nobody is let in before there is a certificate to show.
      if (name !== "externalTls") held.push({ name, host: bound.host, port: bound.port });
    }
    addresses = held;
  }

  function ask<T>(waiting: ((told: T) => void)[], message: ToGateway, otherwise: T): Promise<T> {
    return new Promise((resolve) => {
      const heard = (told: T) => {
        stop();
        resolve(told);
      };
      const stop = clock.after(askMs, () => {
        waiting.splice(waiting.indexOf(heard), 1);
        resolve(otherwise);
      });
      waiting.push(heard);
      if (waiting.length === 1) send(current, message);
    });
  }

  return {
    async open(start) {
      started = start;
      await hold(start);
      tell(current, []);
      await current.listening;
    },
    ready: () => current.ready,
    addresses: () => addresses,
    pid: () => current.child.pid,
    onStats: (listener) => void listeners.push(listener),
    metrics: () => ask(metricsAsked, { type: "metrics" }, ""),
    resources: () => ask(debugAsked, { type: "debug" }, undefined),
    logRequests(order) {
      requestLog = order;
      if (started !== undefined) send(current, { type: "requestLog", order });
    },
    restart() {
      restarting ??= replace().finally(() => {
        restarting = undefined;
      });
      return restarting;
    },
    close: async () => {
      closing = true;
      const ends = [...lives].map(({ child, gone }) => {
        child.kill("SIGTERM");
        return gone;
      });
      await Promise.all(ends);
      for (const handle of handles.values()) handle.close();
      handles.clear();
    },
  };
}

function answer<T>(asked: ((told: T) => void)[], told: T): void {
  for (const tell of asked.splice(0)) tell(told);
}

function send({ child }: Life, message: ToGateway): void {
  if (child.connected) child.send(message, () => {});
}

function outcome() {
  let resolve: () => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((whenKept, whenBroken) => {
    resolve = whenKept;
    reject = whenBroken;
  });
  // Whoever does not wait for it hears of the same end in another way.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
