/**
 * The gateway as a process of its own, so that control work never delays a request. Told by its parent over IPC
 * where the API is; ends when the parent does.
 */

import { systemClock, systemRandom } from "../adapters/clock/index.js";
import { kubeClient } from "../adapters/kubeClient/index.js";
import { streamLog } from "../adapters/log/index.js";
import { makeInformers } from "../controller/index.js";
import { startGateway } from "../dataplane/index.js";
import { followRoutes } from "./followRoutes.js";
import type { FromGateway, ToGateway } from "./gatewayProcess.js";
import { httpFront } from "./openGateway.js";

const drainMs = 10_000;
/** When the server was killed, every pod goes with it: nothing can be finished, and the next start wants our port. */
const orphanDrainMs = 250;

function say(message: FromGateway): void {
  process.send?.(message);
}

async function run({
  server,
  ca,
  token,
  bind,
  externalPort,
  localPort,
}: Extract<ToGateway, { type: "start" }>): Promise<void> {
  const clock = systemClock();
  const log = streamLog(process.stderr);
  const gateway = await startGateway({
    listeners: [
      { name: "external", host: bind, port: externalPort },
      { name: "local", host: "127.0.0.1", port: localPort },
    ],
    random: systemRandom,
    clock,
    http: httpFront(process.env),
    onStats: (stats) => say({ type: "stats", stats }),
  });
  const client = kubeClient({ server, ca, token });
  const informers = makeInformers({ client, clock, log });
  const leave = async (withinMs: number): Promise<void> => {
    informers.close();
    await gateway.close({ drainMs: withinMs });
    process.exit(0);
  };
  process.on("disconnect", () => void leave(orphanDrainMs));
  process.on("SIGTERM", () => void leave(drainMs));
  process.on("message", (message: ToGateway) => {
    if (message.type === "metrics") say({ type: "metrics", text: gateway.metrics() });
  });
  // The terminal sends Ctrl-C to everyone; the parent decides when this process ends.
  process.on("SIGINT", () => {});
  say({ type: "listening", addresses: gateway.addresses() });
  await followRoutes(informers, gateway, { client, clock, log });
  say({ type: "ready" });
}

process.once("message", (message: ToGateway) => {
  if (message.type !== "start") return;
  run(message).catch((error: unknown) => {
    say({ type: "failed", message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  });
});
