// A real instance on a home of its own, started by the real command, and what its API says the moment it says it.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { parse } from "yaml";
import { type ApiHttp, apiHttp } from "../../src/adapters/apiHttp/index.js";
import { runtimes } from "../../src/adapters/runtimes/index.js";
import type { Resource } from "../../src/domain/apis/kind.js";
import { runtimesHome } from "../runtimes.js";
import { root } from "../sources.js";
import { told } from "../world/index.js";

export interface RealInstance {
  readonly api: ApiHttp;
  /** A folder for this test's own files; its processes see it too. */
  readonly folder: string;
  readonly kubeconfig: string;
  create(object: Resource): Promise<void>;
  merge(path: string, patch: object): Promise<void>;
  remove(path: string): Promise<void>;
  /** Resolves when there is such an object. */
  exists(path: string): Promise<void>;
  /** When the object first said so after a moment, on the machine's clock. */
  said(
    path: string,
    want: RegExp,
    sinceMs: number,
    withinMs: number,
  ): Promise<{ readonly atMs: number; readonly words: string }>;
  /** The moment of the last line that a container of this label's pod wrote before another moment. */
  lastLineMs(label: string, container: string, beforeMs: number): Promise<number>;
  stop(): Promise<void>;
}

interface Word {
  readonly path: string;
  readonly words: string;
  readonly atMs: number;
}

const watched = [
  "/apis/serving.knative.dev/v1/services",
  "/apis/serving.kserve.io/v1beta1/inferenceservices",
];

/** `more` is for its environment. */
export async function startInstance(more: NodeJS.ProcessEnv = {}): Promise<RealInstance> {
  const folder = await mkdtemp(join(tmpdir(), "drydock-scenarios-"));
  const home = join(folder, "home");
  await runtimes({ home: runtimesHome }).ensure("onnx");
  await mkdir(home, { mode: 0o700 });
  await symlink(join(runtimesHome, "runtimes"), join(home, "runtimes"));
  const env = { ...process.env, ...more, DRYDOCK_HOME: home };
  const drydock = (...words: readonly string[]) =>
    promisify(execFile)(process.execPath, [join(root, "bin/drydock"), ...words], { env, cwd: root });
  await drydock("up", "--detach", "--api-port", "0", "--gateway-port", "0");
  const kubeconfig = join(home, "kubeconfig");
  const api = await connect(kubeconfig);

  const heard: Word[] = [];
  const listeners = new Set<() => void>();
  const ending = new AbortController();
  for (const path of watched) void follow(path);

  async function follow(path: string): Promise<void> {
    try {
      let rest = "";
      for await (const chunk of await api.stream({ path, query: { watch: true }, signal: ending.signal })) {
        const lines = (rest + Buffer.from(chunk).toString("utf8")).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines)
          hear(JSON.parse(line) as { readonly type: string; readonly object: Resource });
      }
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
  }

  function hear({ type, object }: { readonly type: string; readonly object: Resource }): void {
    const path = `${object.kind}/${object.metadata.name}`;
    heard.push({ path, words: type === "DELETED" ? "gone" : told(object), atMs: Date.now() });
    for (const listener of [...listeners]) listener();
  }

  return {
    api,
    folder,
    kubeconfig,
    async create(object) {
      const namespace = object.metadata.namespace ?? "default";
      await api.request({ method: "POST", path: pathOf(object, namespace), body: JSON.stringify(object) });
    },
    async merge(path, patch) {
      const body = JSON.stringify(patch);
      await api.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
    },
    async remove(path) {
      await api.request({ method: "DELETE", path });
    },
    async exists(path) {
      for (let tries = 0; tries < 500; tries += 1) {
        const found = await api.request({ path }).catch(() => undefined);
        if (found !== undefined) return;
        await pause(10);
      }
      throw new Error(`${path} does not come to be`);
    },
    said(path, want, sinceMs, withinMs) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          listeners.delete(look);
          const last = heard.findLast((word) => word.path === path)?.words ?? "nothing";
          reject(new Error(`${path} did not say ${want} within ${withinMs} ms; it says ${last}`));
        }, withinMs);
        function look(): void {
          const word = heard.find((one) => one.path === path && one.atMs >= sinceMs && want.test(one.words));
          if (word === undefined) return;
          listeners.delete(look);
          clearTimeout(timer);
          resolve(word);
        }
        listeners.add(look);
        look();
      });
    },
    async lastLineMs(label, container, beforeMs) {
      const pods = "/api/v1/namespaces/default/pods";
      const list = await api.request({ path: pods, query: { labelSelector: label } });
      const [pod] = (list as { readonly items: readonly Resource[] }).items;
      // It may have been started again meanwhile.
      const logs = [false, true].map((previous) =>
        api
          .request({
            path: `${pods}/${pod?.metadata.name}/log`,
            query: { container, timestamps: true, previous },
          })
          .catch(() => ""),
      );
      const lines = (await Promise.all(logs)).flatMap((text) => String(text).split("\n"));
      const times = lines.map((line) => Date.parse(line.split(" ")[0] ?? "")).filter((ms) => ms <= beforeMs);
      if (times.length === 0) throw new Error(`${container} of ${pod?.metadata.name} has said nothing`);
      return Math.max(...times);
    },
    async stop() {
      ending.abort();
      api.close();
      await drydock("down");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function connect(kubeconfig: string): Promise<ApiHttp> {
  const config = parse(await readFile(kubeconfig, "utf8")) as {
    readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
    readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
  };
  const [{ cluster }] = config.clusters;
  const [{ user }] = config.users;
  const plain = (base64: string | undefined) => Buffer.from(base64 ?? "", "base64").toString("utf8");
  return apiHttp({
    server: cluster["server"] ?? "",
    ca: plain(cluster["certificate-authority-data"]),
    cert: plain(user["client-certificate-data"]),
    key: plain(user["client-key-data"]),
  });
}

const plurals: Readonly<Record<string, string>> = {
  InferenceService: "inferenceservices",
  Service: "services",
  ResourceQuota: "resourcequotas",
  ConfigMap: "configmaps",
  Namespace: "namespaces",
  Pod: "pods",
  Secret: "secrets",
  Image: "images",
  ServiceAccount: "serviceaccounts",
};

function pathOf({ apiVersion, kind }: Resource, namespace: string): string {
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return kind === "Namespace" ? `${base}/namespaces` : `${base}/namespaces/${namespace}/${plurals[kind]}`;
}
