// The JavaScript client, unmodified: typed, by object, watching, and in a pod.
import { Writable } from "node:stream";
import {
  CoreV1Api,
  CustomObjectsApi,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Pod } from "../../src/domain/apis/core/pod.types.js";
import type { Kind } from "../../src/domain/apis/kind.js";
import { Gadget } from "../contracts/client.js";
import { fakeNode } from "./fakeNode.js";
import { startWorld, until, type World } from "./world.js";

let world: World;
const config = new KubeConfig();
beforeAll(async () => {
  world = await startWorld({ kinds: [Gadget as unknown as Kind], podRuntime: fakeNode() });
  config.loadFromFile(world.kubeconfig);
});
afterAll(async () => {
  await world.close();
});

const namespace = "default";

it("creates, reads, patches and deletes core objects", async () => {
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "js" }, data: { a: "1" } } });
  await core.patchNamespacedConfigMap(
    { namespace, name: "js", body: { data: { b: "2" } } },
    setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
  );
  expect((await core.readNamespacedConfigMap({ namespace, name: "js" })).data).toEqual({ a: "1", b: "2" });
  await core.deleteNamespacedConfigMap({ namespace, name: "js" });
  await expect(core.readNamespacedConfigMap({ namespace, name: "js" })).rejects.toMatchObject({ code: 404 });
});

it("handles custom objects, by path and by object", async () => {
  const custom = config.makeApiClient(CustomObjectsApi);
  const where = { group: "contract.example.com", version: "v1", plural: "gadgets", namespace };
  const gadget = {
    apiVersion: "contract.example.com/v1",
    kind: "Gadget",
    metadata: { name: "js", namespace },
    spec: { size: 1 },
  };
  await custom.createNamespacedCustomObject({ ...where, body: gadget });
  await custom.patchNamespacedCustomObject({
    ...where,
    name: "js",
    body: [{ op: "replace", path: "/spec/size", value: 2 }],
  });
  expect(await custom.getNamespacedCustomObject({ ...where, name: "js" })).toMatchObject({
    spec: { size: 2 },
  });
  const objects = KubernetesObjectApi.makeApiClient(config);
  const patched = await objects.patch(
    { ...gadget, spec: { size: 3 } } as never,
    undefined,
    undefined,
    undefined,
    undefined,
    PatchStrategy.MergePatch,
  );
  expect(patched).toMatchObject({ spec: { size: 3 } });
});

it("watches and informs", async () => {
  const core = config.makeApiClient(CoreV1Api);
  const heard: string[] = [];
  const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  for (const verb of ["add", "update", "delete"] as const)
    informer.on(verb, (object) => heard.push(`${verb} ${object.metadata?.name}`));
  await informer.start();
  const seen: string[] = [];
  const stop = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    {},
    (type, object) => seen.push(`${type} ${object.metadata.name}`),
    () => {},
  );
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "w" } } });
  await core.replaceNamespacedConfigMap({
    namespace,
    name: "w",
    body: { metadata: { name: "w" }, data: { a: "1" } },
  });
  await core.deleteNamespacedConfigMap({ namespace, name: "w" });
  await until(() => heard.length === 3 && seen.length === 3, `the events: ${heard} ${seen}`);
  expect(heard).toEqual(["add w", "update w", "delete w"]);
  expect(seen).toEqual(["ADDED w", "MODIFIED w", "DELETED w"]);
  await informer.stop();
  stop.abort();
});

it("runs a command in a pod and hears how it ended", async () => {
  await world.client.create(Pod, {
    metadata: { name: "p", namespace },
    spec: { nodeName: "n", containers: [{ name: "c", image: "i" }] },
  });
  let said = "";
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString();
      done();
    },
  });
  const status = await new Promise<unknown>((resolve, reject) => {
    new Exec(config)
      .exec(namespace, "p", "c", ["sh", "-c", "echo hi; exit 3"], out, out, null, false, resolve)
      .catch(reject);
  });
  await until(() => said !== "", "what was said");
  expect(said).toBe("hi\n");
  expect(status).toMatchObject({
    status: "Failure",
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: "3" }] },
  });
});
