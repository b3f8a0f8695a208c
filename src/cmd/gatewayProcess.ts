// The parent's side of the gateway process: starts it, starts it again when it dies, tells where it listens.
import { type ChildProcess, fork } from "node:child_process";
import type { GatewayListener } from "../dataplane/index.js";
import type { RevisionStat } from "../domain/autoscaling/index.js";
import { type Clock, type Log, PortError } from "../ports/index.js";
import type { OnStats, OpenGateway } from "./openGateway.js";

export interface StartOrder {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly bind: string;
  readonly externalPort: number;
  readonly localPort: number;
}

export type ToGateway = ({ readonly type: "start" } & StartOrder) | { readonly type: "metrics" };

export type FromGateway =
  | { readonly type: "listening"; readonly addresses: readonly GatewayListener[] }
  | { readonly type: "ready" }
  | { readonly type: "stats"; readonly stats: readonly RevisionStat[] }
  | { readonly type: "metrics"; readonly text: string }
  | { readonly type: "failed"; readonly message: string };

export interface GatewayProcess extends OpenGateway {
  /** Tells it where the API is. Resolves when it listens. */
  open(start: StartOrder): Promise<void>;
  close(): Promise<void>;
}

/** Waits before a gateway that died is started again; grows while it keeps dying. */
const restartFirstMs = 100;
const restartMaxMs = 10_000;

/** A gateway too busy to tell its figures within a second is better reported without. */
const metricsMs = 1_000;

/** One life of the process. Both promises reject when it ends first. */
interface Life {
  readonly child: ChildProcess;
  readonly listening: Promise<void>;
  readonly ready: Promise<void>;
}

/** Starts the process at once: its code is loaded while the API it needs is still on its way. */
export function startGatewayProcess(clock: Clock, log: Log): GatewayProcess {
  const program = new URL("./gateway.js", import.meta.url);
  let started: StartOrder | undefined;
  const listeners: OnStats[] = [];
  /** Those who asked for figures; one answer serves all. */
  let asking: ((text: string) => void)[] = [];
  let addresses: readonly GatewayListener[] = [];
  let closing = false;
  let waitMs = restartFirstMs;
  let current = live();

  function live(): Life {
    const child = fork(program, { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] });
    // It may end before it hears what it is for; its exit then tells.
    child.on("error", () => {});
    const listening = outcome();
    const ready = outcome();
    child.on("message", (message: FromGateway) => {
      if (message.type === "listening") {
        addresses = message.addresses;
        listening.resolve();
      }
      if (message.type === "ready") {
        waitMs = restartFirstMs;
        ready.resolve();
      }
      if (message.type === "failed") fail(message.message);
      if (message.type === "stats") for (const listener of listeners) listener(message.stats);
      if (message.type === "metrics") tellFigures(message.text);
    });
    child.on("exit", (code, signal) => {
      fail(`the gateway ended (${signal ?? `exit code ${code}`}) before it was ready`);
      if (closing || addresses.length === 0) return;
      log.error("the gateway ended and is started again", { code, signal });
      clock.after(waitMs, again);
      waitMs = Math.min(waitMs * 2, restartMaxMs);
    });
    return { child, listening: listening.promise, ready: ready.promise };

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
    tell(current, { ...started, externalPort: portOf("external"), localPort: portOf("local") });
    current.ready.catch((error: unknown) => {
      log.error("the gateway could not be started again", {
        error: error instanceof Error ? error.message : String(error),
      });
    });
  }

  function tellFigures(text: string): void {
    const told = asking;
    asking = [];
    for (const tell of told) tell(text);
  }

  function portOf(name: GatewayListener["name"]): number {
    return addresses.find((address) => address.name === name)?.port ?? 0;
  }

  return {
    async open(start) {
      started = start;
      tell(current, start);
      await current.listening;
    },
    ready: () => current.ready,
    addresses: () => addresses,
    pid: () => current.child.pid,
    onStats: (listener) => void listeners.push(listener),
    metrics: () =>
      new Promise((resolve) => {
        const stop = clock.after(metricsMs, () => tellFigures(""));
        asking.push((text) => {
          stop();
          resolve(text);
        });
        if (asking.length === 1) send(current, { type: "metrics" });
      }),
    close: async () => {
      closing = true;
      const { child } = current;
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGTERM");
      });
    },
  };
}

function tell(life: Life, start: StartOrder): void {
  send(life, { type: "start", ...start });
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
