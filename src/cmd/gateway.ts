/**
 * The gateway as a process of its own, so that control work never delays a request. Told by its parent over IPC
 * where the API is; ends when the parent does.
 */

import { systemClock, systemRandom } from "../adapters/clock/index.js";
import { kubeClient } from "../adapters/kubeClient/index.js";
import { streamLog } from "../adapters/log/index.js";
import { makeInformers } from "../controller/index.js";
import { emptyTable, type Gateway, startGateway } from "../dataplane/index.js";
import { bindLightly } from "./bindLightly.js";
import { drainMs } from "./drain.js";
import { followRoutes } from "./followRoutes.js";
import type { Busy, FromGateway, GatewayResources, SocketName, ToGateway } from "./gatewayProcess.js";
import { keepCode } from "./keepCode.js";
import { httpFront } from "./openGateway.js";
import { logsRequests, type RequestLogOrder } from "./requestLog.js";

/** When the server was killed, every pod goes with it: nothing can be finished, and the next start wants our port. */
const orphanDrainMs = 250;
/** After another process has taken over, what is left here may run as long as any revision allows, streams too. */
const replacedDrainMs = 3_600_000;
/** Nobody waits for this process then: idle clients are left in peace until none of them can be about to ask. */
const replacedLastRequestMs = 5_000;
/** How often a process on its way out tells what it still has with pods. */
const busyEveryMs = 20;

/** To the API. It answers a list sooner than a connection is made, and each costs memory on both sides. */
const connections = 2;

keepCode();
bindLightly();

/** Sockets the parent holds; they came before `start`. */
const handles = new Map<SocketName, object>();
let requestLog: RequestLogOrder | undefined;

function say(message: FromGateway): void {
  if (process.connected) process.send?.(message);
}

async function run(order: Extract<ToGateway, { type: "start" }>): Promise<void> {
  const { server, ca, token, bind, externalPort, localPort, tlsPort } = order;
  const clock = systemClock();
  const log = streamLog(process.stderr);
  let gateway: Gateway | undefined;
  let table = emptyTable;
  let busy: Busy | undefined = order.busy;
  let setRequestLog: ReturnType<typeof logsRequests> | undefined;
  const client = kubeClient({ server, ca, token, early: true, connections });
  const informers = makeInformers({ client, clock, log });

  let leaving = false;
  const leave = async (withinMs: number): Promise<void> => {
    // Whoever asks again wants it sooner.
    if (leaving && withinMs >= replacedDrainMs) return;
    leaving = true;
    const lastRequest = withinMs === replacedDrainMs ? { lastRequestMs: replacedLastRequestMs } : {};
    await gateway?.close({ drainMs: withinMs, ...lastRequest });
    await setRequestLog?.(undefined);
    informers.close();
    process.exit(0);
  };
  process.on("disconnect", () => void leave(orphanDrainMs));
  process.on("SIGTERM", () => {
    if (gateway !== undefined && !leaving) tellBusy(gateway);
    void leave(drainMs(process.env));
  });
  // The terminal sends Ctrl-C to everyone; the parent decides when this process ends.
  process.on("SIGINT", () => {});
  process.on("message", (message: ToGateway) => {
    switch (message.type) {
      case "metrics":
        return say({ type: "metrics", text: gateway?.metrics() ?? "" });
      case "debug":
        return say({ type: "debug", resources: resources() });
      case "busy":
        busy = message.busy;
        gateway?.borrow(new Map(busy));
        return undefined;
      case "requestLog":
        requestLog = message.order;
        return void setRequestLog?.(requestLog);
      case "drain":
        if (gateway !== undefined) tellOnceSettled(gateway);
        return void leave(replacedDrainMs);
      default:
        return undefined;
    }
  });

  const open = async (): Promise<Gateway> => {
    const opened = await startGateway({
      listeners: [
        { name: "external", host: bind, port: externalPort, ...held("external") },
        { name: "local", host: "127.0.0.1", port: localPort, ...held("local") },
        {
          // Once clients can connect, a handshake that fails tells them more than one that nobody begins.
          ...{ name: "external", host: bind, port: tlsPort, tls: true, whenNeeded: order.tlsOpen !== true },
          ...held("externalTls"),
        },
      ],
      table,
      random: systemRandom,
      clock,
      http: httpFront(process.env),
      onStats: (stats) => say({ type: "stats", stats }),
      onBadCertificate: (message) => log.error("a certificate cannot be used", { message }),
      onOpened: (failure) => {
        if (failure === undefined) say({ type: "listening", addresses: gateway?.addresses() ?? [] });
        else log.error("the gateway cannot listen with TLS", { error: failure });
      },
    });
    opened.borrow(busy && new Map(busy));
    setRequestLog = logsRequests(opened, informers, log);
    void setRequestLog(requestLog);
    say({ type: "listening", addresses: opened.addresses() });
    return opened;
  };
  // On sockets that are held for us clients wait anyway, and a first answer should not be that there is no route.
  if (handles.size === 0) gateway = await open();
  await followRoutes(
    informers,
    {
      update(next) {
        table = next;
        gateway?.update(next);
      },
      move: (revisions) => gateway?.move(revisions),
    },
    { client, clock, log },
  );
  gateway ??= await open();
  say({ type: "ready" });
}

function held(name: SocketName): { readonly handle?: object } {
  const handle = handles.get(name);
  return handle === undefined ? {} : { handle };
}

/** When nobody can ask here any more, and nobody waits: what is left only gets less, and another may count with it. */
function tellOnceSettled(gateway: Gateway): void {
  setTimeout(() => {
    const looking = setInterval(() => {
      if (gateway.waiting() > 0) return;
      clearInterval(looking);
      tellBusy(gateway);
    }, busyEveryMs).unref();
  }, replacedLastRequestMs).unref();
}

function tellBusy(gateway: Gateway): void {
  let told = "";
  setInterval(() => {
    const busy = [...gateway.inFlight()];
    const now = JSON.stringify(busy);
    if (now !== told) say({ type: "busy", busy });
    told = now;
  }, busyEveryMs).unref();
}

function resources(): GatewayResources {
  const active: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) active[kind] = (active[kind] ?? 0) + 1;
  const { rss, heapUsed } = process.memoryUsage();
  return { pid: process.pid, rssBytes: rss, heapBytes: heapUsed, active };
}

process.on("message", (message: ToGateway, handle: unknown) => {
  if (message.type === "listener" && typeof handle === "object" && handle !== null)
    handles.set(message.name, handle);
  if (message.type === "requestLog") requestLog = message.order;
  if (message.type !== "start") return;
  run(message).catch((error: unknown) => {
    say({ type: "failed", message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  });
});
