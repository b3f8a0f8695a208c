/**
 * The instance of a home: started here or detached, found again, stopped. `instance.lock` says whose home it is, from
 * the first moment of a start to the last of a stop; `instance.json` is there while the instance serves.
 */
import { existsSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CliError,
  type Instance,
  type Instances,
  type Say,
  type Started,
  type StartOptions,
} from "../cli/index.js";
import type { Clock, Log } from "../ports/index.js";
import { type Draining, drainMs, drainTeller } from "./drain.js";
import type { Embedded } from "./embedded.js";
import { claimHome, holderOf } from "./homeLock.js";
import { keepCode } from "./keepCode.js";
import { accessIn, kubeconfigText } from "./kubeconfigText.js";
import { identityOf, isSameProcess, type ProcessIdentity } from "./processIdentity.js";
import { version } from "./version.js";

export interface InstancesOptions {
  readonly home: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where the server says what happens in it. */
  readonly openLog: () => Promise<Log>;
  readonly privateLog: () => Promise<Log>;
}

const defaultPorts = { api: 16_443, gateway: 18_080, gatewayTls: 18_443 };
const stopPollMs = 50;
/** After draining, what will not end by itself is ended by the server within this. */
const stopAfterDrainMs = 15_000;
const gatewayLookMs = 2_000;

export function makeInstances(options: InstancesOptions): Instances {
  const { home, clock } = options;
  const files = filesOf(home);
  const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

  async function find(): Promise<Instance | undefined> {
    const holder = await holderOf(files.lock);
    const instance = holder && (await readInstance(files.instance));
    return instance?.pid === holder?.pid ? instance : undefined;
  }

  async function start(asked: StartOptions, say: Say): Promise<Started> {
    await mkdir(home, { recursive: true, mode: 0o700 });
    const release = await claimHome(files.lock);
    let embedded: Embedded | undefined;
    let draining: (left: Draining) => void = () => {};
    try {
      // Most of a start is loading this code, so it begins before there is anything to wait for.
      const loading = import("./embedded.js");
      // Of a server that was killed as it ended.
      await rm(files.draining, { force: true });
      // A server that was killed takes its gateway along, but not at once, and its port is wanted here.
      await endGateway(await readInstance(files.instance), say);
      const bind = asked.bind ?? "127.0.0.1";
      if (!["127.0.0.1", "::1", "localhost"].includes(bind)) {
        say(`note: the gateway listens on ${bind}: whoever reaches that address can call the models`);
      }
      const { choosePort } = await import("./freePort.js");
      const apiPort = await choosePort("api", asked.apiPort, defaultPorts.api, bind, say);
      const gatewayPort = await choosePort("gateway", asked.gatewayPort, defaultPorts.gateway, bind, say);
      const gatewayTlsPort = await choosePort(
        "gateway-tls",
        asked.gatewayTlsPort,
        defaultPorts.gatewayTls,
        bind,
        say,
      );
      keepCode();
      say("starting the server and the gateway");
      const { startEmbedded } = await loading;
      const { domain } = asked;
      const log = await options.openLog();
      const withinMs = drainMs(process.env);
      const onDraining = (requests: number): void => {
        const left: Draining = { requests, withinMs };
        draining(left);
        writeFileSync(files.draining, JSON.stringify(left), {
          mode: 0o600,
        });
      };
      embedded = await startEmbedded({
        ...{ home, bind, apiPort, gatewayPort, gatewayTlsPort, log, onDraining },
        ...(domain !== undefined && { domain }),
      });
    } catch (error) {
      await release();
      throw error;
    }
    const running = embedded;
    const startedAt = new Date(clock.now()).toISOString();
    const current = (): Instance => ({
      pid: process.pid,
      startedAt,
      version,
      api: { url: running.api.url },
      gateway: running.gateway(),
      kubeconfig: files.kubeconfig,
      dataDir: home,
    });

    let closing = false;
    let gatewayPid: number | undefined;
    let httpsUrl: string | undefined;
    const record = async (): Promise<void> => {
      gatewayPid = running.gateway().pid;
      httpsUrl = running.gateway().httpsUrl;
      const gatewayStart = gatewayPid === undefined ? undefined : (await identityOf(gatewayPid))?.start;
      await writeWhole(files.instance, JSON.stringify({ ...current(), gatewayStart } satisfies Recorded));
    };
    // A gateway that was started again has another pid, and `down` waits for the right one; TLS comes with certificates.
    const look = async (): Promise<void> => {
      if (closing) return;
      const now = running.gateway();
      if (now.pid !== gatewayPid || now.httpsUrl !== httpsUrl) await record();
      clock.after(gatewayLookMs, () => void look());
    };
    // As other servers do it: a fresh process for the traffic, without a request lost.
    const onRestart = (): void => {
      running.restartGateway().then(record, () => {});
    };
    process.on("SIGUSR2", onRestart);
    const close = async (tell: Say = () => {}): Promise<void> => {
      closing = true;
      draining = drainTeller(tell, () => clock.now());
      process.off("SIGUSR2", onRestart);
      await rm(files.instance, { force: true });
      await running.close();
      await rm(files.draining, { force: true });
      await release();
    };
    try {
      await writeWhole(files.kubeconfig, kubeconfigText({ ...running.api, server: running.api.url }));
      await record();
    } catch (error) {
      await close();
      throw error;
    }
    clock.after(gatewayLookMs, () => void look());
    return { instance: current(), close };
  }

  async function stop(say: Say): Promise<"stopped" | "notRunning"> {
    const holder = await holderOf(files.lock);
    const instance = await readInstance(files.instance);
    const gateway = gatewayOf(instance);
    const gatewayThere = gateway !== undefined && (await isSameProcess(gateway));
    if (holder !== undefined) {
      const containers = (await recorded(files.run)).filter((name) => !name.startsWith("spare-")).length;
      const parts = [
        `server (pid ${holder.pid})`,
        ...(gatewayThere ? [`gateway (pid ${gateway.pid})`] : []),
        ...(containers === 0 ? [] : [containers === 1 ? "1 container" : `${containers} containers`]),
      ];
      say(`Stopping: ${parts.join(", ")}. Requests under way are finished first.`);
      send(holder.pid, "SIGTERM");
      await endedOrKilled(holder, "server", say);
    }
    await endGateway(instance, say);
    const left = await sweep(say);
    await Promise.all([files.instance, files.lock, files.draining].map((file) => rm(file, { force: true })));
    return holder !== undefined || gatewayThere || left > 0 ? "stopped" : "notRunning";
  }

  /** The gateway ends by itself once its parent is gone; it may have requests to finish. */
  async function endGateway(instance: Recorded | undefined, say: Say): Promise<void> {
    const gateway = gatewayOf(instance);
    if (gateway !== undefined) await endedOrKilled(gateway, "gateway", say);
  }

  async function endedOrKilled(one: ProcessIdentity, what: string, say: Say): Promise<void> {
    const beganMs = clock.now();
    let withinMs = drainMs(process.env);
    const tell = drainTeller(say, () => clock.now());
    while ((await isSameProcess(one)) && clock.now() < beganMs + withinMs + stopAfterDrainMs) {
      await wait(stopPollMs);
      const draining = await readDraining(files.draining);
      if (draining === undefined) continue;
      withinMs = draining.withinMs;
      tell(draining);
    }
    if (!(await isSameProcess(one))) return;
    say(`The ${what} does not end by itself: ending pid ${one.pid} at once`);
    send(one.pid, "SIGKILL");
    while (await isSameProcess(one)) await wait(stopPollMs);
  }

  /** Ends containers that a server which was killed left running. */
  async function sweep(say: Say): Promise<number> {
    const swept = (await sweepProcesses()) + (await sweepEngine(say));
    if (swept > 0) say(`Cleared up after ${swept} containers of an earlier life`);
    return swept;
  }

  async function sweepEngine(say: Say): Promise<number> {
    if (!existsSync(files.engine)) return 0;
    const { sweepEngine } = await import("../adapters/engine/index.js");
    try {
      return (await sweepEngine(home, clock)).length;
    } catch (error) {
      say(`Containers may be left: ${error instanceof Error ? error.message : String(error)}`);
      return 0;
    }
  }

  async function sweepProcesses(): Promise<number> {
    if ((await recorded(files.run)).length === 0) return 0;
    const { processSandbox } = await import("../adapters/process/index.js");
    const sandbox = await processSandbox({ runFolder: files.run, clock });
    const swept = await sandbox.sweep().finally(() => sandbox.close());
    return swept.length;
  }

  return {
    home,
    find,
    start,
    stop,
    kubeconfig: ({ kubeconfig }) => readFile(kubeconfig, "utf8"),
    async connect({ kubeconfig }) {
      const { apiHttp } = await import("../adapters/apiHttp/index.js");
      return apiHttp(accessIn(await readFile(kubeconfig, "utf8")));
    },
    async startDetached(asked, say) {
      const { startDetached } = await import("./startDetached.js");
      return startDetached({ home, asked, say, signal: options.signal });
    },
    async startPrivate(say) {
      say("starting the server and the gateway");
      const { startEmbedded } = await import("./embedded.js");
      const { apiHttp } = await import("../adapters/apiHttp/index.js");
      // Runtimes are installed where every instance finds them, or each demo would fetch them again.
      const embedded = await startEmbedded({ runtimesHome: home, log: await options.privateLog() });
      const { url: server, ca, clientCert: cert, clientKey: key } = embedded.api;
      const api = apiHttp({ server, ca, cert, key });
      return {
        api,
        apiUrl: server,
        gatewayUrl: embedded.gateway().url,
        async close() {
          api.close();
          await embedded.close();
        },
      };
    },
  };
}

