import { describe, expect, it } from "vitest";
import {
  existing,
  failOnce,
  ownedChild,
  seconds,
  startWorld,
  type World,
  type WorldOptions,
} from "../../../../test/world/index.js";
import { makeInformers } from "../../../controller/index.js";
import { Deployment, ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { ConfigMap, Secret } from "../../../domain/apis/core/config.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import type { Kind, Resource } from "../../../domain/apis/kind.js";
import type { DeleteOptions, OwnerReference } from "../../../domain/apis/meta/meta.types.js";
import type { Client } from "../../../ports/index.js";
import { startGarbageCollector } from "./garbageCollector.js";

const collecting = (client: (world: World) => Client) => (world: World) =>
  startGarbageCollector({
    informers: world.informers,
    client: client(world),
    clock: world.clock,
    log: world.deps.log,
    kinds: () => world.kinds,
  });

const run = (given: readonly Resource[], more: Pick<WorldOptions, "faults"> = {}) =>
  startWorld({ given, ...more, reconcilers: () => [], more: collecting((world) => world.deps.client) });

const map = (
  name: string,
  owners: readonly Resource[] = [],
  more: Partial<OwnerReference> = {},
  namespace = "models",
) =>
  existing(ConfigMap, {
    metadata: {
      name,
      namespace,
      ownerReferences: owners.map(({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        name: metadata.name,
        uid: metadata.uid ?? "",
        ...more,
      })),
    },
  });

const remove = async (
  world: Awaited<ReturnType<typeof run>>,
  kind: unknown,
  key: string,
  options?: DeleteOptions,
) => {
  const [namespace = "", name = ""] = key.split("/");
  await world.client.delete(kind as Kind, { namespace, name }, options);
  await world.settle();
};
/** A watch that lags without end. */
function blindTo(kind: { readonly kind: string }, client: Client): Client {
  return {
    ...client,
    list: async (asked, within) =>
      asked.kind === kind.kind ? { items: [], resourceVersion: "1" } : client.list(asked, within),
    watch: (asked, from, signal, within) =>
      asked.kind === kind.kind ? silence(signal) : client.watch(asked, from, signal, within),
  };
}
async function* silence(signal: AbortSignal): AsyncGenerator<never> {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}
const names = (world: World) => world.list(ConfigMap, "models").map(({ metadata }) => metadata.name);

describe("the garbage collector", () => {
  it("takes dependents, and theirs, after their owner, without any time passing", async () => {
    const a = map("a");
    const b = map("b", [a]);
    const c = map("c", [b]);
    const world = await run([a, b, c, map("bystander")]);
    await remove(world, ConfigMap, "models/a");
    expect(names(world)).toEqual(["bystander"]);
    expect(world.errors).toEqual([]);
    await world.close();
  });

  it("leaves what another owner still holds, and forgets the one that is gone", async () => {
    const a = map("a");
    const b = map("b");
    const world = await run([a, b, map("c", [a, b])]);
    await remove(world, ConfigMap, "models/a");
    expect(names(world)).toEqual(["b", "c"]);
    expect(world.get(ConfigMap, "models/c")?.metadata.ownerReferences).toMatchObject([{ name: "b" }]);
    await remove(world, ConfigMap, "models/b");
    expect(names(world)).toEqual([]);
    await world.close();
  });

  it("holds a namesake with another uid, or one elsewhere, for no owner", async () => {
    const a = map("a");
    const world = await run([
      a,
      map("namesake", [{ ...a, metadata: { ...a.metadata, uid: "earlier" } }]),
      map("elsewhere", [map("far", [], {}, "other")]),
      map("far", [], {}, "other"),
    ]);
    expect(names(world)).toEqual(["a"]);
    await world.close();
  });

  it("keeps what is owned by a kind that nobody serves", async () => {
    const stranger = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w", uid: "w-1" } };
    const world = await run([map("a", [stranger])]);
    expect(names(world)).toEqual(["a"]);
    await world.close();
  });

  it("asks the API before it believes that an owner is gone", async () => {
    const owner = existing(Secret, { metadata: { name: "s", namespace: "models" } });
    const world = await startWorld({
      given: [owner, map("d", [owner])],
      reconcilers: () => [],
      more: (made) =>
        startGarbageCollector({
          informers: makeInformers({ ...made.deps, client: blindTo(Secret, made.client) }),
          client: made.client,
          clock: made.clock,
          log: made.deps.log,
          kinds: () => made.kinds,
        }),
    });
    expect(names(world)).toEqual(["d"]);
    // Memory never saw the owner, so no event tells of its end.
    await remove(world, Secret, "models/s");
    await world.advance(seconds(1));
    expect(names(world)).toEqual([]);
    await world.close();
  });

  it("comes back after trouble", async () => {
    const a = map("a");
    const world = await run([a, map("b", [a])], { faults: [failOnce("delete", ConfigMap, "ServerTimeout")] });
    await remove(world, ConfigMap, "models/a");
    expect(names(world)).toEqual(["b"]);
    await world.advance(seconds(1));
    expect(names(world)).toEqual([]);
    await world.close();
  });

  it("foreground: the owner waits for those that block it, and theirs", async () => {
    const a = map("a");
    const b = map("b", [a], { blockOwnerDeletion: true });
    const held = { ...map("c", [b], { blockOwnerDeletion: true }) };
    const c = { ...held, metadata: { ...held.metadata, finalizers: ["example.com/hold"] } };
    const loose = map("loose", [a]);
    const world = await run([a, b, c, loose]);
    await remove(world, ConfigMap, "models/a", { propagationPolicy: "Foreground" });
    expect(names(world)).toEqual(["a", "b", "c", "loose"]);
    expect(world.get(ConfigMap, "models/b")?.metadata.finalizers).toEqual(["foregroundDeletion"]);
    await world.change(ConfigMap, "models/c", (one) => ({
      ...one,
      metadata: { ...one.metadata, finalizers: [] },
    }));
    expect(names(world)).toEqual([]);
    await world.close();
  });

  it("foreground: two that own each other do not wait for ever", async () => {
    const a = map("a");
    const b = map("b", [a], { blockOwnerDeletion: true });
    const ring = {
      ...a,
      metadata: {
        ...a.metadata,
        ownerReferences: map("x", [b], { blockOwnerDeletion: true }).metadata.ownerReferences,
      },
    };
    const world = await run([ring, b]);
    await remove(world, ConfigMap, "models/a", { propagationPolicy: "Foreground" });
    expect(names(world)).toEqual([]);
    await world.close();
  });

  it("orphan: dependents stay and forget their owner", async () => {
    const a = map("a");
    const world = await run([a, map("b", [a])]);
    await remove(world, ConfigMap, "models/a", { propagationPolicy: "Orphan" });
    expect(names(world)).toEqual(["b"]);
    expect(world.get(ConfigMap, "models/b")?.metadata.ownerReferences).toBeUndefined();
    await world.close();
  });

  it("clears a Deployment's whole tree, the pods in their own time", async () => {
    const deployment = existing(Deployment, {
      metadata: { name: "cat", namespace: "models" },
      spec: { selector: {}, template: {} },
    });
    const set = ownedChild(
      deployment,
      existing(ReplicaSet, { metadata: { name: "cat-1", namespace: "models" }, spec: { selector: {} } }),
    );
    const pods = Array.from({ length: 30 }, (_, i) =>
      ownedChild(
        set,
        existing(Pod, {
          metadata: { name: `cat-1-${i}`, namespace: "models" },
          spec: { containers: [{ name: "c", image: "i" }], nodeName: "n" },
        }),
      ),
    );
    const world = await run([deployment, set, ...pods]);
    world.kubelet.holdDeleted(true);
    await remove(world, Deployment, "models/cat");
    expect(world.list(ReplicaSet, "models")).toEqual([]);
    expect(world.list(Pod, "models").every((pod) => pod.metadata.deletionTimestamp !== undefined)).toBe(true);
    world.kubelet.holdDeleted(false);
    await world.settle();
    expect(world.list(Pod, "models")).toEqual([]);
    await world.close();
  });
});
