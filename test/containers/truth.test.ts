/**
 * Failures that only an engine, or its registry, can cause: what users read at every level and in `kubectl get`, how
 * soon after the engine or the registry has spoken, and what cures it. Engine, registry, limits and kubectl are real.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Pod } from "../../src/domain/apis/core/pod.types.js";
import type { Resource } from "../../src/domain/apis/kind.js";
import { layerOf, tarOf } from "../registry/layer.js";
import { digestOf, pushImage, type RegistryServer, startRegistry, types } from "../registry/server.js";
import { type RealInstance, startInstance } from "../scenarios/instance.js";
import { goImage, goProgram } from "./engine.js";
import { type Forward, forwardTo } from "./forward.js";
import { describeWithPodman, type PodmanService, podmanService } from "./podman.js";

/** What users are promised, and what a busy machine gets. */
const promisedMs = process.env["DRYDOCK_SCENARIOS"] === "all" ? 1_000 : 5_000;
const patienceMs = 30_000;

interface Told extends Resource {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

describeWithPodman("what goes wrong with containers", (engine) => {
  const { api } = engine;
  let image: string;
  let real: RealInstance;
  let podman: PodmanService;
  const registries: RegistryServer[] = [];
  let open: Forward;
  let closed: Forward;
  /** Nobody here is logged in to it. */
  let secret: Forward;
  const deaths = new Map<string, number>();
  const listening = new AbortController();
  const figures: string[] = [];

  beforeAll(async () => {
    image = await goImage(api);
    registries.push(
      await startRegistry(),
      await startRegistry({ users: { ann: "secret" } }),
      await startRegistry({ users: { bob: "other" } }),
    );
    [open, closed, secret] = [
      await forwardTo(registries[0]!.host),
      await forwardTo(registries[1]!.host),
      await forwardTo(registries[2]!.host),
    ];
    for (const registry of registries) await pushServer(registry);
    podman = await podmanService(engine, {
      insecure: [open.host, closed.host, secret.host],
      logins: { [closed.host]: "ann:secret" },
    });
    await listenForDeaths();
    real = await startInstance({ DOCKER_HOST: podman.url });
  }, 300_000);
  afterAll(async () => {
    console.log(["time to truth:", ...figures].join("\n  "));
    await real?.stop();
    listening.abort();
    await podman?.remove();
    await Promise.all([
      open?.close(),
      closed?.close(),
      secret?.close(),
      ...registries.map((one) => one.stop()),
    ]);
  });

  async function pushServer(registry: RegistryServer): Promise<void> {
    const tar = await tarOf({ name: "server", body: goProgram(), mode: 0o755 });
    await pushImage(registry, "team/server", "v1", [gzipSync(tar)], {
      config: { Entrypoint: ["/server"] },
      rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    });
  }

  /** When containers ended, by the engine's own clock; a container's name holds its pod's. */
  async function listenForDeaths(): Promise<void> {
    const filters = JSON.stringify({ type: ["container"], event: ["died", "die"] });
    const told = await api.stream("GET", "/events", { query: { filters }, signal: listening.signal });
    let rest = "";
    told.on("error", () => {}); // aborted at the end
    told.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines.filter((one) => one.trim() !== "")) {
        const { Actor, timeNano } = JSON.parse(line) as {
          Actor: { Attributes: Record<string, string> };
          timeNano: number;
        };
        deaths.set(Actor.Attributes["name"] ?? "", Math.floor(timeNano / 1e6));
      }
    });
  }
  const diedMs = async (pod: string, beforeMs: number) => {
    await pause(300); // the engine tells it to everybody in turn
    const times = [...deaths].filter(([name]) => name.includes(`_${pod}`)).map(([, ms]) => ms);
    const known = times.filter((ms) => ms <= beforeMs + 50);
    expect(known, `deaths: ${JSON.stringify([...deaths])}`).not.toEqual([]);
    return Math.max(...known);
  };

  const kubectl = async (...words: readonly string[]) =>
    (await promisify(execFile)("kubectl", ["--kubeconfig", real.kubeconfig, ...words])).stdout;

  function measure(what: string, spokeMs: number, toldMs: number): void {
    const tookMs = Math.max(0, toldMs - spokeMs);
    figures.push(`${what}: ${tookMs} ms`);
    expect(tookMs, what).toBeLessThan(promisedMs);
  }

  /** What kubectl prints, and every condition and container state, without what differs from run to run. */
  async function shown(kinds: string, name: string): Promise<string> {
    const table = await kubectl("get", kinds, ...(kinds === "pod" ? [name] : []));
    const { items } = JSON.parse(await kubectl("get", kinds, "-o", "json")) as { readonly items?: Told[] };
    const objects = (items ?? []).filter(({ metadata }) => metadata.name.startsWith(name));
    const text = [
      `$ kubectl get ${kinds}`,
      ...table.split("\n").filter((line) => line.includes(name) || /^NAME /.test(line)),
      "",
      ...objects.flatMap(conditionsOf),
    ].join("\n");
    return `${plain(text)}\n`;
  }

  function plain(text: string): string {
    return (
      text
        .replaceAll(open.host, "REGISTRY")
        .replaceAll(closed.host, "REGISTRY")
        .replace(/(-deployment-)[a-z0-9]+-[a-z0-9]{5}\b/g, "$1HASH-PPPPP")
        .replace(/http:\/\/[^\s]*localhost:\d+/g, (url) => url.replace(/:\d+$/, ":PORT"))
        .replace(/sha256:[0-9a-f]{64}/g, "DIGEST")
        .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "UID")
        // Two pipes: which of them is read first is chance.
        .replace(/(up with \[\w+\]|input was 0 bytes)[\n ]?/g, "")
        .replace(/\(\d+s ago\)/g, "(AGO)")
        .replace(/ {2,}(\d+[smh])+$/gm, "  AGE")
        .replace(/ +$/gm, "")
        .replace(/(\S) {2,}/g, "$1  ")
    );
  }

  /** Until it says so, and goes on saying the same. */
  async function settled(kinds: string, name: string, want: RegExp): Promise<string> {
    for (let before = "", same = 0, deadline = Date.now() + patienceMs; ; ) {
      const now = await shown(kinds, name).catch((error: Error) => error.message);
      same = now === before && want.test(now) ? same + 1 : 0;
      if (same === 3) return now;
      if (Date.now() > deadline) throw new Error(`still not ${want}:\n${now}`);
      before = now;
    }
  }
  const golden = (name: string) => join("goldens", `${name}.txt`);
  const chain = "ksvc,configuration,revision,route";

  async function pod(name: string): Promise<Pod> {
    return (await real.api.request({ path: `/api/v1/namespaces/default/pods/${name}` })) as Pod;
  }

  /** The moment at which the pod's status was first seen to say so. */
  async function seen(name: string, says: (status: NonNullable<Pod["status"]>) => boolean): Promise<number> {
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await pause(10)) {
      const { status } = await pod(name);
      if (status !== undefined && says(status)) return Date.now();
    }
    throw new Error(`pod ${name}: ${JSON.stringify((await pod(name)).status)}`);
  }

  it.each([
    [
      "exit-code-127",
      { args: ["exit"] },
      /^False ExitCode127: Container failed with: .*no model, no server/s,
    ],
    [
      "exit-code-137",
      { args: ["eat"], resources: { limits: { memory: "64Mi" } } },
      /^False ExitCode137: .*its memory limit is 64Mi/s,
    ],
  ])(
    "%s: told in the program's words",
    async (name, more, want) => {
      const sinceMs = Date.now();
      await real.create(service(name, { image, ...more }));
      const { atMs } = await real.said(`Service/${name}`, want, sinceMs, patienceMs);
      measure(name, await diedMs(`${name}-00001`, atMs), atMs);
      await expect(await settled(chain, name, /revision\S*${name}|ExitCode/)).toMatchFileSnapshot(
        golden(name),
      );
      await real.remove(servicePath(name));
    },
    90_000,
  );

  it("a container that dies again and again is in CrashLoopBackOff", async () => {
    await real.create(podOf("crash-loop", { containers: [{ name: "c", image, args: ["exit"] }] }));
    const atMs = await seen(
      "crash-loop",
      ({ containerStatuses }) => containerStatuses?.[0]?.state?.terminated?.exitCode === 127,
    );
    measure("crash-loop", await diedMs("crash-loop", atMs), atMs);
    const text = await settled("pod", "crash-loop", /CrashLoopBackOff/);
    await expect(text.replace(/CrashLoopBackOff {2}\d+/, "CrashLoopBackOff  N")).toMatchFileSnapshot(
      golden("crash-loop"),
    );
    await real.remove("/api/v1/namespaces/default/pods/crash-loop");
  }, 90_000);

  it("a pod whose init container fails is Init:Error", async () => {
    const containers = [{ name: "c", image }];
    const initContainers = [{ name: "prepare", image, args: ["exit"] }];
    await real.create(podOf("init-error", { restartPolicy: "Never", initContainers, containers }));
    const atMs = await seen(
      "init-error",
      ({ initContainerStatuses }) => initContainerStatuses?.[0]?.state?.terminated?.exitCode === 127,
    );
    measure("init-error", await diedMs("init-error", atMs), atMs);
    await expect(await settled("pod", "init-error", /Init:Error/)).toMatchFileSnapshot(golden("init-error"));
    await real.remove("/api/v1/namespaces/default/pods/init-error");
  }, 90_000);

  it("a tag that does not exist is ContainerMissing", async () => {
    const sinceMs = Date.now();
    await real.create(service("no-tag", { image: `${open.host}/team/server:none` }));
    const want = /^False ContainerMissing: .*failed to resolve image to digest: .*manifest unknown/;
    const { atMs } = await real.said("Service/no-tag", want, sinceMs, patienceMs);
    measure("no-tag", open.lastAnswerMs(), atMs);
    await expect(await settled(chain, "no-tag", /ContainerMissing/)).toMatchFileSnapshot(golden("no-tag"));
    await real.remove(servicePath("no-tag"));
  }, 90_000);

  it("a registry that lets in the engine and not Drydock says 401, and registriesSkippingTagResolving cures it", async () => {
    const name = "may-not-ask";
    const sinceMs = Date.now();
    await real.create(service(name, { image: `${closed.host}/team/server:v1` }));
    const want =
      /^False ContainerMissing: .*failed to resolve image to digest: .*unsupported status code 401; body: /;
    const { atMs } = await real.said(`Service/${name}`, want, sinceMs, patienceMs);
    measure("401", closed.lastAnswerMs(), atMs);
    await expect(await settled(chain, name, /401/)).toMatchFileSnapshot(golden("may-not-ask"));

    await skip(closed.host);
    const ready = await real.said(`Service/${name}`, /^True/, atMs, patienceMs);
    figures.push(`401, from the cure to Ready in the engine, image and all: ${ready.atMs - atMs} ms`);
    await expect(await settled(chain, name, /True/)).toMatchFileSnapshot(golden("may-not-ask-cured"));
    await real.remove(servicePath(name));
  }, 90_000);

  it("an image that only the engine asked for, and is not there, is in ImagePullBackOff", async () => {
    const name = "no-image";
    await skip(open.host);
    const sinceMs = Date.now();
    await real.create(service(name, { image: `${open.host}/team/nothing:v1` }));
    const { atMs, words } = await real.said(
      `Service/${name}`,
      /^False ContainerMissing: /,
      sinceMs,
      patienceMs,
    );
    expect(words).toMatch(/manifest unknown|name unknown/);
    measure("image pull", open.lastAnswerMs(), atMs);
    await expect(await settled(`${chain},pod`, name, /ImagePullBackOff/)).toMatchFileSnapshot(golden(name));
    await real.remove(servicePath(name));
  }, 90_000);

  it("a private image is pulled with whichever of the pull secrets is right", async () => {
    for (const [name, who] of [
      ["wrong", "bob:guess"],
      ["right", "bob:other"],
    ] as const) {
      const auths = { [secret.host]: { auth: Buffer.from(who).toString("base64") } };
      await real.create({
        apiVersion: "v1",
        kind: "Secret",
        type: "kubernetes.io/dockerconfigjson",
        metadata: { name },
        stringData: { ".dockerconfigjson": JSON.stringify({ auths }) },
      } as Resource);
    }
    const template = (secrets: readonly string[]) => ({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: `private-${secrets.length}` },
      spec: {
        template: {
          spec: {
            imagePullSecrets: secrets.map((name) => ({ name })),
            containers: [{ image: `${secret.host}/team/server:v1`, imagePullPolicy: "Always" }],
          },
        },
      },
    });
    const sinceMs = Date.now();
    await real.create(template(["wrong"]) as Resource);
    const refused = await real.said("Service/private-1", /^False ContainerMissing: /, sinceMs, patienceMs);
    expect(refused.words).toMatch(/401; .*does not accept the credentials it was given/);
    await real.create(template(["wrong", "right"]) as Resource);
    await real.said("Service/private-2", /^True/, sinceMs, patienceMs);
    // The other way round: Drydock may ask, and the engine that pulls may not.
    await skip(secret.host);
    await real.create(
      service("node-may-not", { image: `${secret.host}/team/server:v1`, imagePullPolicy: "Always" }),
    );
    const node = await real.said("Service/node-may-not", /^False ContainerMissing: /, sinceMs, patienceMs);
    expect(node.words).toMatch(
      /authentication required \(Podman may not pull from .*: add an imagePullSecret/,
    );
    for (const name of ["private-1", "private-2", "node-may-not"]) await real.remove(servicePath(name));
  }, 90_000);

  it("an image that was announced is in the engine before anybody asks for it", async () => {
    const digest = await pushImage(
      registries[0]!,
      "team/ahead",
      "v1",
      [await layerOf({ name: "file", body: "y" })],
      {
        rootfs: { type: "layers", diff_ids: [digestOf(await tarOf({ name: "file", body: "y" }))] },
      },
    );
    const announced = (name: string, image: string) => ({
      apiVersion: "caching.internal.knative.dev/v1alpha1",
      kind: "Image",
      metadata: { name },
      spec: { image },
    });
    await real.create(announced("ahead", `${open.host}/team/ahead@${digest}`) as Resource);
    await real.create(announced("never", `${open.host}/team/never:v1`) as Resource);
    const told = async (name: string) => {
      const path = `/apis/caching.internal.knative.dev/v1alpha1/namespaces/default/images/${name}`;
      const { status } = (await real.api.request({ path })) as Told;
      return status?.conditions?.map(({ status: is, reason = "" }) => `${is} ${reason}`.trim());
    };
    await expect.poll(() => told("ahead"), { timeout: patienceMs }).toEqual(["True"]);
    await api.call("GET", `/images/${open.host}/team/ahead@${digest}/json`);
    await expect.poll(() => told("never"), { timeout: patienceMs }).toEqual(["False ErrImagePull"]);
  }, 60_000);

  it("an image that has gone from its registry runs on from the engine's copy, where the policy allows", async () => {
    const tar = await tarOf(
      { name: "server", body: goProgram(), mode: 0o755 },
      { name: "gone", body: "soon" },
    );
    const digest = await pushImage(registries[0]!, "team/gone", "v1", [gzipSync(tar)], {
      config: { Entrypoint: ["/server"] },
      rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    });
    const image = `${open.host}/team/gone:v1`;
    const pinned = `${open.host}/team/gone@${digest}`;
    const sinceMs = Date.now();
    await real.create(service("stays", { image, imagePullPolicy: "IfNotPresent" }));
    await real.said("Service/stays", /^True/, sinceMs, patienceMs);
    await registries[0]!.remove("team/gone", digest);
    const uidOf = async () => {
      const { items } = JSON.parse(
        await kubectl("get", "pods", "-l", "serving.knative.dev/service=stays", "-o", "json"),
      ) as { readonly items: readonly Pod[] };
      return items.filter(isReadyPod).map(({ metadata }) => metadata.uid);
    };
    const before = await uidOf();
    await kubectl("delete", "pods", "-l", "serving.knative.dev/service=stays", "--wait=false");
    await expect
      .poll(async () => (await uidOf()).filter((uid) => !before.includes(uid)).length, {
        timeout: patienceMs,
      })
      .toBeGreaterThan(0);

    await real.create(
      podOf("asks-anew", { containers: [{ name: "c", image: pinned, imagePullPolicy: "Always" }] }),
    );
    const isTold = ({ containerStatuses }: NonNullable<Pod["status"]>) =>
      /unknown.*imagePullPolicy IfNotPresent would use it/.test(
        containerStatuses?.[0]?.state?.waiting?.message ?? "",
      );
    await seen("asks-anew", isTold);
    await real.remove("/api/v1/namespaces/default/pods/asks-anew");
    await real.remove(servicePath("stays"));
  }, 90_000);

  it("a registry without TLS that only Drydock knows is named with the engine's own setting", async () => {
    const unknown = await forwardTo(registries[0]!.host);
    const sinceMs = Date.now();
    await real.create(
      service("plain", { image: `${unknown.host}/team/server:v1`, imagePullPolicy: "Always" }),
    );
    const { words, atMs } = await real.said(
      "Service/plain",
      /^False ContainerMissing: /,
      sinceMs,
      patienceMs,
    );
    expect(words).toMatch(/server gave HTTP response to HTTPS client \(.* has no TLS.*registries\.conf/);
    figures.push(`plain http at the engine: ${atMs - sinceMs} ms after apply`);
    await real.remove(servicePath("plain"));
    await unknown.close();
  }, 60_000);

  it("an image without a command, or for another machine, is told at once", async () => {
    await pushImage(registries[0]!, "team/empty", "v1", [await layerOf({ name: "file", body: "x" })], {
      rootfs: { type: "layers", diff_ids: [digestOf(await tarOf({ name: "file", body: "x" }))] },
    });
    const sinceMs = Date.now();
    await real.create(service("no-command", { image: `${open.host}/team/empty:v1` }));
    const empty = await real.said("Service/no-command", /^False /, sinceMs, patienceMs);
    expect(empty.words).toMatch(/has no command of its own: set the container's command/);
    expect(empty.atMs - sinceMs).toBeLessThan(promisedMs * 3);
    figures.push(`no command: ${empty.atMs - sinceMs} ms after apply, image and all`);

    const foreign = `${open.host}/team/foreign@${await foreignManifest()}`;
    await real.create(service("foreign", { image: foreign }));
    const other = await real.said("Service/foreign", /^False /, sinceMs, patienceMs);
    expect(other.words).toMatch(/not built for \w+|is built for s390x/);
    figures.push(`another machine's image: ${other.atMs - sinceMs} ms after apply`);
    for (const name of ["no-command", "foreign"]) await real.remove(servicePath(name));
  }, 60_000);

  /** An index that has the image for a machine that nobody has here. */
  async function foreignManifest(): Promise<string> {
    const registry = registries[0]!;
    const digest = await pushImage(registry, "team/foreign", "s390x", [], { architecture: "s390x" });
    const index = {
      schemaVersion: 2,
      mediaType: types.index,
      manifests: [
        { mediaType: types.manifest, digest, size: 500, platform: { os: "linux", architecture: "s390x" } },
      ],
    };
    return registry.push("/v2/team/foreign/manifests/v1", JSON.stringify(index), types.index);
  }

  async function skip(host: string): Promise<void> {
    await real.merge("/api/v1/namespaces/knative-serving/configmaps/config-deployment", {
      data: { "registries-skipping-tag-resolving": host },
    });
  }
});

