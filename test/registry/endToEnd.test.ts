/**
 * Registries and a whole instance, both real: what users read when a registry says no, what cures it, and that what a
 * Revision was made of stays what it is.
 */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Resource } from "../../src/domain/apis/kind.js";
import { describeWith } from "../needs.js";
import { type RealInstance, startInstance } from "../scenarios/instance.js";
import { root } from "../sources.js";
import { layerOf } from "./layer.js";
import { pushImage, type RegistryServer, registryProgram, startRegistry } from "./server.js";

const soonMs = 20_000;
/** What users are promised, and what a busy machine gets: how long the truth takes once the registry has spoken. */
const promisedMs = process.env["DRYDOCK_SCENARIOS"] === "all" ? 1_000 : 5_000;

interface Conditioned extends Resource {
  readonly status?: {
    readonly url?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly { readonly name: string; readonly imageDigest: string }[];
    readonly initContainerStatuses?: readonly { readonly name: string; readonly imageDigest: string }[];
  };
}

describeWith(registryProgram, "an instance and its registries", () => {
  let real: RealInstance;
  let closed: RegistryServer;
  let open: RegistryServer;

  beforeAll(async () => {
    [closed, open, real] = await Promise.all([
      startRegistry({ users: { ann: "secret" } }),
      startRegistry(),
      startInstance(),
    ]);
  }, 300_000);

  afterAll(async () => {
    await real?.stop();
    await Promise.all([closed?.stop(), open?.stop()]);
  });

  const get = async (path: string) => (await real.api.request({ path })) as Conditioned;
  const serving = "/apis/serving.knative.dev/v1/namespaces/default";
  const revision = (name: string) => get(`${serving}/revisions/${name}`);
  const core = "/api/v1/namespaces";

  /** Every condition of everything from the top down to the Revision, as users read it. */
  async function everyLevel(name: string): Promise<string> {
    const objects = await Promise.all([
      get(`/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices/${name}`),
      get(`${serving}/services/${name}-predictor`),
      get(`${serving}/configurations/${name}-predictor`),
      revision(`${name}-predictor-00001`),
      get(`${serving}/routes/${name}-predictor`),
    ]);
    const lines = objects.flatMap(({ kind, metadata, status }) => [
      `${kind}/${metadata.name}`,
      ...(status?.conditions ?? []).map(
        ({ type, status: is, reason = "", message = "" }) =>
          `  ${type}: ${[is, reason].join(" ").trim()}${message === "" ? "" : `: ${message}`}`,
      ),
    ]);
    return `${lines.join("\n")}\n`.replaceAll(closed.host, "REGISTRY");
  }

  describe("that say 401", () => {
    const name = "closed";
    let digest: string;
    let image: string;

    beforeAll(async () => {
      digest = await pushImage(closed, "team/server", "v1", [await layerOf({ name: "server", body: "x" })]);
      image = `${closed.host}/team/server:v1`;
    });

    it("are told in their own words, at every level, and soon", async () => {
      const sinceMs = Date.now();
      await real.create(predictor(name, { containers: [{ name: "kserve-container", image }] }));
      const words = /^False ContainerMissing: Unable to fetch image .* unsupported status code 401; body: /;
      const { atMs } = await real.said(`InferenceService/${name}`, words, sinceMs, soonMs);
      expect(atMs - sinceMs).toBeLessThan(promisedMs);
      await expect(await atRest(() => everyLevel(name))).toMatchFileSnapshot("registry-401.txt");
    }, 60_000);

    it("let in whoever has a pull secret, as soon as it is there", async () => {
      const auth = Buffer.from("ann:secret").toString("base64");
      const config = JSON.stringify({ auths: { [closed.host]: { auth } } });
      const secret = {
        apiVersion: "v1",
        kind: "Secret",
        type: "kubernetes.io/dockerconfigjson",
        metadata: { name: "registry" },
        data: { ".dockerconfigjson": Buffer.from(config).toString("base64") },
      };
      await real.api.request({
        method: "POST",
        path: `${core}/default/secrets`,
        body: JSON.stringify(secret),
      });
      const sinceMs = Date.now();
      await real.merge(`${core}/default/serviceaccounts/default`, {
        imagePullSecrets: [{ name: "registry" }],
      });
      await expect
        .poll(async () => (await revision(`${name}-predictor-00001`)).status?.containerStatuses, {
          timeout: soonMs,
          interval: 20,
        })
        .toEqual([{ name: "kserve-container", imageDigest: `${closed.host}/team/server@${digest}` }]);
      expect(Date.now() - sinceMs).toBeLessThan(promisedMs);
      await real.merge(`${core}/default/serviceaccounts/default`, { imagePullSecrets: [] });
    }, 60_000);

    it("need not be asked at all: registriesSkippingTagResolving", async () => {
      const skipped = "skipped";
      const sinceMs = Date.now();
      await real.create(predictor(skipped, { containers: [{ name: "kserve-container", image }] }));
      await real.said(`InferenceService/${skipped}`, /unsupported status code 401/, sinceMs, soonMs);
      await real.merge(`${core}/knative-serving/configmaps/config-deployment`, {
        data: { registriesSkippingTagResolving: closed.host },
      });
      await expect
        .poll(async () => (await revision(`${skipped}-predictor-00001`)).status?.containerStatuses, {
          timeout: soonMs,
          interval: 20,
        })
        .toEqual([{ name: "kserve-container", imageDigest: "" }]);
      await real.merge(`${core}/knative-serving/configmaps/config-deployment`, {
        data: { registriesSkippingTagResolving: null },
      });
    }, 60_000);
  });

  it("whose tag moves do not move a Revision", async () => {
    const image = `${open.host}/team/moving:v1`;
    const first = await pushImage(open, "team/moving", "v1", [], { n: 1 });
    const sinceMs = Date.now();
    await real.create({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name: "moving" },
      spec: { template: { spec: { containers: [{ image }] } } },
    } as Resource);
    const pinned = async (name: string) => (await revision(name)).status?.containerStatuses?.[0]?.imageDigest;
    await expect
      .poll(() => pinned("moving-00001").catch(() => undefined), { timeout: soonMs, interval: 20 })
      .toBe(`${open.host}/team/moving@${first}`);
    // What runs it is another matter, and says so of itself.
    await real.said("Service/moving", /^False ContainerMissing: .*moving@sha256/, sinceMs, soonMs);
    const second = await pushImage(open, "team/moving", "v1", [], { n: 2 });
    await real.merge(`${serving}/services/moving`, {
      spec: { template: { metadata: { annotations: { again: "1" } } } },
    });
    await expect
      .poll(() => pinned("moving-00002").catch(() => undefined), { timeout: soonMs, interval: 20 })
      .toBe(`${open.host}/team/moving@${second}`);
    expect(await pinned("moving-00001")).toBe(`${open.host}/team/moving@${first}`);
    await real.remove(`${serving}/services/moving`);
  }, 60_000);

  it("that hold a model serve it, and a moved tag does not change it", async () => {
    const model = readFileSync(join(root, "examples/models/onnx-iris/model.onnx"));
    const digest = await pushImage(open, "team/iris", "v1", [
      await layerOf({ name: "models/model.onnx", body: model }),
    ]);
    const sinceMs = Date.now();
    const uri = `oci://${open.host}/team/iris:v1`;
    await real.create(predictor("iris", { model: { modelFormat: { name: "onnx" }, storageUri: uri } }));
    await real.said("InferenceService/iris", /^True/, sinceMs, 60_000);
    expect((await revision("iris-predictor-00001")).status?.initContainerStatuses).toContainEqual({
      name: "modelcar",
      imageDigest: `${open.host}/team/iris@${digest}`,
    });
    const input = readFileSync(join(root, "examples/iris-input.json"), "utf8");
    expect(await predicted("iris", input)).toMatchObject({ predictions: expect.any(Array) });

    await pushImage(open, "team/iris", "v1", [
      await layerOf({ name: "models/model.onnx", body: "no model" }),
    ]);
    const pods = `${core}/default/pods`;
    const list = (await real.api.request({
      path: pods,
      query: { labelSelector: "serving.kserve.io/inferenceservice=iris" },
    })) as { readonly items: readonly Resource[] };
    for (const { metadata } of list.items) await real.remove(`${pods}/${metadata.name}`);
    await expect
      .poll(() => predicted("iris", input).catch(() => undefined), { timeout: 60_000, interval: 100 })
      .toMatchObject({ predictions: expect.any(Array) });
  }, 180_000);

  it("hand a model to whoever any of the service account's pull secrets lets in", async () => {
    const model = readFileSync(join(root, "examples/models/onnx-iris/model.onnx"));
    await pushImage(closed, "team/iris", "v1", [await layerOf({ name: "models/model.onnx", body: model })]);
    for (const [name, who] of [
      ["nobody", "eve:wrong"],
      ["reader", "ann:secret"],
    ] as const) {
      const auth = Buffer.from(who).toString("base64");
      await real.create({
        apiVersion: "v1",
        kind: "Secret",
        type: "kubernetes.io/dockerconfigjson",
        metadata: { name },
        stringData: { ".dockerconfigjson": JSON.stringify({ auths: { [closed.host]: { auth } } }) },
      } as Resource);
    }
    await real.create({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "puller" },
      imagePullSecrets: [{ name: "nobody" }, { name: "reader" }],
    } as Resource);
    const sinceMs = Date.now();
    const uri = `oci://${closed.host}/team/iris:v1`;
    const spec = { serviceAccountName: "puller", model: { modelFormat: { name: "onnx" }, storageUri: uri } };
    await real.create(predictor("secret-iris", spec));
    await real.said("InferenceService/secret-iris", /^True/, sinceMs, 60_000);
    const input = readFileSync(join(root, "examples/iris-input.json"), "utf8");
    expect(await predicted("secret-iris", input)).toMatchObject({ predictions: expect.any(Array) });
  }, 120_000);

  it("that do not have a model say so at once, not after the download was tried", async () => {
    const sinceMs = Date.now();
    const uri = `oci://${open.host}/team/iris:none`;
    await real.create(predictor("lost", { model: { modelFormat: { name: "onnx" }, storageUri: uri } }));
    const words = /^False ContainerMissing: Unable to fetch image '.*team\/iris:none': .*manifest unknown/;
    await real.said("InferenceService/lost", words, sinceMs, soonMs);
  }, 60_000);

  async function predicted(name: string, body: string): Promise<object> {
    const path = `/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices/${name}`;
    const url = new URL((await get(path)).status?.url ?? "");
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: url.port,
          method: "POST",
          path: `/v1/models/${name}:predict`,
          headers: { host: url.host, "content-type": "application/json" },
        },
        (answer) => {
          text(answer).then(
            (said) => (answer.statusCode === 200 ? resolve(JSON.parse(said)) : reject(said)),
            reject,
          );
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  }
});

/** The text that did not change for a while. */
async function atRest(read: () => Promise<string>): Promise<string> {
  for (let last = await read(), same = 0; ; ) {
    await pause(50);
    const now = await read();
    same = now === last ? same + 1 : 0;
    if (same === 6) return now;
    last = now;
  }
}

function predictor(name: string, spec: object): Resource {
  return {
    apiVersion: "serving.kserve.io/v1beta1",
    kind: "InferenceService",
    metadata: { name },
    spec: { predictor: spec },
  } as Resource;
}
