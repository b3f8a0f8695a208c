import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeploymentSchema } from "../../domain/apis/apps/apps.types.js";
import type { Resource } from "../../domain/apis/kind.js";
import { resource } from "../../domain/apis/meta/meta.types.js";
import { any, int32, keyed, list, map, obj, str } from "../../domain/apis/schema/index.js";
import { type ApplyOutcome, serverSideApply, trackUpdate } from "./index.js";

const schema = resource({
  spec: obj({
    size: int32(),
    color: str(),
    atom: list(int32()),
    items: keyed(obj({ name: str(), val: int32(), other: int32() }), ["name"]),
    tags: list(str(), { "x-kubernetes-list-type": "set" }),
    labels: map(str()),
    block: obj({ a: int32(), b: int32() }, { "x-kubernetes-map-type": "atomic" }),
    free: any(),
  }),
  status: obj({ phase: str() }),
});

type Spec = { readonly [name: string]: unknown };
const apiVersion = "probe.example.com/v1";
const base = { apiVersion, kind: "Widget" };
const metadata = { name: "w1" };
const [early, late] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"];

const apply = (
  live: Resource | undefined,
  spec: Spec,
  manager = "alice",
  more: { force?: boolean; at?: string } = {},
) =>
  serverSideApply({
    schema,
    live,
    config: { ...base, metadata, spec },
    manager,
    apiVersion,
    force: more.force ?? false,
    nowIso: more.at ?? early,
    subresource: "",
  });

function applied(outcome: ApplyOutcome): Resource & { readonly spec: Spec } {
  if (outcome.outcome !== "applied") throw new Error(outcome.message);
  return outcome.object as Resource & { readonly spec: Spec };
}

const specOf = (object: Resource) => (object as Resource & { readonly spec?: Spec }).spec;
const ownersOf = (object: Resource) =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((one) => [`${one.manager}/${one.operation}`, one.fieldsV1]),
  );

function update(before: Resource | undefined, spec: Spec, manager = "ed", subresource = ""): Resource {
  const after = { ...base, metadata: { ...metadata, ...before?.metadata }, spec } as Resource;
  const managedFields = trackUpdate({
    schema,
    before,
    after,
    manager,
    apiVersion,
    nowIso: early,
    subresource,
    operation: "Update",
  });
  return { ...after, metadata: { ...after.metadata, managedFields } };
}

