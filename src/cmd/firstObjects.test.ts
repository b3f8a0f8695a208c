import { describe, expect, it } from "vitest";
import { memoryStore } from "../adapters/store/index.js";
import { createRegistry, localClient } from "../apiserver/index.js";
import { readServingConfig } from "../domain/apis/config/index.js";
import { ConfigMap } from "../domain/apis/core/config.types.js";
import { Gateway } from "../domain/apis/istio/gateway.types.js";
import { allKinds } from "../domain/apis/kinds.js";
import { createFirstObjects } from "./firstObjects.js";

async function api() {
  const clock = { now: () => 1_700_000_000_000, after: () => () => {} };
  const registry = await createRegistry({
    store: memoryStore(),
    clock,
    random: () => 0.5,
    kinds: allKinds,
  });
  return localClient(registry, { name: "tester", groups: ["system:masters"] });
}

const named = (name: string) => ({ namespace: "knative-serving", name });

describe("the first ConfigMaps", () => {
  it("are admitted, and say the domain, what KServe needs, and nothing else", async () => {
    const client = await api();
    await createFirstObjects(client, "localhost");
    const { items } = await client.list(ConfigMap, { namespace: "knative-serving" });
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual([
      "config-autoscaler",
      "config-certmanager",
      "config-defaults",
      "config-deployment",
      "config-domain",
      "config-features",
      "config-gc",
      "config-leader-election",
      "config-logging",
      "config-network",
      "config-observability",
      "config-registries",
      "config-tracing",
    ]);
    const read = readServingConfig((name) => items.find(({ metadata }) => metadata.name === name)?.data);
    const defaults = readServingConfig(() => undefined);
    expect(read).toEqual({
      ...defaults,
      domains: [{ domain: "localhost", selector: {} }],
      features: {
        ...defaults.features,
        podSpecAffinity: "enabled",
        podSpecNodeSelector: "enabled",
        podSpecTolerations: "enabled",
        persistentVolumeClaim: "enabled",
        persistentVolumeWrite: "enabled",
      },
    });
  });

  it("do not take a user's setting away", async () => {
    const client = await api();
    await createFirstObjects(client, "localhost");
    const map = await client.get(ConfigMap, named("config-gc"));
    await client.update(ConfigMap, {
      ...(map as ConfigMap),
      data: { ...map?.data, "min-non-active-revisions": "3" },
    });
    await createFirstObjects(client, "localhost");
    const after = await client.get(ConfigMap, named("config-gc"));
    expect(after?.data?.["min-non-active-revisions"]).toBe("3");
  });

  it.each([
    ["moves with the instance", undefined, { "example.com": "" }],
    ["stays where its user has spoken", "selector: {app: x}", { localhost: "selector: {app: x}" }],
  ])("the domain %s", async (_sentence, text, want) => {
    const client = await api();
    await createFirstObjects(client, "localhost");
    const map = await client.get(ConfigMap, named("config-domain"));
    if (text !== undefined) {
      await client.update(ConfigMap, { ...(map as ConfigMap), data: { ...map?.data, localhost: text } });
    }
    await createFirstObjects(client, "example.com");
    const { _example, ...data } = (await client.get(ConfigMap, named("config-domain")))?.data ?? {};
    expect(data).toEqual(want);
  });

  it("a bad value is refused in upstream's words", async () => {
    const client = await api();
    await createFirstObjects(client, "localhost");
    const patch = { data: { "progress-deadline": "soon" } };
    await expect(
      client.patch(ConfigMap, named("config-deployment"), patch, { type: "merge" }),
    ).rejects.toMatchObject({
      reason: "BadRequest",
      message:
        'admission webhook "config.webhook.serving.knative.dev" denied the request: validation failed: failed to parse "progress-deadline": time: invalid duration "soon"',
    });
  });
});

describe("the first Gateways", () => {
  it("are the debug guide's, and the local ones by both their names", async () => {
    const client = await api();
    await createFirstObjects(client, "localhost");
    const { items } = await client.list(Gateway, { namespace: "knative-serving" });
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual([
      "cluster-local-gateway",
      "knative-ingress-gateway",
      "knative-local-gateway",
    ]);
    expect(items.find(({ metadata }) => metadata.name === "knative-ingress-gateway")).toMatchObject({
      metadata: {
        labels: {
          "networking.knative.dev/ingress-provider": "istio",
          "serving.knative.dev/release": expect.stringMatching(/^v\d/),
        },
      },
      spec: {
        selector: { istio: "ingressgateway" },
        servers: [
          { hosts: ["*"], port: { name: "http", number: 80, protocol: "HTTP" } },
          {
            hosts: ["*"],
            port: { name: "https", number: 443, protocol: "HTTPS" },
            tls: {
              mode: "SIMPLE",
              privateKey: "/etc/istio/ingressgateway-certs/tls.key",
              serverCertificate: "/etc/istio/ingressgateway-certs/tls.crt",
            },
          },
        ],
      },
    });
  });
});
