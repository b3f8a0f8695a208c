/**
 * The control plane of embedded mode, joined: the API over its store, the node, the gateway, and the controllers.
 * Beside cluster mode, this file is the whole difference: it brings the store, the API server and the node.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemRandom } from "../adapters/clock/index.js";
import { containerEngine } from "../adapters/engine/index.js";
import { processImages, type RuntimeEnsure } from "../adapters/process/index.js";
import { createRegistry, localClient, type Registry, startApiServer } from "../apiserver/index.js";
import { type Informers, makeInformers, makeQuiet, makeRecorder, type Quiet } from "../controller/index.js";
import { allKinds } from "../domain/apis/kinds.js";
import { type Kubelet, startKubelet } from "../kubelet/index.js";
import type { Client, Engine, Images, InsideProgram, Log } from "../ports/index.js";
import type { Closers } from "./closers.js";
import type { Beside, Embedded, EmbeddedOptions } from "./embedded.js";
import { createFirstObjects } from "./firstObjects.js";
import { followRegistries, ociFolder } from "./followRegistries.js";
import { type GatewayProcess, startGatewayProcess } from "./gatewayProcess.js";
import { imageDigests, type LazyRegistry, lazyRegistry } from "./imageDigests.js";
import { httpsUrlOf, type OpenGateway, urlOf } from "./openGateway.js";
import { imageCredentials, pullCredentials } from "./pullCredentials.js";
import { followRequestLog } from "./requestLog.js";
import { version } from "./version.js";
import { followWakes, type Wakes } from "./wakes.js";

export async function startControl(
  beside: Beside,
  options: EmbeddedOptions,
  closers: Closers,
): Promise<Omit<Embedded, "close">> {
  const { home, clock, pki } = beside;
  // It loads its code while we are busy: not sooner, or it would take the processor from what is waited for first.
  const gatewayProcess =
    options.gateway === "inside" ? undefined : startGatewayProcess(clock, options.log, options.onDraining);
  if (gatewayProcess !== undefined) closers.add(() => gatewayProcess.close());
  const control = await openApi(beside, options.log, closers);
  const images = openImages(home, options.runtimesHome ?? home);
  const engine = containerEngine({
    home,
    isPrivate: options.home === undefined,
    ...beside.spared,
    clock,
    log: options.log,
  });
  closers.add(() => engine.close());
  const registries = lazyRegistry(process.env);
  const kubelet = await startNode(control, images, engine, registries, closers);
  const api = await serveApi(control, kubelet, options.apiPort ?? 0, closers);
  const [gateway, { startControllers }] = await together([
    openGateway(
      control,
      gatewayProcess,
      { server: api.url, port: options.gatewayPort ?? 0, tlsPort: options.gatewayTlsPort ?? 0 },
      closers,
    ),
    // Loaded last: the API answers without their code.
    import("./controllers.js"),
    createFirstObjects(control.inside, options.domain ?? "localhost"),
  ]);
  control.figures.push(async () => (await gateway.metrics()).trimEnd().split("\n"));
  const domain = options.domain ?? "localhost";
  followRegistries(control, ociFolder(home));
  followRequestLog(control.informers, join(home, "log", "requests.log"), (order) =>
    gateway.logRequests(order),
  );
  startControllers(
    {
      control,
      gateway,
      digests: imageDigests(images, engine, registries),
      domain,
      apiUrl: api.url,
      kubelet,
    },
    closers,
  );
  await gateway.ready();
  return {
    api: {
      url: api.url,
      ca: pki.ca,
      token: pki.token,
      clientCert: pki.client.cert,
      clientKey: pki.client.key,
    },
    gateway: () => ({
      url: urlOf(gateway.addresses(), "external"),
      localUrl: urlOf(gateway.addresses(), "local"),
      httpsUrl: httpsUrlOf(gateway.addresses()),
      pid: gateway.pid(),
    }),
    restartGateway: () => gateway.restart(),
    gatewayResources: () => gateway.resources(),
    home,
    client: control.inside,
    clock,
  };
}

export interface Control extends Beside {
  readonly log: Log;
  readonly registry: Registry;
  /** Those inside see the API as any client does, only without the wire. */
  readonly inside: Client;
  /** For controllers, who act on what is written while it is on its way to disk. */
  readonly early: Client;
  readonly informers: Informers;
  /** Shared by all who do what somebody waits for, and all who tell of it. */
  readonly quiet: Quiet;
  readonly wakes: Wakes;
  /** Lines for /metrics, from whoever has figures to show. */
  readonly figures: (() => readonly string[] | Promise<readonly string[]>)[];
}

