// Images of the user's own, from `apply` to an answer through the gateway, on a real container engine.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import type { Kind } from "../../src/domain/apis/kind.js";
import { Revision } from "../../src/domain/apis/serving/revision.types.js";
import { KnativeService } from "../../src/domain/apis/serving/service.types.js";
import { type Drydock, start } from "../../src/index.js";
import { told } from "../world/index.js";
import { describeWithEngine, goImage, nodeImage, pythonImage, shellImage } from "./engine.js";

describeWithEngine("a server image of the user's own", ({ api }) => {
  let drydock: Drydock;
  const images = { go: "", node: "", python: "", shell: "" };

  beforeAll(async () => {
    [images.go, images.node, images.python, images.shell] = await Promise.all([
      goImage(api),
      nodeImage(api),
      pythonImage(api),
      shellImage(api),
    ]);
    drydock = await start();
    await drydock.apply({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "config-autoscaler", namespace: "knative-serving" },
      data: { "stable-window": "6s", "scale-to-zero-grace-period": "1s" },
    });
  }, 300_000);
  afterAll(() => drydock?.dispose());

  type Wish = { readonly [field: string]: unknown };

  async function apply(name: string, template: Wish, more: Wish = {}): Promise<void> {
    await drydock.apply({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name, namespace: "default" },
      spec: { template: { spec: { timeoutSeconds: 10, ...template } }, ...more },
    });
  }
  async function serve(name: string, container: Wish, more: Wish = {}): Promise<void> {
    await apply(name, { containers: [container] }, more);
    await drydock.ready(`ksvc/${name}`);
  }
  const ask = (name: string, path = "/") => fetch(`${drydock.gatewayUrl}/serving/default/${name}${path}`);
  const answer = async (name: string) => (await (await ask(name)).json()) as { readonly said?: string };
  const podsOf = async (service: string) =>
    (
      await drydock.client.list(Pod, {
        namespace: "default",
        labelSelector: `serving.knative.dev/service=${service}`,
      })
    ).items;
  const containersOf = async (service: string) => {
    const all = await api.call<readonly { Names: readonly string[] }[]>("GET", "/containers/json", {
      query: { all: true },
    });
    return all.flatMap(({ Names }) => Names).filter((name) => name.includes(`_${service}-0`));
  };
  const causeOf = async (revision: string) =>
    told(await drydock.client.get(Revision, { namespace: "default", name: revision }), "Ready");

  it("serves: in Go, from scratch", async () => {
    await serve("go", { image: images.go, env: [{ name: "GREETING", value: "$(PORT) hi" }] });
    expect(await answer("go")).toMatchObject({
      args: ["from-image"],
      env: { PORT: "8080", FROM_IMAGE: "yes", K_SERVICE: "go", K_REVISION: "go-00001" },
    });
  });

  it("serves: in Python, as the user it is told", async () => {
    await serve("python", { image: images.python, securityContext: { runAsUser: 1_234 } });
    expect(await answer("python")).toEqual({ language: "python", revision: "python-00001", user: 1_234 });
  });

  it("in any language: rolls, splits its traffic, goes to zero and comes back, and is cleaned up", async () => {
    await Promise.all(
      (["go", "python", "node"] as const).map((language) => liveThrough(`all-${language}`, language)),
    );
  }, 120_000);

  async function liveThrough(name: string, language: "go" | "python" | "node"): Promise<void> {
    const version = (value: string) => ({ image: images[language], env: [{ name: "SAID", value }] });
    // The one in Go answers with all of its environment.
    const revision = async () => {
      const said = (await (await ask(name)).json()) as { revision?: string; env?: Record<string, string> };
      return said.revision ?? said.env?.["K_REVISION"];
    };
    await serve(name, version("one"));
    expect(await revision()).toBe(`${name}-00001`);
    await serve(name, version("two"));
    await expect.poll(revision, { timeout: 20_000 }).toBe(`${name}-00002`);
    await serve(name, version("two"), {
      traffic: [
        { revisionName: `${name}-00001`, percent: 50 },
        { revisionName: `${name}-00002`, percent: 50 },
      ],
    });
    const heard = new Set<string | undefined>();
    await expect
      .poll(async () => heard.add(await revision()).size, { timeout: 20_000, interval: 20 })
      .toBe(2);
    await expect.poll(() => podsOf(name), { timeout: 60_000 }).toEqual([]);
    await expect.poll(() => containersOf(name), { timeout: 20_000 }).toEqual([]);
    const began = performance.now();
    expect((await ask(name)).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(10_000);
    await drydock.client.delete(KnativeService as unknown as Kind, { namespace: "default", name });
    await expect.poll(() => containersOf(name), { timeout: 20_000 }).toEqual([]);
  }

  it("says in its condition what each step of its start took", async () => {
    await serve("timed", { image: images.go });
    const started = (await podsOf("timed"))[0]?.status?.conditions?.find(
      ({ type }) => type === "drydock.dev/Started",
    );
    const message = started?.message ?? "";
    expect(message).toMatch(/\bsandbox=\d/);
    console.log(`a container's start: ${message}`);
  });

  it("keeps its wall: neither root, nor a root that can be written", async () => {
    await serve("walled", {
      image: images.go,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, readOnlyRootFilesystem: true },
    });
    expect(await answer("walled")).toMatchObject({ uid: 65_532 });
    expect((await ask("walled", "/write?path=/here")).status).toBe(403);
    expect((await ask("walled", "/write?path=/tmp/here")).status).toBe(200);
  });

  it("has a sidecar that it reaches on localhost", async () => {
    await apply("pair", {
      containers: [
        { name: "front", image: images.go, ports: [{ containerPort: 8080 }] },
        { name: "helper", image: images.go, args: ["helper"], env: [{ name: "LISTEN_ON", value: "9095" }] },
      ],
    });
    await drydock.ready("ksvc/pair");
    expect(await (await ask("pair", "/beside?port=9095")).json()).toMatchObject({ args: ["helper"] });
    expect(await containersOf("pair")).toHaveLength(3);
  });

  it("is killed at its limit of memory, and the status says so", async () => {
    await serve("eater", { image: images.go, resources: { limits: { memory: "64Mi" } } });
    // Not waited for: the gateway may try it again on the next pod, with the same end.
    const eating = ask("eater", "/eat").catch(() => undefined);
    await expect
      .poll(() => causeOf("eater-00001"), { timeout: 20_000 })
      .toMatch(/^False ExitCode137: .*its memory limit is 64Mi/s);
    await eating;
  });

  it.each([
    ["exits", { args: ["exit"] }, /^False ExitCode127: Container failed with: .*no model, no server/s],
    [
      "has no such program",
      { command: ["serve-it"] },
      /^False ExitCode128: .*executable file not found in \$PATH/s,
    ],
  ])("says at once that it %s", async (name, more, cause) => {
    const service = name.replaceAll(" ", "-");
    await apply(service, { containers: [{ image: images.go, ...more }] });
    await expect.poll(() => causeOf(`${service}-00001`), { timeout: 10_000 }).toMatch(cause);
    await drydock.client.delete(KnativeService as unknown as Kind, { namespace: "default", name: service });
  });

  it("serves a model that Drydock fetched for it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "model-"));
    await writeFile(join(folder, "model.txt"), "iris");
    await drydock.apply({
      apiVersion: "serving.kserve.io/v1beta1",
      kind: "InferenceService",
      metadata: { name: "custom", namespace: "default" },
      spec: {
        predictor: {
          containers: [
            {
              name: "kserve-container",
              image: images.go,
              env: [{ name: "STORAGE_URI", value: `file://${folder}/model.txt` }],
              securityContext: { runAsUser: 65_532 },
            },
          ],
        },
      },
    });
    await drydock.ready("inferenceservice/custom");
    expect(await (await ask("custom", "/file?path=/mnt/models/model.txt")).text()).toBe("iris");
    await rm(folder, { recursive: true });
  });

  it("shows the same status as a process would", async () => {
    const code = "require('http').createServer((q, r) => r.end('ok')).listen(process.env.PORT)";
    await serve("as-process", { image: "drydock/host", command: [process.execPath, "-e", code] });
    await serve("as-container", { image: images.node, command: ["/usr/bin/node", "-e", code] });
    const shown = async (service: string) => {
      const [pod] = await podsOf(service);
      const { conditions, containerStatuses, phase } = pod?.status ?? {};
      return {
        phase,
        conditions: conditions
          ?.filter(({ type }) => !type?.includes("/"))
          .map(({ type, status, reason }) => ({ type, status, reason })),
        containers: containerStatuses?.map(({ name, ready, restartCount, started, state }) => ({
          ...{ name, ready, restartCount, started },
          state: Object.keys(state ?? {}),
        })),
        revision: await causeOf(`${service}-00001`),
      };
    };
    expect(await shown("as-container")).toEqual(await shown("as-process"));
  });
});