function isReadyPod({ status }: Pod): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}

function conditionsOf({ kind, metadata, status }: Told): readonly string[] {
  const { containerStatuses = [], initContainerStatuses = [] } = (status ?? {}) as NonNullable<Pod["status"]>;
  const containers = kind === "Pod" ? [...initContainerStatuses, ...containerStatuses] : [];
  return [
    `${kind}/${metadata.name}`,
    ...(status?.conditions ?? [])
      .filter(({ type }) => !type.includes("/"))
      .map(
        ({ type, status: is, reason = "", message = "" }) =>
          `  ${type}: ${[is, reason].join(" ").trim()}${message === "" ? "" : `: ${message}`}`,
      ),
    ...containers.map(({ name, state, lastState }) => {
      const { terminated, waiting } = state ?? {};
      const ended = terminated ?? lastState?.terminated;
      const words = [
        waiting && [waiting.reason, waiting.message].filter(Boolean).join(": "),
        ended &&
          `exit code ${ended.exitCode}, ${ended.reason}${ended.message ? `: ${ended.message.trim()}` : ""}`,
      ];
      return `  container ${name}: ${words.filter(Boolean).join("; ") || "runs"}`;
    }),
  ];
}

function service(name: string, container: object): Resource {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name },
    spec: { template: { spec: { containers: [container] } } },
  } as Resource;
}

function servicePath(name: string): string {
  return `/apis/serving.knative.dev/v1/namespaces/default/services/${name}`;
}

function podOf(name: string, spec: object): Resource {
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec } as Resource;
}