describe("serverSideApply", () => {
  it("owns what it says: leaves, items, members of maps", () => {
    const spec = {
      size: 1,
      atom: [1],
      items: [{ name: "a", val: 1 }],
      tags: ["t1"],
      labels: { x: "y" },
      block: { a: 1 },
    };
    expect(applied(apply(undefined, spec)).metadata.managedFields).toEqual([
      {
        manager: "alice",
        operation: "Apply",
        apiVersion,
        time: early,
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:spec": {
            "f:size": {},
            "f:atom": {},
            "f:items": { 'k:{"name":"a"}': { ".": {}, "f:name": {}, "f:val": {} } },
            "f:tags": { 'v:"t1"': {} },
            "f:labels": { "f:x": {} },
            "f:block": {},
          },
        },
      },
    ]);
  });

  it("takes away what it no longer says, unless another owns it", () => {
    const first = applied(
      apply(undefined, {
        size: 1,
        color: "red",
        items: [{ name: "a" }, { name: "b" }],
        labels: { x: "1", y: "2" },
      }),
    );
    const shared = applied(apply(first, { color: "red", items: [{ name: "b" }] }, "bob"));
    const next = applied(apply(shared, { size: 1, items: [{ name: "a" }], labels: { x: "1" } }));
    expect(specOf(next)).toEqual({
      size: 1,
      color: "red",
      items: [{ name: "a" }, { name: "b" }],
      labels: { x: "1" },
    });
    expect(specOf(applied(apply(next, {})))).toEqual({ color: "red", items: [{ name: "b" }] });
  });

  it("leaves alone what others added within", () => {
    const first = applied(apply(undefined, { items: [{ name: "a", val: 1 }] }));
    const edited = update(first, { items: [{ name: "z" }, { name: "a", val: 1, other: 2 }] });
    expect(specOf(applied(apply(edited, { items: [{ name: "a", val: 3 }] })))).toEqual({
      items: [{ name: "z" }, { name: "a", val: 3, other: 2 }],
    });
  });

  it("conflicts in upstream's words", () => {
    const live = applied(apply(undefined, { size: 1, atom: [1], items: [{ name: "a", val: 1 }] }));
    expect(apply(live, { size: 2 }, "bob")).toEqual({
      outcome: "conflict",
      message: 'Apply failed with 1 conflict: conflict with "alice": .spec.size',
      conflicts: [{ manager: "alice", message: 'conflict with "alice"', field: ".spec.size" }],
    });
    expect(apply(live, { size: 2, atom: [2], items: [{ name: "a", val: 2 }] }, "bob")).toMatchObject({
      message:
        'Apply failed with 3 conflicts: conflicts with "alice":\n- .spec.atom\n- .spec.size\n- .spec.items[name="a"].val',
    });
    expect(apply(update(undefined, { size: 1 }), { size: 2 }, "bob")).toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "ed" using probe.example.com/v1: .spec.size',
    });
  });

  it("shares a field that has the same value", () => {
    const live = applied(apply(undefined, { size: 1 }));
    expect(Object.keys(ownersOf(applied(apply(live, { size: 1 }, "bob"))))).toEqual([
      "alice/Apply",
      "bob/Apply",
    ]);
  });

  it("takes by force", () => {
    const live = applied(apply(undefined, { size: 1, color: "red" }));
    const taken = applied(apply(live, { size: 2 }, "bob", { force: true }));
    expect(specOf(taken)).toEqual({ size: 2, color: "red" });
    expect(ownersOf(taken)).toEqual({
      "alice/Apply": { "f:spec": { "f:color": {} } },
      "bob/Apply": { "f:spec": { "f:size": {} } },
    });
  });

  it("does nothing when nothing is new", () => {
    const live = applied(apply(undefined, { size: 1 }));
    expect(applied(apply(live, { size: 1 }, "alice", { at: late }))).toBe(live);
    const request = {
      schema,
      live,
      manager: "nobody",
      apiVersion,
      force: false,
      nowIso: late,
      subresource: "",
    };
    expect(applied(serverSideApply({ ...request, config: { ...base, metadata } }))).toBe(live);
  });

  it("lets kubectl take over from its own client-side applies", () => {
    const text = JSON.stringify({ ...base, metadata, spec: { size: 1 } });
    const edited = update(undefined, { size: 1, color: "red" }, "kubectl-client-side-apply");
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": text };
    const live = { ...edited, metadata: { ...edited.metadata, annotations } };
    expect(apply(live, { size: 2 }, "kubectl").outcome).toBe("applied");
    expect(apply(live, { color: "blue" }, "kubectl").outcome).toBe("conflict");
  });

  it.each<[string, object, object]>([
    [
      "an unknown field",
      { ...base, metadata, spec: { nosuch: 1 } },
      {
        code: 500,
        message:
          "failed to create typed patch object (/w1; probe.example.com/v1, Kind=Widget): .spec.nosuch: field not declared in schema",
      },
    ],
    [
      "no apiVersion",
      { kind: "Widget", metadata },
      { code: 400, message: "invalid object type: /, Kind=Widget" },
    ],
    [
      "managedFields",
      { ...base, metadata: { ...metadata, managedFields: [] } },
      { code: 400, message: "metadata.managedFields must be nil" },
    ],
    [
      "an item twice",
      { ...base, metadata, spec: { items: [{ name: "a" }, { name: "a" }] } },
      {
        code: 500,
        message:
          'failed to create typed patch object (/w1; probe.example.com/v1, Kind=Widget): .spec.items: duplicate entries for key [name="a"]',
      },
    ],
    [
      "an item without its key",
      { ...base, metadata, spec: { items: [{ val: 1 }] } },
      {
        code: 500,
        message:
          'failed to create typed patch object (/w1; probe.example.com/v1, Kind=Widget): .spec.items: element 0: associative list with keys has an element that omits key field "name"',
      },
    ],
  ])("refuses %s", (_name, config, want) => {
    const request = {
      schema,
      live: undefined,
      manager: "a",
      apiVersion,
      force: false,
      nowIso: early,
      subresource: "",
    };
    expect(serverSideApply({ ...request, config })).toMatchObject({ outcome: "invalid", ...want });
  });

  it("leaves status to its own endpoint", () => {
    const config = { ...base, metadata, spec: { size: 1 }, status: { phase: "X" } };
    const request = {
      schema,
      live: undefined,
      manager: "a",
      apiVersion,
      force: false,
      nowIso: early,
      config,
    };
    expect(applied(serverSideApply({ ...request, subresource: "" }))).not.toHaveProperty("status");
    const status = applied(
      serverSideApply({ ...request, live: update(undefined, { size: 1 }), subresource: "status" }),
    );
    expect(status).toMatchObject({ spec: { size: 1 }, status: { phase: "X" } });
    expect(status.metadata.managedFields?.[0]).toMatchObject({
      subresource: "status",
      fieldsV1: { "f:status": { "f:phase": {} } },
    });
  });

  it("counts the protocol of a port though nobody wrote it", () => {
    const container = { name: "c", ports: [{ containerPort: 80 }] };
    const config = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: { template: { spec: { containers: [container] } } },
    };
    const request = {
      schema: DeploymentSchema,
      live: undefined,
      manager: "a",
      apiVersion: "apps/v1",
      force: false,
      nowIso: early,
    };
    expect(
      JSON.stringify(
        applied(serverSideApply({ ...request, config, subresource: "" })).metadata.managedFields,
      ),
    ).toContain(JSON.stringify('k:{"containerPort":80,"protocol":"TCP"}'));
  });

  const spec = fc.record(
    {
      size: fc.constantFrom(1, 2),
      color: fc.constantFrom("red", "green"),
      items: fc.uniqueArray(
        fc.record(
          { name: fc.constantFrom("a", "b", "c"), val: fc.constantFrom(1, 2) },
          { requiredKeys: ["name"] },
        ),
        { selector: (one) => one.name },
      ),
      tags: fc.uniqueArray(fc.constantFrom("x", "y", "z")),
      labels: fc.dictionary(fc.constantFrom("k", "l"), fc.constantFrom("1", "2")),
    },
    { requiredKeys: [] },
  );
  it("holds what was applied, whatever came before, and a second time changes nothing", () => {
    fc.assert(
      fc.property(spec, spec, spec, (mine, theirs, edit) => {
        const live = update(
          applied(apply(applied(apply(undefined, theirs, "bob")), mine, "alice", { force: true })),
          edit,
        );
        const once = applied(apply(live, mine, "alice", { force: true }));
        expect(applied(apply(once, mine, "alice", { at: late }))).toBe(once);
        expect(specOf(once)?.["size"] ?? undefined).toBe(mine.size ?? specOf(once)?.["size"]);
        for (const item of mine.items ?? []) {
          expect(specOf(once)?.["items"]).toContainEqual(expect.objectContaining(item));
        }
        expect(specOf(once)?.["labels"] ?? {}).toMatchObject(mine.labels ?? {});
      }),
    );
  });
});

