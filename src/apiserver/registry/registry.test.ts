import { describe, expect, it } from "vitest";
import { memoryStore } from "../../adapters/store/index.js";
import { ConfigMap } from "../../domain/apis/core/config.types.js";
import { Namespace } from "../../domain/apis/core/namespace.types.js";
import { Pod } from "../../domain/apis/core/pod.types.js";
import { Service } from "../../domain/apis/core/service.types.js";
import { CustomResourceDefinition } from "../../domain/apis/crd/index.js";
import { defineKind, type Kind, type Resource } from "../../domain/apis/kind.js";
import { builtinKinds } from "../../domain/apis/kinds.js";
import { resource } from "../../domain/apis/meta/meta.types.js";
import { type Infer, int32, obj, str } from "../../domain/apis/schema/index.js";
import type { Client, Store, StoreWrite } from "../../ports/index.js";
import { localClient } from "../localClient.js";
import { createRegistry } from "./index.js";

const WidgetSchema = resource(
  {
    spec: obj({ size: int32({ maximum: 100 }), color: str({ default: "red" }) }),
    status: obj({ seen: int32() }),
  },
  { required: ["spec"] },
);
interface Widget extends Infer<typeof WidgetSchema> {}
const Widget: Kind<Widget> = defineKind<Widget>({
  group: "probe.example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  schema: WidgetSchema,
});

const anyWidget = Widget as unknown as Kind;

const me = { name: "tester", groups: ["system:masters"] };

