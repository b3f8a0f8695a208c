// A kubelet with real processes over a real registry in memory: what its tests share.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "../../src/adapters/clock/index.js";
import {
  type ProcessImagesOptions,
  processImages,
  processSandbox,
} from "../../src/adapters/process/index.js";
import { memoryStore } from "../../src/adapters/store/index.js";
import { createRegistry, localClient } from "../../src/apiserver/index.js";
import type { Container } from "../../src/domain/apis/core/container.types.js";
import { Namespace } from "../../src/domain/apis/core/namespace.types.js";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import { builtinKinds } from "../../src/domain/apis/kinds.js";
import { type Kubelet, type KubeletOptions, startKubelet } from "../../src/kubelet/index.js";
import { type Client, isPortError, type PodRef } from "../../src/ports/index.js";

export interface WorldOptions {
  readonly images?: Partial<ProcessImagesOptions>;
  readonly kubelet?: Partial<KubeletOptions>;
}

export interface KubeletWorld {
  readonly client: Client;
  readonly home: string;
  readonly kubelet: () => Kubelet;
  /** Events as `Type Reason: message`, in order. */
  readonly events: string[];
  readonly errors: string[];
  create(pod: PodWish): Promise<Pod>;
  get(name: string): Promise<Pod | undefined>;
  /** Resolves with the pod as soon as it fits; fails with the pod's status after a while. */
  until(name: string, fits: (pod: Pod) => boolean, withinMs?: number): Promise<Pod>;
  untilGone(name: string, withinMs?: number): Promise<void>;
  remove(name: string, gracePeriodSeconds?: number): Promise<void>;
  logs(pod: Pod, container?: string, options?: LogWish): Promise<string>;
  restart(options?: { readonly sandboxDies?: boolean }): Promise<void>;
  close(): Promise<void>;
}

type LogWish = Partial<Parameters<Kubelet["runtime"]["logs"]>[1]>;

export interface PodWish extends Partial<NonNullable<Pod["spec"]>> {
  readonly name: string;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
}

export async function kubeletWorld(options: WorldOptions = {}): Promise<KubeletWorld> {
  const home = await mkdtemp(join(tmpdir(), "kubelet-"));
  const clock = systemClock();
  const registry = await createRegistry({
    store: memoryStore(),
    clock,
    random: systemRandom,
    kinds: builtinKinds,
    freeze: true,
  });
  const client = localClient(registry, { name: "test", groups: ["system:masters"] });
  await client.create(Namespace, { metadata: { name: "test" } }).catch((error: unknown) => {
    if (!isPortError(error, "AlreadyExists")) throw error;
  });
  const events: string[] = [];
  const errors: string[] = [];
  let kubelet: Kubelet;
  let sandbox: Awaited<ReturnType<typeof processSandbox>>;

  async function start() {
    sandbox = await processSandbox({ runFolder: join(home, "run"), clock });
    kubelet = await startKubelet({
      client,
      sandbox,
      images: processImages({
        version: "1.0.0",
        programs: { modelserver: "modelserver.js", storageInitializer: "storage-initializer.js" },
        ensureRuntime: async () => ({ env: {} }),
        ...options.images,
      }),
      clock,
      random: systemRandom,
      log: {
        info() {},
        error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`),
      },
      recorder: {
        event: (_object, type, reason, message) => void events.push(`${type} ${reason}: ${message}`),
      },
      home,
      version: "1.0.0",
      lameDuckMs: 20,
      ...options.kubelet,
    });
  }
  await start();

  const get = (name: string) => client.get(Pod, { namespace: "test", name });

  async function when<T>(
    look: () => Promise<T | undefined>,
    what: () => Promise<string>,
    withinMs: number,
  ): Promise<T> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        const stop = registry.onChange(() => end());
        const timer = setTimeout(() => end(), 250);
        const end = () => {
          stop();
          clearTimeout(timer);
          resolve();
        };
      });
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadline)
        throw new Error(`still not so: ${await what()}\n${events.join("\n")}\n${errors.join("\n")}`);
      await changed;
    }
  }

  return {
    client,
    home,
    kubelet: () => kubelet,
    events,
    errors,
    get,
    create: ({ name, labels, annotations, containers = [], ...spec }) =>
      client.create(Pod, {
        metadata: { name, namespace: "test", ...(labels && { labels }), ...(annotations && { annotations }) },
        spec: { terminationGracePeriodSeconds: 5, containers, ...spec },
      }),
    until: (name, fits, withinMs = 15_000) =>
      when(
        async () => {
          const pod = await get(name);
          return pod !== undefined && fits(pod) ? pod : undefined;
        },
        async () => JSON.stringify((await get(name))?.status, undefined, 1),
        withinMs,
      ),
    untilGone: async (name, withinMs = 15_000) => {
      await when(
        async () => ((await get(name)) === undefined ? true : undefined),
        async () => `${name} is there`,
        withinMs,
      );
    },
    remove: (name, gracePeriodSeconds) =>
      client.delete(
        Pod,
        { namespace: "test", name },
        gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds },
      ),
    async logs(pod, container = pod.spec?.containers[0]?.name ?? "", wish = {}) {
      const all = { container, follow: false, previous: false, timestamps: false, ...wish };
      const chunks: Uint8Array[] = [];
      const bytes = await kubelet.runtime.logs(refOf(pod), all, AbortSignal.timeout(10_000));
      for await (const chunk of bytes) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    },
    async restart() {
      await kubelet.close();
      await sandbox.close();
      await start();
    },
    async close() {
      await kubelet.close();
      await sandbox.close();
      await registry.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export function refOf(pod: Pod): PodRef {
  return { namespace: pod.metadata.namespace ?? "", name: pod.metadata.name, uid: pod.metadata.uid ?? "" };
}

/** A container that runs a piece of JavaScript on this machine. */
export function script(name: string, code: string, more: Partial<Container> = {}): Container {
  return { name, image: "drydock/host", command: [process.execPath, "-e", code], ...more };
}

export function shell(name: string, code: string, more: Partial<Container> = {}): Container {
  return { name, image: "drydock/host", command: ["/bin/sh", "-c", code], ...more };
}

export const isReady = (pod: Pod) => conditionOf(pod, "Ready") === "True";

export function conditionOf(pod: Pod, type: string): string | undefined {
  return pod.status?.conditions?.find((one) => one.type === type)?.status;
}

/** A server that answers everything with 200, as soon as it can. */
export const serverCode =
  'require("http").createServer((q,r)=>r.end("hello "+process.pid)).listen(process.env.PORT)';
