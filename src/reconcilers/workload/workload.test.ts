// All of them together, as in an embedded cluster.
import { describe, expect, it } from "vitest";
import { type RunningWorld, startWorld } from "../../../test/world/index.js";
import { Deployment, ReplicaSet } from "../../domain/apis/apps/apps.types.js";
import { Endpoints } from "../../domain/apis/core/endpoints.types.js";
import { Namespace } from "../../domain/apis/core/namespace.types.js";
import { Pod } from "../../domain/apis/core/pod.types.js";
import { Service } from "../../domain/apis/core/service.types.js";
import { CustomResourceDefinition } from "../../domain/apis/crd/index.js";
import { EndpointSlice } from "../../domain/apis/discovery/discovery.types.js";
import { defineKind, type Kind, type Resource } from "../../domain/apis/kind.js";
import { resource } from "../../domain/apis/meta/meta.types.js";
import { startGarbageCollector, workloadReconcilers } from "./index.js";

function cluster(): Promise<RunningWorld> {
  const kindsOf = (world: Pick<RunningWorld, "registry">) => () => [
    ...new Set(world.registry.served.all().map((served) => served.storage)),
  ];
  return startWorld({
    reconcilers: (deps, world) =>
      workloadReconcilers(deps, {
        usage: () => [],
        caCertificate: "PEM",
        kinds: kindsOf(world),
        finalizeNamespace: (name) => world.registry.finalizeNamespace(name, []),
      }),
    more: (world) =>
      startGarbageCollector({
        ...world.deps,
        client: world.client,
        informers: world.informers,
        kinds: kindsOf(world),
      }),
  });
}

const deploymentOf = (name: string, replicas: number) => ({
  metadata: { name, namespace: "models" },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { name: "", labels: { app: name } },
      spec: { containers: [{ name: "model", image: "cat:v1", ports: [{ containerPort: 8012 }] }] },
    },
  },
});
const serviceOf = (name: string) => ({
  metadata: { name, namespace: "models" },
  spec: { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8012 }] },
});

describe("the workload controllers together", () => {
  it("bring pods up behind a Service, and take everything down with its owner", async () => {
    const world = await cluster();
    await world.apply(Namespace, { metadata: { name: "models" } });
    await world.apply(Service, serviceOf("cat"));
    await world.apply(Deployment, deploymentOf("cat", 3));
    expect(world.get(Deployment, "models/cat")?.status).toMatchObject({ availableReplicas: 3 });
    expect(world.get(Endpoints, "models/cat")?.subsets?.map((one) => one.ports?.[0]?.port)).toEqual([
      30_000, 30_001, 30_002,
    ]);
    expect(world.list(EndpointSlice, "models")).toHaveLength(3);

    await world.remove(Deployment, "models/cat");
    expect(world.list(ReplicaSet, "models")).toEqual([]);
    expect(world.list(Pod, "models")).toEqual([]);
    expect(world.get(Endpoints, "models/cat")?.subsets).toBeUndefined();
    await world.remove(Service, "models/cat");
    expect(world.list(Endpoints, "models")).toEqual([]);
    expect(world.errors).toEqual([]);
    await world.close();
  });

  it("a namespace goes with all it holds", async () => {
    const world = await cluster();
    await world.apply(Namespace, { metadata: { name: "models" } });
    await world.apply(Service, serviceOf("cat"));
    await world.apply(Deployment, deploymentOf("cat", 3));
    await world.remove(Namespace, "/models");
    await world.settle();
    expect(world.get(Namespace, "/models")).toBeUndefined();
    for (const kind of world.kinds.filter((one) => one.namespaced))
      expect(world.list(kind as Kind<Resource>, "models")).toEqual([]);
    await world.close();
  });

  it("a custom kind goes after its objects", async () => {
    const Widget = defineKind({
      group: "example.com",
      version: "v1",
      kind: "Widget",
      plural: "widgets",
      schema: resource({}),
    });
    const world = await cluster();
    await world.apply(CustomResourceDefinition, {
      metadata: { name: "widgets.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "widgets", kind: "Widget" },
        versions: [
          { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
        ],
      },
    });
    const owner = await world.apply(Widget, {
      metadata: { name: "w", namespace: "default", finalizers: ["example.com/hold"] },
    });
    const reference = {
      apiVersion: "example.com/v1",
      kind: "Widget",
      name: "w",
      uid: owner.metadata.uid ?? "",
    };
    await world.apply(Service, {
      ...serviceOf("cat"),
      metadata: { name: "cat", namespace: "default", ownerReferences: [reference] },
    });
    await world.remove(CustomResourceDefinition, "/widgets.example.com");
    expect(world.get(CustomResourceDefinition, "/widgets.example.com")?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "Terminating", reason: "InstanceDeletionInProgress" }),
    );
    await world.change(Widget, "default/w", (one) => ({
      ...one,
      metadata: { ...one.metadata, finalizers: [] },
    }));
    await world.advance(1_000);
    expect(world.get(CustomResourceDefinition, "/widgets.example.com")).toBeUndefined();
    expect(world.get(Service, "default/cat")).toBeUndefined();
    expect(world.errors).toEqual([]);
    await world.close();
  });

  it("a hundred Deployments settle without a lost race being told", async () => {
    const world = await cluster();
    await world.apply(Namespace, { metadata: { name: "models" } });
    const names = Array.from({ length: 100 }, (_, i) => `m-${i}`);
    for (const name of names) {
      void world.client.create(Deployment, deploymentOf(name, 2) as never);
      void world.client.create(Service, serviceOf(name) as never);
    }
    await world.settle();
    expect(world.list(Pod, "models")).toHaveLength(200);
    expect(world.list(Deployment, "models").every((one) => one.status?.availableReplicas === 2)).toBe(true);
    expect(world.list(Endpoints, "models").every((one) => one.subsets?.length === 2)).toBe(true);
    expect(world.errors).toEqual([]);
    await world.close();
  });
});
