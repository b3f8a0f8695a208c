import { describe, expect, it } from "vitest";
import { dice } from "../../../../test/world/index.js";
import { memoryStore } from "../../../adapters/store/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { PersistentVolumeClaim } from "../../../domain/apis/core/claim.types.js";
import { ConfigMap, ServiceAccount } from "../../../domain/apis/core/config.types.js";
import { LimitRange, ResourceQuota } from "../../../domain/apis/core/namespace.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { builtinKinds } from "../../../domain/apis/kinds.js";
import { localClient } from "../../localClient.js";
import { createRegistry } from "../index.js";

type Sizes = { readonly [resource: string]: string };

async function api() {
  const clock = { now: () => 1_700_000_000_000, after: () => () => {} };
  const options = { store: memoryStore(), clock, random: dice(), kinds: builtinKinds, freeze: true };
  return localClient(await createRegistry(options), { name: "tester", groups: ["system:masters"] });
}

const here = (name: string) => ({ metadata: { name, namespace: "default" } });
const quota = (hard: Sizes, name = "rq") => ({ ...here(name), spec: { hard } }) as never;
const pod = (name: string, requests?: Sizes, limits?: Sizes) =>
  ({
    ...here(name),
    spec: {
      containers: [
        { name: "c", image: "i:1", resources: { ...(requests && { requests }), ...(limits && { limits }) } },
      ],
    },
  }) as never;

const refusal = (message: string) => expect.objectContaining({ reason: "Forbidden", message });

