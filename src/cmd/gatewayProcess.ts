// The parent's side of the gateway process: starts it, starts it again when it dies, tells where it listens.
import { type ChildProcess, fork } from "node:child_process";
import type { GatewayListener } from "../dataplane/index.js";
import { type Clock, type Log, PortError } from "../ports/index.js";

export type ToGateway = {
  readonly type: "start";
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly bind: string;
  readonly externalPort: number;
  readonly localPort: number;
};

export type FromGateway =
  | { readonly type: "listening"; readonly addresses: readonly GatewayListener[] }
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly message: string };

export interface GatewayProcess {
  addresses(): readonly GatewayListener[];
  readonly pid: () => number | undefined;
  close(): Promise<void>;
}

/** Waits before a gateway that died is started again; grows while it keeps dying. */
const restartFirstMs = 100;
const restartMaxMs = 10_000;

export async function startGatewayProcess(
  start: Omit<ToGateway, "type">,
  clock: Clock,
  log: Log,
): Promise<GatewayProcess> {
  const program = new URL("./gateway.js", import.meta.url);
  let child: ChildProcess | undefined;
  let addresses: readonly GatewayListener[] = [];
  let closing = false;
  let waitMs = restartFirstMs;

  function launch(ports: { readonly externalPort: number; readonly localPort: number }): Promise<void> {
    const made = fork(program, { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
    child = made;
    made.send({ type: "start", ...start, ...ports } satisfies ToGateway);
    return new Promise((resolve, reject) => {
      made.on("message", (message: FromGateway) => {
        if (message.type === "listening") addresses = message.addresses;
        if (message.type === "ready") {
          waitMs = restartFirstMs;
          resolve();
        }
        if (message.type === "failed") reject(new PortError("ServiceUnavailable", message.message));
      });
      made.on("exit", (code, signal) => {
        reject(
          new PortError(
            "ServiceUnavailable",
            `the gateway ended (${signal ?? `exit code ${code}`}) before it was ready`,
          ),
        );
        if (closing || addresses.length === 0) return;
        log.error("the gateway ended and is started again", { code, signal });
        clock.after(waitMs, again);
        waitMs = Math.min(waitMs * 2, restartMaxMs);
      });
    });
  }

  // On the same ports as before: URLs that were handed out stay true.
  function again(): void {
    if (closing) return;
    launch({ externalPort: portOf("external"), localPort: portOf("local") }).catch((error: unknown) => {
      log.error("the gateway could not be started again", {
        error: error instanceof Error ? error.message : String(error),
      });
    });
  }

  function portOf(name: GatewayListener["name"]): number {
    return addresses.find((address) => address.name === name)?.port ?? 0;
  }

  await launch(start);
  return {
    addresses: () => addresses,
    pid: () => child?.pid,
    close: async () => {
      closing = true;
      const ending = child;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      await new Promise<void>((resolve) => {
        ending.once("exit", () => resolve());
        ending.kill("SIGTERM");
      });
    },
  };
}