export function filesOf(home: string) {
  return {
    lock: join(home, "instance.lock"),
    instance: join(home, "instance.json"),
    kubeconfig: join(home, "kubeconfig"),
    run: join(home, "run"),
    engine: join(home, "engine.json"),
    draining: join(home, "draining.json"),
    log: join(home, "log", "drydock.log"),
  };
}

/** What the file holds: what users see, and enough to know the gateway's process again. */
type Recorded = Instance & { readonly gatewayStart?: string | undefined };

async function readInstance(file: string): Promise<Recorded | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Recorded);
}

/** Written while it is read: half of it is none of it. */
async function readDraining(file: string): Promise<Draining | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Draining;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and for its owner only: others read it while it is written. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, text.endsWith("\n") ? text : `${text}\n`, { mode: 0o600 });
  await rename(draft, file);
}

/** Names of the processes that an instance recorded: containers, and those that wait to become one. */
async function recorded(runFolder: string): Promise<readonly string[]> {
  const lives = await readdir(runFolder).catch(() => []);
  const names = lives.map(async (life) => {
    const folder = join(runFolder, life);
    if (!(await stat(folder)).isDirectory()) return [];
    return (await readdir(folder)).filter((name) => name.endsWith(".pid"));
  });
  return (await Promise.all(names)).flat();
}

function gatewayOf(instance: Recorded | undefined): ProcessIdentity | undefined {
  const { gateway, gatewayStart: start } = instance ?? {};
  return gateway?.pid === undefined || start === undefined ? undefined : { pid: gateway.pid, start };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ESRCH") return;
    throw new CliError(`pid ${pid} cannot be stopped: it belongs to another user`, 1, { cause });
  }
}
