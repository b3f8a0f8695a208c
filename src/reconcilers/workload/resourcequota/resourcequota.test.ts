import { describe, expect, it } from "vitest";
import { existing, reconcilerTable, seconds, startWorld } from "../../../../test/world/index.js";
import type { Deps } from "../../../controller/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { Secret } from "../../../domain/apis/core/config.types.js";
import { ResourceQuota } from "../../../domain/apis/core/namespace.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { defineKind, type Kind } from "../../../domain/apis/kind.js";
import { builtinKinds } from "../../../domain/apis/kinds.js";
import { resource } from "../../../domain/apis/meta/meta.types.js";
import { workloadReconcilers } from "../index.js";
import { resourceQuotaReconciler } from "./resourcequota.js";

const make = (deps: Deps) => resourceQuotaReconciler(deps, { kinds: () => builtinKinds });

const quota = (hard: { readonly [resource: string]: string }, more: object = {}) =>
  existing(ResourceQuota, { metadata: { name: "rq" }, spec: { hard, ...more } } as never);
const pod = (name: string, phase: string, resources: object = {}) =>
  existing(Pod, {
    metadata: { name },
    spec: { containers: [{ name: "c", image: "i", resources }] },
    status: { phase },
  } as never);

const key = "default/rq";
const told = (status: object) => [{ kind: "ResourceQuota", metadata: { name: "rq" }, status }];

describe("a ResourceQuota", () => {
  reconcilerTable(make, [
    {
      name: "tells what is used of what it bounds, and 0 where nothing is",
      given: [
        quota({
          pods: "5",
          "requests.cpu": "2",
          "limits.cpu": "2",
          secrets: "1",
          "count/deployments.apps": "3",
        }),
        pod("a", "Running", { requests: { cpu: "500m" } }),
        pod("b", "Pending", { requests: { cpu: "1" } }),
        existing(Secret, { metadata: { name: "s" } }),
      ],
      key,
      wantObjects: told({
        hard: {
          pods: "5",
          "requests.cpu": "2",
          "limits.cpu": "2",
          secrets: "1",
          "count/deployments.apps": "3",
        },
        used: {
          pods: "2",
          "requests.cpu": "1500m",
          "limits.cpu": "0",
          secrets: "1",
          "count/deployments.apps": "0",
        },
      }),
    },
    {
      name: "does not count pods that ended, but their objects",
      given: [
        quota({ pods: "5", "count/pods": "5" }),
        pod("a", "Succeeded"),
        pod("b", "Failed"),
        pod("c", "Running"),
      ],
      key,
      wantObjects: told({ used: { pods: "1", "count/pods": "3" } }),
    },
    {
      name: "counts only what its scopes fit",
      given: [
        quota({ pods: "5" }, { scopes: ["BestEffort"] }),
        pod("a", "Running"),
        pod("b", "Running", { requests: { cpu: "1" } }),
      ],
      key,
      wantObjects: told({ used: { pods: "1" } }),
    },
  ]);

  it("of a kind that came later is counted again after a while", async () => {
    const Widget = defineKind({
      group: "x.example",
      version: "v1",
      kind: "Widget",
      plural: "widgets",
      schema: resource({}),
    });
    const late = [...builtinKinds];
    const world = await startWorld({
      kinds: [Widget as unknown as Kind],
      reconcilers: (deps) => [resourceQuotaReconciler(deps, { kinds: () => late })],
    });
    late.push(Widget as unknown as Kind);
    await world.apply(ResourceQuota, {
      metadata: { name: "rq", namespace: "default" },
      spec: { hard: { "count/widgets.x.example": "2" } },
    } as never);
    await world.apply(Widget as never, { metadata: { name: "w", namespace: "default" } } as never);
    await world.advance(seconds(30));
    expect(world.get(ResourceQuota, key)?.status?.used).toEqual({ "count/widgets.x.example": "1" });
    await world.close();
  });
});

describe("a Deployment under a quota", () => {
  it("gets the pods there is room for, says why there are no more, and goes on when there is", async () => {
    const world = await startWorld({
      given: [existing(ResourceQuota, { metadata: { name: "rq" }, spec: { hard: { pods: "2" } } } as never)],
      reconcilers: (deps, inner) =>
        workloadReconcilers(deps, {
          usage: () => [],
          caCertificate: "PEM",
          kinds: () => builtinKinds,
          finalizeNamespace: (name) => inner.registry.finalizeNamespace(name, []),
        }),
    });
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    await world.apply(Deployment, {
      metadata: { name: "d", namespace: "default" },
      spec: { replicas: 3, selector: { matchLabels: { a: "b" } }, template },
    } as never);
    expect(world.list(Pod, "default")).toHaveLength(2);
    expect(world.get(ResourceQuota, key)?.status).toEqual({ hard: { pods: "2" }, used: { pods: "2" } });
    const refused = world
      .get(Deployment, "default/d")
      ?.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
    expect(refused).toMatchObject({ status: "True", reason: "FailedCreate" });
    expect(refused?.message).toMatch(
      /^pods "d-\S+" is forbidden: exceeded quota: rq, requested: pods=1, used: pods=2, limited: pods=2$/,
    );

    await world.change(ResourceQuota, key, (quota) => ({ ...quota, spec: { hard: { pods: "3" } } }));
    await world.advance(seconds(60));
    expect(world.list(Pod, "default")).toHaveLength(3);
    expect(world.get(ResourceQuota, key)?.status?.used).toEqual({ pods: "3" });
    await world.close();
  });
});