/** One schema per kind, every write on disk. */
async function openApi(beside: Beside, log: Log, closers: Closers): Promise<Control> {
  const { store, clock } = beside;
  const registry = await closers.opening(
    createRegistry({ store, clock, random: systemRandom, kinds: allKinds, log }),
    (made) => made.close(),
  );
  const controller = {
    name: "system:serviceaccount:knative-serving:controller",
    groups: ["system:masters"],
  };
  const early = localClient(registry, controller, { early: true, goesOn: true });
  const informers = makeInformers({ client: early, clock, log });
  closers.add(() => informers.close());
  const inside = localClient(registry, controller);
  const quiet = makeQuiet();
  closers.add(async () => quiet.close());
  return {
    ...beside,
    log,
    registry,
    inside,
    early,
    informers,
    quiet,
    wakes: followWakes(clock),
    figures: [],
  };
}

/** Only a first model needs what installs runtimes. */
function openImages(home: string, runtimesHome: string): Images {
  const ensureRuntime: RuntimeEnsure = async (name, options) => {
    const { runtimes } = await import("../adapters/runtimes/index.js");
    return runtimes({ home: runtimesHome }).ensure(name, options);
  };
  const programs = {
    modelserver: program("modelserver"),
    storageInitializer: program("storage-initializer"),
  };
  const storageEnv = {
    ...waysOut(process.env),
    DRYDOCK_OCI: ociFolder(home),
    // Of whoever runs Drydock: a container has a home of its own.
    DOCKER_CONFIG: process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"),
  };
  let inside: Promise<InsideProgram> | undefined;
  const initializeInside: InsideProgram = async (args, env) => {
    inside ??= import("./initializeInside.js").then((loaded) => loaded.initializeInside());
    return (await inside)(args, env);
  };
  return processImages({ version, programs, ensureRuntime, initializeInside, storageEnv });
}

/** How this machine reaches others: a process gets no more of our environment than it needs. */
function waysOut(env: NodeJS.ProcessEnv): { readonly [name: string]: string } {
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  return Object.fromEntries(
    [...names, "SSL_CERT_FILE", "SSL_CERT_DIR"].flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Pods as processes of this machine, or as containers of its engine. */
async function startNode(
  control: Control,
  images: Images,
  engine: Engine,
  registries: LazyRegistry,
  closers: Closers,
): Promise<Kubelet> {
  const { registry, informers, clock, log, home } = control;
  const node = { name: "system:node:drydock", groups: ["system:nodes", "system:masters"] };
  // Its own writes wait for the disk: a process is stopped only once others can know that it goes.
  const client = localClient(registry, node, { early: true });
  const asking = imageCredentials(informers.listers, registries);
  const kubelet = await startKubelet({
    client,
    sandbox: await control.sandbox,
    images,
    engine,
    imageCredentials: asking,
    pullCredentials: pullCredentials(informers.listers, asking),
    clock,
    random: systemRandom,
    log,
    recorder: makeRecorder({
      client,
      clock,
      random: systemRandom,
      log,
      component: "kubelet",
      quiet: control.quiet,
    }),
    home,
    nodeName: "drydock",
    version,
    informers,
    wokenAtMs: control.wakes.ofPod,
  });
  control.figures.push(kubelet.figures);
  closers.add(() => kubelet.close());
  return kubelet;
}

/** HTTPS with a token. From here on /readyz says yes: the store is loaded, and pods can run. */
async function serveApi(
  { registry, bind, pki, clock, log, figures }: Control,
  kubelet: Kubelet,
  port: number,
  closers: Closers,
) {
  const server = await startApiServer({
    registry,
    host: bind,
    port,
    tls: { ca: pki.ca, cert: pki.server.cert, key: pki.server.key },
    auth: { token: pki.token, serviceAccountKey: pki.serviceAccountKey },
    podRuntime: kubelet.runtime,
    figures: async () => (await Promise.all(figures.map((lines) => lines()))).flat(),
    clock,
    log,
  });
  closers.add(() => server.close());
  return server;
}

async function openGateway(
  { bind, pki, inside, informers, log, clock }: Control,
  gatewayProcess: GatewayProcess | undefined,
  {
    server,
    port: externalPort,
    tlsPort,
  }: { readonly server: string; readonly port: number; readonly tlsPort: number },
  closers: Closers,
): Promise<OpenGateway> {
  if (gatewayProcess !== undefined) {
    // Closed before what it sends requests to: those under way are finished.
    closers.add(() => gatewayProcess.close());
    const ports = { externalPort, tlsPort, localPort: 0 };
    await gatewayProcess.open({ server, ca: pki.ca, token: pki.token, bind, ...ports });
    return gatewayProcess;
  }
  const { openGatewayInside } = await import("./gatewayInside.js");
  return openGatewayInside({ bind, externalPort, tlsPort, client: inside, informers, clock, log }, closers);
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

function program(name: string): string {
  // From src, where tests run uncompiled, the programs are the built ones all the same: children are plain Node.
  return fileURLToPath(new URL(`../../dist/cmd/${name}.js`, import.meta.url));
}