describe("a ResourceQuota", () => {
  it("refuses a pod that asks for more than is left, in the real server's words", async () => {
    const client = await api();
    await client.create(ResourceQuota, quota({ "requests.memory": "1Gi" }));
    await expect(client.create(Pod, pod("big", { memory: "2Gi" }))).rejects.toEqual(
      refusal(
        'pods "big" is forbidden: exceeded quota: rq, requested: requests.memory=2Gi, used: requests.memory=0, limited: requests.memory=1Gi',
      ),
    );
    await client.create(Pod, pod("small", { memory: "1Gi" }));
  });

  it("refuses a pod that does not say what is bounded", async () => {
    const client = await api();
    await client.create(ResourceQuota, quota({ "limits.cpu": "1", "limits.memory": "1Gi" }));
    await expect(client.create(Pod, pod("mute"))).rejects.toEqual(
      refusal(
        'pods "mute" is forbidden: failed quota: rq: must specify limits.cpu for: c; limits.memory for: c',
      ),
    );
  });

  it("lets one of two at once take the last place", async () => {
    const client = await api();
    await client.create(ResourceQuota, quota({ pods: "1" }));
    const both = await Promise.allSettled([client.create(Pod, pod("a")), client.create(Pod, pod("b"))]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(both[1]).toMatchObject({
      reason: refusal(
        'pods "b" is forbidden: exceeded quota: rq, requested: pods=1, used: pods=1, limited: pods=1',
      ),
    });
  });

  it("has room again for what ended, and for what is gone", async () => {
    const client = await api();
    await client.create(ResourceQuota, quota({ pods: "1" }));
    const first = await client.create(Pod, pod("a"));
    await client.updateStatus(Pod, { ...first, status: { ...first.status, phase: "Succeeded" } });
    await client.create(Pod, pod("b"));
    await client.delete(Pod as never, { namespace: "default", name: "b" }, { gracePeriodSeconds: 0 });
    await client.create(Pod, pod("c"));
  });

  it("leaves what is there alone, whatever it becomes", async () => {
    const client = await api();
    const made = await client.create(Pod, pod("a"));
    await client.create(ResourceQuota, quota({ pods: "0" }));
    const labelled = { ...made, metadata: { ...made.metadata, labels: { a: "b" } } };
    await expect(client.update(Pod, labelled)).resolves.toMatchObject({ metadata: { labels: { a: "b" } } });
  });

  it("counts objects of any kind, each namespace for itself", async () => {
    const client = await api();
    await client.create(ResourceQuota, quota({ configmaps: "1", "count/deployments.apps": "0" }));
    await client.create(ConfigMap, here("one"));
    await expect(client.create(ConfigMap, here("two"))).rejects.toEqual(
      refusal(
        'configmaps "two" is forbidden: exceeded quota: rq, requested: configmaps=1, used: configmaps=1, limited: configmaps=1',
      ),
    );
    await client.create(ConfigMap, { metadata: { name: "two", namespace: "kube-public" } });
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    const deployment = { ...here("d"), spec: { selector: { matchLabels: { a: "b" } }, template } };
    await expect(client.create(Deployment, deployment as never)).rejects.toEqual(
      refusal(
        'deployments.apps "d" is forbidden: exceeded quota: rq, requested: count/deployments.apps=1, used: count/deployments.apps=0, limited: count/deployments.apps=0',
      ),
    );
  });

  it("is charged when a Service takes a node port later", async () => {
    const client = await api();
    await client.create(ResourceQuota, quota({ "services.nodeports": "0" }));
    const made = await client.create(Service, { ...here("s"), spec: { ports: [{ port: 80 }] } } as never);
    const exposed = { ...made, spec: { ...made.spec, type: "NodePort" } };
    await expect(client.update(Service, exposed)).rejects.toEqual(
      refusal(
        'services "s" is forbidden: exceeded quota: rq, requested: services.nodeports=1, used: services.nodeports=0, limited: services.nodeports=0',
      ),
    );
  });

  it("names the first quota by name that is exceeded", async () => {
    const client = await api();
    await client.create(ResourceQuota, quota({ pods: "0" }, "b"));
    await client.create(ResourceQuota, quota({ pods: "0" }, "a"));
    await expect(client.create(Pod, pod("p"))).rejects.toThrow("exceeded quota: a,");
  });
});

describe("a LimitRange", () => {
  const limits = (...items: readonly object[]) => ({ ...here("lr"), spec: { limits: items } }) as never;

  it("gives a silent pod its defaults, which a quota then counts", async () => {
    const client = await api();
    await client.create(
      LimitRange,
      limits({ type: "Container", default: { memory: "1Gi" }, defaultRequest: { memory: "512Mi" } }),
    );
    await client.create(ResourceQuota, quota({ "limits.memory": "1Gi" }));
    expect(await client.create(Pod, pod("mute"))).toMatchObject({
      metadata: {
        annotations: {
          "kubernetes.io/limit-ranger":
            "LimitRanger plugin set: memory request for container c; memory limit for container c",
        },
      },
      spec: { containers: [{ resources: { limits: { memory: "1Gi" }, requests: { memory: "512Mi" } } }] },
      status: { qosClass: "Burstable" },
    });
    await expect(client.create(Pod, pod("second"))).rejects.toThrow("exceeded quota: rq");
  });

  it("refuses what oversteps it", async () => {
    const client = await api();
    await client.create(LimitRange, limits({ type: "Container", max: { memory: "1Gi" } }));
    await expect(client.create(Pod, pod("big", undefined, { memory: "2Gi" }))).rejects.toEqual(
      refusal('pods "big" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi'),
    );
  });

  it("whose default is less than what a container asks for does not fit it", async () => {
    const client = await api();
    await client.create(LimitRange, limits({ type: "Container", default: { memory: "1Gi" } }));
    await expect(client.create(Pod, pod("big", { memory: "2Gi" }))).rejects.toMatchObject({
      reason: "Invalid",
      message: expect.stringContaining("must be less than or equal to memory limit of 1Gi"),
    });
  });

  it("bounds claims", async () => {
    const client = await api();
    await client.create(LimitRange, limits({ type: "PersistentVolumeClaim", max: { storage: "1Gi" } }));
    const claim = {
      ...here("c"),
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } } },
    };
    await expect(client.create(PersistentVolumeClaim, claim as never)).rejects.toEqual(
      refusal(
        'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
      ),
    );
  });
});

describe("a pod's account", () => {
  const as = (account: string, more: object = {}) =>
    ({
      ...here("p"),
      spec: { serviceAccountName: account, containers: [{ name: "c", image: "i" }], ...more },
    }) as never;

  it("must be there when it is named", async () => {
    const client = await api();
    await expect(client.create(Pod, as("builder"))).rejects.toEqual(
      refusal(
        'pods "p" is forbidden: error looking up service account default/builder: serviceaccount "builder" not found',
      ),
    );
  });

  it.each([
    ["lends its secrets to a pod without any", {}, [{ name: "hub" }]],
    ["leaves a pod its own", { imagePullSecrets: [{ name: "mine" }] }, [{ name: "mine" }]],
  ])("%s", async (_sentence, more, secrets) => {
    const client = await api();
    await client.create(ServiceAccount, { ...here("default"), imagePullSecrets: [{ name: "hub" }] } as never);
    const made = await client.create(Pod, as("default", more));
    expect(made.spec?.imagePullSecrets).toEqual(secrets);
  });
});
