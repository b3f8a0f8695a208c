// What every Client must do, whatever is behind it. The only definition of "behaves the same".
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigMap } from "../../src/domain/apis/core/config.types.js";
import { Namespace } from "../../src/domain/apis/core/namespace.types.js";
import { defineKind, type Kind } from "../../src/domain/apis/kind.js";
import { resource } from "../../src/domain/apis/meta/meta.types.js";
import { type Infer, int32, obj, str } from "../../src/domain/apis/schema/index.js";
import type { Client, WatchEvent } from "../../src/ports/index.js";

const GadgetSchema = resource(
  {
    spec: obj({ size: int32({ maximum: 100 }), color: str({ default: "red" }), replicas: int32() }),
    status: obj({ seen: int32(), replicas: int32() }),
  },
  { required: ["spec"] },
);
interface Gadget extends Infer<typeof GadgetSchema> {}

/** Must be among the kinds the API behind the client serves. */
export const Gadget: Kind<Gadget> = defineKind<Gadget>({
  group: "contract.example.com",
  version: "v1",
  kind: "Gadget",
  plural: "gadgets",
  schema: GadgetSchema,
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
});

export interface ClientUnderTest {
  readonly client: Client;
  readonly dispose: () => Promise<void>;
}

export function clientContract(name: string, make: () => Promise<ClientUnderTest>): void {
  describe(`a client: ${name}`, () => {
    let under: ClientUnderTest;
    let client: Client;
    let count = 0;
    beforeAll(async () => {
      under = await make();
      ({ client } = under);
    });
    afterAll(() => under.dispose());

    /** A namespace of the test's own. */
    async function place(): Promise<string> {
      const name = `contract-${++count}`;
      await client.create(Namespace, { metadata: { name } });
      return name;
    }
    const gadget = (namespace: string, name: string, size = 1) => ({
      metadata: { name, namespace },
      spec: { size },
    });

    it("gets what it created, and undefined for what is not there", async () => {
      const namespace = await place();
      const made = await client.create(Gadget, gadget(namespace, "g"));
      expect(made).toMatchObject({
        apiVersion: "contract.example.com/v1",
        kind: "Gadget",
        spec: { size: 1, color: "red" },
      });
      expect(await client.get(Gadget, { namespace, name: "g" })).toEqual(made);
      expect(await client.get(Gadget, { namespace, name: "nobody" })).toBeUndefined();
      expect(await client.get(Namespace, { namespace: "", name: namespace })).toMatchObject({
        status: { phase: "Active" },
      });
    });

    it("refuses with a reason to branch on", async () => {
      const namespace = await place();
      await client.create(Gadget, gadget(namespace, "g"));
      const reasons = async (action: Promise<unknown>) =>
        action.then(
          () => "none",
          (error: { reason: string }) => error.reason,
        );
      expect(await reasons(client.create(Gadget, gadget(namespace, "g")))).toBe("AlreadyExists");
      expect(await reasons(client.create(Gadget, gadget(namespace, "big", 101)))).toBe("Invalid");
      expect(await reasons(client.create(Gadget, gadget("no-such-place", "g")))).toBe("NotFound");
      expect(await reasons(client.delete(anyKind(Gadget), { namespace, name: "nobody" }))).toBe("NotFound");
      expect(await reasons(client.list(Gadget, { labelSelector: "a in (" }))).toBe("BadRequest");
      const unserved = { ...Gadget, plural: "gizmos" };
      expect(await reasons(client.get(unserved, { namespace, name: "g" }))).toBe("NotFound");
    });

    it("carries the Status of a refusal", async () => {
      const namespace = await place();
      const refusal = await client
        .create(Gadget, gadget(namespace, "big", 101))
        .catch((error: unknown) => error);
      expect(refusal).toMatchObject({
        name: "PortError",
        message: expect.stringContaining('Gadget.contract.example.com "big" is invalid: spec.size'),
        status: {
          kind: "Status",
          code: 422,
          details: { causes: [{ field: "spec.size", reason: "FieldValueInvalid" }] },
        },
      });
    });

    it("updates from the latest, and only from the latest", async () => {
      const namespace = await place();
      const first = await client.create(Gadget, gadget(namespace, "g"));
      const second = await client.update(Gadget, { ...first, spec: { size: 2 } });
      expect(second.metadata.generation).toBe(2);
      await expect(client.update(Gadget, { ...first, spec: { size: 3 } })).rejects.toMatchObject({
        reason: "Conflict",
      });
    });

    it("writes status beside the rest", async () => {
      const namespace = await place();
      const first = await client.create(Gadget, gadget(namespace, "g"));
      const second = await client.updateStatus(Gadget, { ...first, spec: { size: 9 }, status: { seen: 3 } });
      expect(second).toMatchObject({ spec: { size: 1 }, status: { seen: 3 }, metadata: { generation: 1 } });
    });

    it("patches in three tongues, and scales", async () => {
      const namespace = await place();
      const key = { namespace, name: "g" };
      await client.create(Gadget, gadget(namespace, "g"));
      expect((await client.patch(Gadget, key, { spec: { size: 2 } }, { type: "merge" })).spec.size).toBe(2);
      const json = [{ op: "replace", path: "/spec/size", value: 3 }];
      expect((await client.patch(Gadget, key, json, { type: "json" })).spec.size).toBe(3);
      const seen = await client.patch(
        Gadget,
        key,
        { status: { seen: 4 } },
        { type: "merge", subresource: "status" },
      );
      expect(seen.metadata.resourceVersion).toBeDefined();
      await client.patch(Gadget, key, { spec: { replicas: 5 } }, { type: "merge", subresource: "scale" });
      expect(await client.get(Gadget, key)).toMatchObject({
        spec: { size: 3, replicas: 5 },
        status: { seen: 4 },
      });
      const map = { namespace, name: "c" };
      await client.create(ConfigMap, { metadata: map, data: { a: "1" } });
      expect((await client.patch(ConfigMap, map, { data: { b: "2" } }, { type: "strategic" })).data).toEqual({
        a: "1",
        b: "2",
      });
    });

    it("applies as someone, creating what is not there", async () => {
      const namespace = await place();
      const key = { namespace, name: "g" };
      const config = (size: number) => ({
        apiVersion: "contract.example.com/v1",
        kind: "Gadget",
        metadata: { name: "g" },
        spec: { size },
      });
      expect(
        (await client.patch(Gadget, key, config(1), { type: "apply", fieldManager: "alice" })).spec.size,
      ).toBe(1);
      await expect(
        client.patch(Gadget, key, config(2), { type: "apply", fieldManager: "bob" }),
      ).rejects.toMatchObject({
        reason: "Conflict",
        message: 'Apply failed with 1 conflict: conflict with "alice": .spec.size',
      });
      const forced = await client.patch(Gadget, key, config(2), {
        type: "apply",
        fieldManager: "bob",
        force: true,
      });
      expect(forced.spec.size).toBe(2);
    });

    it("lists by place, label, field and page", async () => {
      const [here, there] = [await place(), await place()];
      for (const name of ["a", "b", "c"]) await client.create(Gadget, gadget(here, name));
      await client.create(Gadget, {
        metadata: { name: "d", namespace: there, labels: { is: "odd" } },
        spec: {},
      });
      const names = async (within: Parameters<Client["list"]>[1]) =>
        (await client.list(Gadget, within)).items.map((one) => one.metadata.name);
      expect(await names({ namespace: here })).toEqual(["a", "b", "c"]);
      expect(await names({ labelSelector: "is=odd" })).toEqual(["d"]);
      expect(await names({ namespace: here, fieldSelector: "metadata.name=b" })).toEqual(["b"]);
      const first = await client.list(Gadget, { namespace: here, limit: 2 });
      const second = await client.list(Gadget, { namespace: here, limit: 2, continue: first.continue ?? "" });
      expect([...first.items, ...second.items].map((one) => one.metadata.name)).toEqual(["a", "b", "c"]);
      expect(second.continue).toBeUndefined();
    });

    it("watches on from a list, within a selection", async () => {
      const namespace = await place();
      const page = await client.list(Gadget, { namespace });
      const heard = listen(client, page.resourceVersion, { namespace, labelSelector: "is=odd" }, 3);
      let one = await client.create(Gadget, {
        metadata: { name: "g", namespace, labels: { is: "odd" } },
        spec: {},
      });
      await client.create(Gadget, gadget(namespace, "even"));
      one = await client.update(Gadget, { ...one, spec: { size: 7 } });
      await client.update(Gadget, { ...one, metadata: { ...one.metadata, labels: {} } });
      expect(
        (await heard).map((event) =>
          event.type === "BOOKMARK" ? "" : `${event.type} ${event.object.spec.size ?? 0}`,
        ),
      ).toEqual(["ADDED 0", "MODIFIED 7", "DELETED 7"]);
    });

    it("ends a watch when told to, without fuss", async () => {
      const namespace = await place();
      const abort = new AbortController();
      const { resourceVersion } = await client.list(Gadget);
      const done = (async () => {
        for await (const _ of client.watch(Gadget, resourceVersion, abort.signal, { namespace }))
          return "an event";
        return "ended";
      })();
      await client.list(Gadget);
      abort.abort();
      expect(await done).toBe("ended");
    });

    it("deletes at once, or marks what is held", async () => {
      const namespace = await place();
      await client.create(Gadget, gadget(namespace, "g"));
      await client.delete(anyKind(Gadget), { namespace, name: "g" });
      expect(await client.get(Gadget, { namespace, name: "g" })).toBeUndefined();
      const held = await client.create(Gadget, {
        metadata: { name: "h", namespace, finalizers: ["a.b/c"] },
        spec: {},
      });
      await expect(
        client.delete(anyKind(Gadget), { namespace, name: "h" }, { preconditions: { uid: "another" } }),
      ).rejects.toMatchObject({ reason: "Conflict" });
      await client.delete(
        anyKind(Gadget),
        { namespace, name: "h" },
        { preconditions: { uid: held.metadata.uid ?? "" } },
      );
      expect((await client.get(Gadget, { namespace, name: "h" }))?.metadata.deletionTimestamp).toBeDefined();
    });
  });
}

async function listen(
  client: Client,
  from: string,
  within: { readonly namespace: string; readonly labelSelector: string },
  count: number,
): Promise<readonly WatchEvent<Gadget>[]> {
  const abort = new AbortController();
  const events: WatchEvent<Gadget>[] = [];
  for await (const event of client.watch(Gadget, from, abort.signal, within)) {
    if (event.type !== "BOOKMARK") events.push(event);
    if (events.length === count) break;
  }
  abort.abort();
  return events;
}

function anyKind<T>(kind: T): Kind {
  return kind as unknown as Kind;
}