describe("trackUpdate", () => {
  it("gives the writer what it changed, and takes it from the others", () => {
    const live = applied(apply(undefined, { size: 1, color: "red" }));
    expect(ownersOf(update(live, { size: 2, color: "red" }))).toEqual({
      "alice/Apply": { "f:spec": { "f:color": {} } },
      "ed/Update": { "f:spec": { "f:size": {} } },
    });
  });

  it("forgets owners of what is gone", () => {
    const live = applied(apply(undefined, { size: 1, color: "red" }));
    expect(ownersOf(update(live, { size: 1 }))).toEqual({ "alice/Apply": { "f:spec": { "f:size": {} } } });
  });

  it("keeps the very list when nothing changed", () => {
    const live = update(undefined, { size: 1 });
    expect(update(live, { size: 1 }).metadata.managedFields).toBe(live.metadata.managedFields);
  });

  it("has no eye for what the server writes, nor for what another endpoint owns", () => {
    const before = update(undefined, { size: 1 });
    const after = {
      ...before,
      metadata: { ...before.metadata, resourceVersion: "9", generation: 3 },
      status: { phase: "X" },
    } as Resource;
    const options = {
      schema,
      before,
      after,
      manager: "k",
      apiVersion,
      nowIso: early,
      operation: "Update",
    } as const;
    expect(trackUpdate({ ...options, subresource: "" })).toBe(before.metadata.managedFields);
    expect(
      trackUpdate({ ...options, subresource: "status" }).map((one) => [
        one.manager,
        one.subresource,
        one.fieldsV1,
      ]),
    ).toEqual([
      ["ed", undefined, { "f:spec": { ".": {}, "f:size": {} } }],
      ["k", "status", { "f:status": { ".": {}, "f:phase": {} } }],
    ]);
  });

  it("can be told to forget everything", () => {
    const before = update(undefined, { size: 1 });
    const after = { ...before, metadata: { ...before.metadata, managedFields: [{}] } };
    expect(
      trackUpdate({
        schema,
        before,
        after,
        manager: "k",
        apiVersion,
        nowIso: early,
        subresource: "",
        operation: "Update",
      }),
    ).toEqual([]);
  });
});
