import { describe, expect, it } from "vitest";
import {
  existing,
  failAlways,
  reconcilerTable,
  seconds,
  startWorld,
  type World,
} from "../../../../test/world/index.js";
import type { Deps } from "../../../controller/index.js";
import { ConfigMap, Secret, ServiceAccount } from "../../../domain/apis/core/config.types.js";
import { Namespace } from "../../../domain/apis/core/namespace.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { builtinKinds } from "../../../domain/apis/kinds.js";
import { namespaceReconciler } from "./namespace.js";

const caCertificate = "-----BEGIN CERTIFICATE-----\n";

const make =
  (finalizeNamespace: (name: string) => Promise<void> = async () => {}) =>
  (deps: Deps) =>
    namespaceReconciler(deps, { caCertificate, kinds: () => builtinKinds, finalizeNamespace });

const space = existing(Namespace, {
  metadata: { name: "models" },
  spec: { finalizers: ["kubernetes"] },
  status: { phase: "Active" },
});
const leaving = {
  ...space,
  metadata: { ...space.metadata, deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 },
  status: { phase: "Terminating" },
};
const key = "/models";

describe("a namespace", () => {
  reconcilerTable(make(), [
    {
      name: "is furnished with an account and the API's certificate",
      given: [space],
      key,
      wantObjects: [
        { kind: "ServiceAccount", metadata: { name: "default", namespace: "models" } },
        {
          kind: "ConfigMap",
          metadata: { name: "kube-root-ca.crt", namespace: "models" },
          data: { "ca.crt": caCertificate },
        },
      ],
    },
    {
      name: "gets a certificate that was changed back",
      given: [
        space,
        existing(ConfigMap, {
          metadata: { name: "kube-root-ca.crt", namespace: "models" },
          data: { "ca.crt": "old" },
        }),
      ],
      key,
      wantObjects: [
        {
          kind: "ConfigMap",
          metadata: { name: "kube-root-ca.crt", namespace: "models" },
          data: { "ca.crt": caCertificate },
        },
      ],
    },
    {
      name: "on its way out says what still keeps it",
      given: [
        leaving,
        existing(Secret, { metadata: { name: "s1", namespace: "models", finalizers: ["example.com/hold"] } }),
        existing(Secret, { metadata: { name: "s2", namespace: "models" } }),
      ],
      key,
      wantStatus: {
        NamespaceContentRemaining:
          "True SomeResourcesRemain: Some resources are remaining: secrets. has 1 resource instances",
        NamespaceFinalizersRemaining:
          "True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        NamespaceDeletionContentFailure: "False ContentDeleted",
        phase: "Terminating",
      },
      wantRequeueMs: seconds(1),
    },
    {
      name: "on its way out says what refuses to go",
      given: [leaving, existing(Secret, { metadata: { name: "s1", namespace: "models" } })],
      key,
      faults: [failAlways("delete", Secret, "Forbidden", "not this one")],
      wantStatus: {
        NamespaceDeletionContentFailure:
          "True ContentDeletionFailed: Failed to delete all resource types, 1 remaining: secrets: not this one",
      },
    },
  ]);

  const run = (given: Parameters<typeof startWorld>[0]["given"] = []) =>
    startWorld({
      given,
      reconcilers: (deps, world) => [make(finalizeIn(world))(deps)],
    });
  const finalizeIn = (world: World) => async (name: string) => {
    await world.registry.finalizeNamespace(name, []);
  };

  it("gets back what was deleted from its furniture", async () => {
    const world = await run([space]);
    await world.remove(ServiceAccount, "models/default");
    expect(world.get(ServiceAccount, "models/default")).toBeDefined();
    await world.close();
  });

  it("takes everything in it along, and waits for pods to end", async () => {
    const world = await run([space, existing(Secret, { metadata: { name: "s", namespace: "models" } })]);
    await world.apply(Pod, {
      metadata: { name: "p", namespace: "models" },
      spec: { containers: [{ name: "c", image: "i" }] },
    });
    world.kubelet.holdDeleted(true);
    await world.remove(Namespace, key);
    expect(world.get(Namespace, key)?.status?.phase).toBe("Terminating");
    expect(world.get(Secret, "models/s")).toBeUndefined();
    expect(world.get(Pod, "models/p")?.metadata.deletionTimestamp).toBeDefined();
    world.kubelet.holdDeleted(false);
    await world.settle();
    expect(world.get(Pod, "models/p")).toBeUndefined();
    expect(world.get(Namespace, key)).toBeUndefined();
    expect(world.errors).toEqual([]);
    await world.close();
  });
});