function fakeClock() {
  let nowMs = 1_700_000_000_000;
  return {
    now: () => nowMs,
    after: () => () => {},
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

function dice(): () => number {
  let seed = 7;
  return () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
}

async function world(store: Store = memoryStore()) {
  const clock = fakeClock();
  const kinds = [...builtinKinds, Widget as unknown as Kind];
  const registry = await createRegistry({ store, clock, random: dice(), kinds, freeze: true });
  return { registry, clock, client: localClient(registry, me) };
}

const widget = (name: string, size = 1) => ({ metadata: { name, namespace: "default" }, spec: { size } });

describe("creation", () => {
  it("gives identity, time and generation, and fills in defaults", async () => {
    const { client } = await world();
    const made = await client.create(Widget, widget("w1"));
    expect(made).toMatchObject({
      apiVersion: "probe.example.com/v1",
      kind: "Widget",
      metadata: {
        name: "w1",
        namespace: "default",
        generation: 1,
        creationTimestamp: "2023-11-14T22:13:20Z",
      },
      spec: { size: 1, color: "red" },
    });
    expect(made.metadata.uid).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it("ignores what only the server may say", async () => {
    const { client } = await world();
    const made = await client.create(Widget, {
      metadata: {
        ...widget("w1").metadata,
        uid: "mine",
        resourceVersion: "",
        generation: 9,
        creationTimestamp: "2001-01-01T00:00:00Z",
      },
      spec: { size: 1 },
      status: { seen: 5 },
    });
    expect(made.metadata.uid).not.toBe("mine");
    expect(made.metadata.generation).toBe(1);
    expect(made.status).toBeUndefined();
  });

  it("makes a name from a prefix", async () => {
    const { client } = await world();
    const made = await client.create(Widget, {
      metadata: { name: "", generateName: "w-", namespace: "default" },
      spec: {},
    });
    expect(made.metadata.name).toMatch(/^w-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  it("refuses in the API's words", async () => {
    const { client } = await world();
    await client.create(Widget, widget("w1"));
    await expect(client.create(Widget, widget("w1"))).rejects.toMatchObject({
      reason: "AlreadyExists",
      message: 'widgets.probe.example.com "w1" already exists',
    });
    await expect(
      client.create(Widget, { metadata: { name: "w", namespace: "nons" }, spec: {} }),
    ).rejects.toMatchObject({ reason: "NotFound", message: 'namespaces "nons" not found' });
    await expect(client.create(Widget, widget("w2", 101))).rejects.toMatchObject({
      reason: "Invalid",
      message:
        'Widget.probe.example.com "w2" is invalid: spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100',
    });
  });
});

describe("change", () => {
  it("counts wishes in generation, and nothing else", async () => {
    const { client } = await world();
    const first = await client.create(Widget, widget("w1"));
    const labelled = await client.update(Widget, {
      ...first,
      metadata: { ...first.metadata, labels: { a: "b" } },
    });
    expect(labelled.metadata.generation).toBe(1);
    const seen = await client.updateStatus(Widget, { ...labelled, spec: { size: 50 }, status: { seen: 1 } });
    expect(seen).toMatchObject({ metadata: { generation: 1 }, spec: { size: 1 }, status: { seen: 1 } });
    const wished = await client.update(Widget, { ...seen, spec: { size: 2 }, status: { seen: 9 } });
    expect(wished).toMatchObject({ metadata: { generation: 2 }, spec: { size: 2 }, status: { seen: 1 } });
  });

  it("that changes nothing writes nothing and tells nobody", async () => {
    const { client, registry } = await world();
    const first = await client.create(Widget, widget("w1"));
    const before = registry.revision();
    const again = await client.update(Widget, { ...first, spec: { size: 1 } });
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(registry.revision()).toBe(before);
  });

  it("made from an old version is a conflict", async () => {
    const { client } = await world();
    const first = await client.create(Widget, widget("w1"));
    await client.update(Widget, { ...first, spec: { size: 2 } });
    await expect(client.update(Widget, { ...first, spec: { size: 3 } })).rejects.toMatchObject({
      reason: "Conflict",
      message:
        'Operation cannot be fulfilled on widgets.probe.example.com "w1": the object has been modified; please apply your changes to the latest version and try again',
    });
  });

  it("of two at once, the second loses, though neither is on disk yet", async () => {
    const { client } = await world();
    const first = await client.create(Widget, widget("w1"));
    const outcomes = await Promise.allSettled([
      client.update(Widget, { ...first, spec: { size: 2 } }),
      client.update(Widget, { ...first, spec: { size: 3 } }),
    ]);
    expect(outcomes.map((one) => one.status)).toEqual(["fulfilled", "rejected"]);
  });

  it("needs a version for custom kinds, and none for those of the core", async () => {
    const { client } = await world();
    await client.create(Widget, widget("w1"));
    await expect(client.update(Widget, { apiVersion: "", kind: "", ...widget("w1") })).rejects.toThrow(
      'widgets.probe.example.com "w1" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update'.replace(
        "widgets",
        "Widget",
      ),
    );
    const map = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "default" },
    } as ConfigMap;
    await client.create(ConfigMap, map);
    expect(await client.update(ConfigMap, { ...map, data: { a: "1" } })).toMatchObject({ data: { a: "1" } });
  });

  it("hands out objects that nobody can modify", async () => {
    const { client } = await world();
    const made = await client.create(Widget, widget("w1"));
    expect(() => {
      (made.spec as { size: number }).size = 5;
    }).toThrow();
  });
});

describe("deletion", () => {
  it("waits for finalizers, then goes with the last of them", async () => {
    const { client, registry } = await world();
    const made = await client.create(Widget, {
      metadata: { ...widget("w1").metadata, finalizers: ["x.y/z"] },
      spec: { size: 1 },
    });
    await client.delete(anyWidget, key("w1"));
    const marked = (await client.get(Widget, key("w1"))) as Widget;
    expect(marked.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2 });
    expect(marked.metadata.deletionTimestamp).toBeDefined();
    const before = registry.revision();
    await client.delete(anyWidget, key("w1"));
    expect(registry.revision()).toBe(before);
    await expect(
      client.update(Widget, { ...marked, metadata: { ...marked.metadata, finalizers: ["x.y/z", "a.b/c"] } }),
    ).rejects.toThrow("no new finalizers can be added if the object is being deleted");
    await client.update(Widget, { ...marked, metadata: { ...marked.metadata, finalizers: [] } });
    expect(await client.get(Widget, key("w1"))).toBeUndefined();
    expect(made.metadata.name).toBe("w1");
  });

  it("marks for those who collect dependents", async () => {
    const { client } = await world();
    await client.create(Widget, widget("w1"));
    await client.delete(anyWidget, key("w1"), { propagationPolicy: "Foreground" });
    expect((await client.get(Widget, key("w1")))?.metadata.finalizers).toEqual(["foregroundDeletion"]);
    await expect(client.delete(anyWidget, key("w1"), { propagationPolicy: "Bogus" })).rejects.toThrow(
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Bogus": supported values: "Foreground", "Background", "Orphan", "nil"',
    );
  });

  it("of one and not another is what a precondition asks", async () => {
    const { client } = await world();
    await client.create(Widget, widget("w1"));
    await expect(
      client.delete(anyWidget, key("w1"), { preconditions: { uid: "beef" } }),
    ).rejects.toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("the UID in the precondition (beef) does not match the UID in record"),
    });
  });

  it("gives a pod on a node its grace, and ends it when the node says so", async () => {
    const { client, clock } = await world();
    const pod = (name: string, nodeName?: string) =>
      client.create(Pod, {
        metadata: { name, namespace: "default" },
        spec: { containers: [{ name: "c", image: "i" }], ...(nodeName === undefined ? {} : { nodeName }) },
      });
    await pod("nowhere");
    await client.delete(Pod as unknown as Kind, key("nowhere"));
    expect(await client.get(Pod, key("nowhere"))).toBeUndefined();

    await pod("running", "node");
    await client.delete(Pod as unknown as Kind, key("running"));
    const marked = await client.get(Pod, key("running"));
    expect(marked?.metadata.deletionGracePeriodSeconds).toBe(30);
    expect(Date.parse(marked?.metadata.deletionTimestamp ?? "")).toBe(clock.now() + 30_000);
    await client.delete(Pod as unknown as Kind, key("running"), { gracePeriodSeconds: 0 });
    expect(await client.get(Pod, key("running"))).toBeUndefined();
  });

  it("closes a namespace before it empties it", async () => {
    const { client, registry } = await world();
    await client.create(Namespace, { metadata: { name: "tmp" } });
    await client.delete(Namespace as unknown as Kind, { namespace: "", name: "tmp" });
    expect(await client.get(Namespace, { namespace: "", name: "tmp" })).toMatchObject({
      status: { phase: "Terminating" },
      spec: { finalizers: ["kubernetes"] },
    });
    await expect(client.create(ConfigMap, { metadata: { name: "c1", namespace: "tmp" } })).rejects.toThrow(
      'configmaps "c1" is forbidden: unable to create new content in namespace tmp because it is being terminated',
    );
    await registry.finalizeNamespace("tmp", []);
    expect(await client.get(Namespace, { namespace: "", name: "tmp" })).toBeUndefined();
    await expect(
      client.delete(Namespace as unknown as Kind, { namespace: "", name: "default" }),
    ).rejects.toThrow('namespaces "default" is forbidden: this namespace may not be deleted');
  });
});

describe("services", () => {
  it("get an address each, and keep it", async () => {
    const { client } = await world();
    const service = (name: string) =>
      client.create(Service, { metadata: { name, namespace: "default" }, spec: { ports: [{ port: 80 }] } });
    const [a, b] = [await service("a"), await service("b")];
    expect(a.spec?.clusterIP).toBe("10.96.0.1");
    expect(b.spec?.clusterIPs).toEqual(["10.96.0.2"]);
    const changed = await client.update(Service, { ...a, spec: { ports: [{ port: 81 }] } });
    expect(changed.spec?.clusterIP).toBe("10.96.0.1");
    const exposed = await client.update(Service, { ...changed, spec: { ...changed.spec, type: "NodePort" } });
    expect(exposed.spec?.ports?.[0]?.nodePort).toBe(30_000);
  });
});

describe("kinds at run time", () => {
  const crd = (plural: string, kind: string, names: object = {}) => ({
    metadata: { name: `${plural}.probe.example.com` },
    spec: {
      group: "probe.example.com",
      scope: "Namespaced" as const,
      names: { plural, kind, ...names },
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
        { name: "v2", served: true, storage: false, schema: { openAPIV3Schema: { type: "object" } } },
      ],
    },
  });

  it("are served as soon as they are stored, in each of their versions", async () => {
    const { client, registry } = await world();
    const made = await client.create(CustomResourceDefinition, crd("gizmos", "Gizmo"));
    expect(made.status?.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual([
      "NamesAccepted True",
      "Established True",
    ]);
    const v1 = registry.served.find("probe.example.com", "v1", "gizmos")?.kind as Kind;
    const v2 = registry.served.find("probe.example.com", "v2", "gizmos")?.kind as Kind;
    await client.create(v2, { metadata: { name: "g", namespace: "default" } });
    expect((await client.get(v1, key("g")))?.apiVersion).toBe("probe.example.com/v1");
    expect((await client.get(v2, key("g")))?.apiVersion).toBe("probe.example.com/v2");
  });

  it("are written back as they were read, the server's own finalizer and all", async () => {
    const { client } = await world();
    const made = await client.create(CustomResourceDefinition, crd("gizmos", "Gizmo"));
    expect(made.metadata.finalizers).toEqual(["customresourcecleanup.apiextensions.k8s.io"]);
    expect(await client.update(CustomResourceDefinition, made)).toEqual(made);
  });

  it("do not take a name that is in use", async () => {
    const { client, registry } = await world();
    const made = await client.create(
      CustomResourceDefinition,
      crd("gizmos", "Gizmo", { listKind: "WidgetList" }),
    );
    expect(made.status?.conditions?.[0]).toMatchObject({
      status: "False",
      reason: "ListKindConflict",
      message: '"WidgetList" is already in use',
    });
    expect(registry.served.find("probe.example.com", "v1", "gizmos")).toBeUndefined();
  });

  it("do not replace those we serve ourselves", async () => {
    const { client } = await world();
    await client.create(CustomResourceDefinition, crd("widgets", "Widget"));
    expect((await client.create(Widget, widget("w1"))).spec.color).toBe("red");
  });
});

describe("a watch", () => {
  it("goes on from where a list ended", async () => {
    const { client } = await world();
    await client.create(Widget, widget("w1"));
    const { resourceVersion } = await client.list(Widget);
    await client.create(Widget, widget("w2"));
    const two = (await client.get(Widget, key("w2"))) as Widget;
    await client.update(Widget, { ...two, spec: { size: 5 } });
    await client.delete(anyWidget, key("w1"));
    expect(await heard(client, resourceVersion, 3)).toEqual(["ADDED w2", "MODIFIED w2", "DELETED w1"]);
  });

  it("from nowhere begins with all there is", async () => {
    const { client } = await world();
    await client.create(Widget, widget("w1"));
    expect(await heard(client, "", 1)).toEqual(["ADDED w1"]);
  });

  it("sees an object enter and leave its selection", async () => {
    const { client } = await world();
    const { resourceVersion } = await client.list(Widget);
    let w = await client.create(Widget, widget("w1"));
    const label = async (labels: { [key: string]: string }) => {
      w = await client.update(Widget, { ...w, metadata: { ...w.metadata, labels } });
    };
    await label({ a: "1" });
    await label({ a: "1", b: "2" });
    await label({ b: "2" });
    const events = await collect(client, resourceVersion, 3, { labelSelector: "a=1" });
    expect(events.map((event) => event.type)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    const last = events[2]?.type === "DELETED" ? events[2].object : undefined;
    expect(last?.metadata.labels).toEqual({ a: "1", b: "2" });
    expect(last?.metadata.resourceVersion).toBe(w.metadata.resourceVersion);
  });

  it("tells of a deletion with the last state under the deletion's version", async () => {
    const { client, registry } = await world();
    const made = await client.create(Widget, widget("w1"));
    await client.delete(anyWidget, key("w1"));
    const [event] = await collect(client, made.metadata.resourceVersion ?? "", 1);
    expect(event).toMatchObject({
      type: "DELETED",
      object: { spec: { size: 1 }, metadata: { resourceVersion: String(registry.revision()) } },
    });
  });

  it("too far back is expired", async () => {
    const { client, clock } = await world();
    const made = await client.create(Widget, widget("w1"));
    await client.update(Widget, { ...made, spec: { size: 2 } });
    clock.advance(11 * 60_000);
    await client.create(Widget, widget("w2"));
    await expect(heard(client, made.metadata.resourceVersion ?? "", 1)).rejects.toMatchObject({
      reason: "Expired",
    });
  });
});

describe("a list in pages", () => {
  it("shows the state of its first page throughout", async () => {
    const { client } = await world();
    for (const name of ["a", "b", "c", "d"]) await client.create(Widget, widget(name));
    const first = await client.list(Widget, { limit: 2 });
    await client.delete(anyWidget, key("d"));
    await client.create(Widget, widget("bb"));
    const second = await client.list(Widget, { limit: 2, continue: first.continue ?? "" });
    expect(first.items.map((w) => w.metadata.name)).toEqual(["a", "b"]);
    expect(second.items.map((w) => w.metadata.name)).toEqual(["c", "d"]);
    expect(second.resourceVersion).toBe(first.resourceVersion);
    expect(second.continue).toBeUndefined();
  });
});

describe("the disk", () => {
  it("is asked once for all that is written meanwhile", async () => {
    const disk = slowDisk();
    const { client } = await world(disk.store);
    disk.hold();
    const writes = ["a", "b", "c", "d", "e"].map((name) => client.create(Widget, widget(name)));
    await disk.reached();
    writes.push(...["f", "g", "h"].map((name) => client.create(Widget, widget(name))));
    const before = disk.batches.length;
    disk.release();
    await Promise.all(writes);
    expect(disk.batches.slice(before - 1).map((batch) => batch.length)).toEqual([5, 3]);
  });

  it("shows nothing to readers before it has it", async () => {
    const disk = slowDisk();
    const { client } = await world(disk.store);
    disk.hold();
    const write = client.create(Widget, widget("a"));
    await disk.reached();
    expect(await client.get(Widget, key("a"))).toBeUndefined();
    disk.release();
    await write;
    expect(await client.get(Widget, key("a"))).toBeDefined();
  });

  it("when full refuses that batch and what stood on it, and the state stays whole", async () => {
    const disk = slowDisk();
    const { client, registry } = await world(disk.store);
    const first = await client.create(Widget, widget("kept"));
    const { resourceVersion } = await client.list(Widget);

    disk.hold();
    const lost = client.update(Widget, { ...first, spec: { size: 2 } });
    await disk.reached();
    const onTop = client.patch(Widget, key("kept"), { spec: { size: 3 } }, { type: "merge" });
    const other = client.create(Widget, widget("other"));
    disk.fail("disk is full");
    const outcomes = await Promise.allSettled([lost, onTop, other]);
    expect(outcomes.map((one) => one.status)).toEqual(["rejected", "rejected", "rejected"]);

    expect(await client.get(Widget, key("kept"))).toEqual(first);
    expect(await client.get(Widget, key("other"))).toBeUndefined();
    expect(registry.figures().commit.trouble).toContain("disk is full");
    const after = await client.update(Widget, { ...first, spec: { size: 4 } });
    expect(after.metadata.generation).toBe(2);
    expect(await heard(client, resourceVersion, 1)).toEqual(["MODIFIED kept"]);
    expect(registry.figures().commit.trouble).toBeUndefined();
  });

  it("brings everything back after a restart, and expires older watches", async () => {
    const store = memoryStore();
    const one = await world(store);
    const made = await one.client.create(Widget, widget("w1"));
    await one.client.create(Widget, widget("w2"));
    const two = await world(store);
    expect(await two.client.get(Widget, key("w1"))).toEqual(made);
    const next = await two.client.create(Widget, widget("w3"));
    expect(Number(next.metadata.resourceVersion)).toBe(one.registry.revision() + 1);
    await expect(heard(two.client, made.metadata.resourceVersion ?? "", 1)).rejects.toMatchObject({
      reason: "Expired",
    });
  });
});

function key(name: string) {
  return { namespace: "default", name };
}

async function collect(client: Client, from: string, count: number, within: { labelSelector?: string } = {}) {
  const abort = new AbortController();
  const events = [];
  for await (const event of client.watch(Widget, from, abort.signal, within)) {
    events.push(event);
    if (events.length === count) break;
  }
  abort.abort();
  return events;
}

async function heard(client: Client, from: string, count: number): Promise<string[]> {
  const events = await collect(client, from, count);
  return events.map(
    (event) => `${event.type} ${event.type === "BOOKMARK" ? "" : (event.object as Resource).metadata.name}`,
  );
}

/** A store whose commits wait until told, or fail. */
function slowDisk() {
  const inner = memoryStore();
  const batches: (readonly StoreWrite[])[] = [];
  let held = false;
  let arrived = () => {};
  let go: (error?: Error) => void = () => {};
  const store: Store = {
    ...inner,
    async commit(batch) {
      batches.push(batch);
      if (held) {
        const gate = new Promise<Error | undefined>((resolve) => {
          go = resolve;
        });
        arrived();
        const error = await gate;
        if (error !== undefined) throw error;
      }
      await inner.commit(batch);
    },
  };
  return {
    store,
    batches,
    hold: () => {
      held = true;
    },
    reached: () =>
      new Promise<void>((resolve) => {
        arrived = resolve;
      }),
    release: () => {
      held = false;
      go();
    },
    fail: (message: string) => {
      held = false;
      go(new Error(message));
    },
  };
}
