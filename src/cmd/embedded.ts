/**
 * Embedded mode: the API, its reconcilers and the kubelet in this process, the gateway beside it.
 * Beside cluster mode, this file is the whole difference: it brings the store, the API server and the node.
 */
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock, systemRandom } from "../adapters/clock/index.js";
import { gatewayProber } from "../adapters/gatewayProber/index.js";
import { processImages, processSandbox } from "../adapters/process/index.js";
import { runtimes } from "../adapters/runtimes/index.js";
import { memoryStore, sqliteStore } from "../adapters/store/index.js";
import { ensurePki } from "../adapters/tls/index.js";
import { createRegistry, localClient, startApiServer } from "../apiserver/index.js";
import {
  type Controller,
  type Deps,
  makeInformers,
  makeRecorder,
  readYourWrites,
  startController,
} from "../controller/index.js";
import { type GatewayListener, startGateway } from "../dataplane/index.js";
import { allKinds } from "../domain/apis/kinds.js";
import { startKubelet } from "../kubelet/index.js";
import type { Client, Clock, Log } from "../ports/index.js";
import { liveServingConfig, servingReconcilers } from "../reconcilers/serving/index.js";
import { startGarbageCollector, workloadReconcilers } from "../reconcilers/workload/index.js";
import { createFirstObjects } from "./firstObjects.js";
import { followRoutes } from "./followRoutes.js";
import { startGatewayProcess } from "./gatewayProcess.js";
import { version } from "./version.js";

export interface EmbeddedOptions {
  /** Where everything is kept. Without one the instance is private: in memory, its files gone with it. */
  readonly home?: string;
  /** Where model runtimes are installed, when not below home; shared by all instances. */
  readonly runtimesHome?: string;
  readonly bind?: string;
  /** 0 takes a free port. */
  readonly apiPort?: number;
  readonly gatewayPort?: number;
  /** A process of its own keeps control work from delaying requests; inside this one it starts faster. */
  readonly gateway?: "process" | "inside";
  /** What external hosts end in. */
  readonly domain?: string;
  readonly log: Log;
}

export interface Embedded {
  readonly api: {
    readonly url: string;
    readonly ca: string;
    readonly token: string;
    readonly clientCert: string;
    readonly clientKey: string;
  };
  gateway(): { readonly url: string; readonly localUrl: string; readonly pid: number | undefined };
  readonly home: string;
  readonly client: Client;
  readonly clock: Clock;
  close(): Promise<void>;
}

/** Starts everything; each part that is up by then is closed again when a later one fails. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { log, bind = "127.0.0.1", domain = "localhost" } = options;
  const clock = systemClock();
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).reverse()) await end();
  };

  try {
    const home = options.home ?? (await mkdtemp(join(tmpdir(), "drydock-")));
    if (options.home === undefined) closers.push(() => rm(home, { recursive: true, force: true }));
    await mkdir(home, { recursive: true });
    // Secrets, keys and logs are below it, whoever made the folder and how.
    await chmod(home, 0o700);

    // A process of its own loads its code while we are busy; whatever goes wrong here, it goes too.
    const gatewayProcess = options.gateway === "inside" ? undefined : startGatewayProcess(clock, log);
    if (gatewayProcess !== undefined) closers.push(() => gatewayProcess.close());

    // The API: one schema per kind, every write on disk, HTTPS with a token.
    const store =
      options.home === undefined ? memoryStore() : sqliteStore({ file: join(home, "drydock.db") });
    const [registry, pki, sandbox] = await together([
      opened(createRegistry({ store, clock, random: systemRandom, kinds: allKinds, log })),
      ensurePki({ folder: join(home, "pki"), hosts: [bind], clock }),
      opened(processSandbox({ runFolder: join(home, "run"), clock })),
    ]);

    // Those inside see the API as any client does, only without the wire.
    const inside = localClient(registry, {
      name: "system:serviceaccount:knative-serving:controller",
      groups: ["system:masters"],
    });
    const informers = makeInformers({ client: inside, clock, log });
    closers.push(() => informers.close());

    // The node: pods as processes of this machine.
    const node = localClient(registry, {
      name: "system:node:drydock",
      groups: ["system:nodes", "system:masters"],
    });
    const { ensure: ensureRuntime } = runtimes({ home: options.runtimesHome ?? home });
    const images = processImages({
      version,
      programs: { modelserver: program("modelserver"), storageInitializer: program("storage-initializer") },
      ensureRuntime,
    });
    const kubelet = await startKubelet({
      client: node,
      sandbox,
      images,
      clock,
      random: systemRandom,
      log,
      recorder: makeRecorder({ client: node, clock, random: systemRandom, log, component: "kubelet" }),
      home,
      nodeName: "drydock",
      version,
      informers,
    });
    closers.push(() => kubelet.close());

    const apiServer = await startApiServer({
      registry,
      host: bind,
      port: options.apiPort ?? 0,
      tls: { ca: pki.ca, cert: pki.server.cert, key: pki.server.key },
      auth: { token: pki.token, serviceAccountKey: pki.serviceAccountKey },
      podRuntime: kubelet.runtime,
      clock,
      log,
    });
    closers.push(() => apiServer.close());

    // The gateway, and the controllers.
    const client = readYourWrites(inside, informers, clock);
    const [gateway] = await together([openGateway(), createFirstObjects(inside)]);
    const prober = gatewayProber((visibility) => {
      const address = gateway
        .addresses()
        .find((one) => one.name === (visibility === "external" ? "external" : "local"));
      return address === undefined ? undefined : { host: loopback(address.host), port: address.port };
    }, clock);
    closers.push(() => prober.close());
    const deps: Deps = {
      client,
      listers: informers.listers,
      clock,
      random: systemRandom,
      recorder: makeRecorder({
        client: inside,
        clock,
        random: systemRandom,
        log,
        component: "drydock-controller",
      }),
    };
    const settings = () => ({ domain, externalPort: portOf(gateway.addresses(), "external") });
    const kinds = () => [...new Set(registry.served.all().map((served) => served.storage))];
    const reconcilers = [
      ...servingReconcilers({ ...deps, images, prober, settings, config: liveServingConfig(deps.listers) }),
      ...workloadReconcilers(deps, {
        kinds,
        caCertificate: pki.ca,
        finalizeNamespace: async (name) => {
          await registry.finalizeNamespace(name, []);
        },
      }),
    ];
    const controllers: Controller[] = reconcilers.map((reconciler) =>
      startController(reconciler, informers, { ...deps, log }),
    );
    closers.push(async () => {
      await Promise.all(controllers.map((controller) => controller.close()));
    });
    const collector = startGarbageCollector({ informers, client: inside, clock, log, kinds });
    closers.push(() => collector.close());
    await gateway.ready();

    return {
      api: {
        url: apiServer.url,
        ca: pki.ca,
        token: pki.token,
        clientCert: pki.client.cert,
        clientKey: pki.client.key,
      },
      gateway: () => ({
        url: urlOf(gateway.addresses(), "external"),
        localUrl: urlOf(gateway.addresses(), "local"),
        pid: gateway.pid(),
      }),
      home,
      client: inside,
      clock,
      close,
    };

    async function openGateway() {
      const ports = { externalPort: options.gatewayPort ?? 0, localPort: 0 };
      if (gatewayProcess !== undefined) {
        // Closed before what it sends requests to: those under way are finished.
        closers.push(() => gatewayProcess.close());
        await gatewayProcess.open({ server: apiServer.url, ca: pki.ca, token: pki.token, bind, ...ports });
        return gatewayProcess;
      }
      const listeners: readonly GatewayListener[] = [
        { name: "external", host: bind, port: ports.externalPort },
        { name: "local", host: "127.0.0.1", port: ports.localPort },
      ];
      const made = await startGateway({ listeners, random: systemRandom, clock });
      closers.push(() => made.close({ drainMs: drainInsideMs }));
      await followRoutes(informers, made, log);
      return { addresses: () => made.addresses(), pid: () => undefined, ready: async () => {} };
    }

    async function opened<T extends { close(): Promise<void> | void }>(opening: Promise<T>): Promise<T> {
      const made = await opening;
      closers.push(() => made.close());
      return made;
    }
  } catch (error) {
    await close();
    throw error;
  }
}

/** Side by side. When one fails, the others are waited for: what they open is closed like the rest. */
async function together<T extends readonly unknown[]>(
  parts: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<T> {
  await Promise.allSettled(parts);
  return (await Promise.all(parts)) as unknown as T;
}

/** An instance inside a test or a script ends when it is told to; nobody waits for its stragglers. */
const drainInsideMs = 500;

function program(name: string): string {
  // From src, where tests run uncompiled, the programs are the built ones all the same: children are plain Node.
  return fileURLToPath(new URL(`../../dist/cmd/${name}.js`, import.meta.url));
}

function portOf(addresses: readonly GatewayListener[], name: GatewayListener["name"]): number {
  return addresses.find((address) => address.name === name)?.port ?? 0;
}

function urlOf(addresses: readonly GatewayListener[], name: GatewayListener["name"]): string {
  const address = addresses.find((one) => one.name === name);
  return address === undefined ? "" : `http://${loopback(address.host)}:${address.port}`;
}

function loopback(host: string): string {
  return host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
}
