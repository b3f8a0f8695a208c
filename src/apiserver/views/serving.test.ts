// v1alpha1 as clients meet it: the same objects as v1, in the shape of the error-conditions document.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../adapters/store/index.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import { allKinds } from "../../domain/apis/kinds.js";
import { Configuration } from "../../domain/apis/serving/configuration.types.js";
import { Revision } from "../../domain/apis/serving/revision.types.js";
import { Route } from "../../domain/apis/serving/route.types.js";
import { KnativeService } from "../../domain/apis/serving/service.types.js";
import { ConfigurationV1alpha1 } from "../../domain/apis/serving/v1alpha1/configuration.types.js";
import { formAnnotation, isManual } from "../../domain/apis/serving/v1alpha1/form.js";
import { RevisionV1alpha1 } from "../../domain/apis/serving/v1alpha1/revision.types.js";
import { RouteV1alpha1 } from "../../domain/apis/serving/v1alpha1/route.types.js";
import { ServiceV1alpha1 } from "../../domain/apis/serving/v1alpha1/service.types.js";
import { localClient } from "../localClient.js";
import { createRegistry, insideContext } from "../registry/index.js";

const me = { name: "tester", groups: ["system:masters"] };

async function world() {
  let roll = 0;
  const clock = { now: () => 1_700_000_000_000, after: () => () => {} };
  const random = () => {
    roll = (roll * 16_807 + 11) % 2_147_483_647;
    return roll / 2_147_483_647;
  };
  const registry = await createRegistry({
    store: memoryStore(),
    clock,
    random,
    kinds: allKinds,
    freeze: true,
  });
  const client = localClient(registry, me);
  const at = (name: string) => ({ namespace: "default", name });
  return {
    registry,
    client,
    at,
    create: <T extends Resource>(kind: Kind<T>, name: string, spec: unknown) =>
      client.create(kind, { metadata: at(name), spec } as never),
    status: <T extends Resource>(kind: Kind<T>, object: T, status: unknown) =>
      client.updateStatus(kind, { ...object, status }),
  };
}

const container = { image: "example.com/app", env: [{ name: "A", value: "b" }] };
const runLatest = {
  runLatest: { configuration: { revisionTemplate: { spec: { container, concurrencyModel: "Single" } } } },
};

describe("serving.knative.dev/v1alpha1", () => {
  it("stores what v1 reads", async () => {
    const { create, client, at } = await world();
    const seen = await create(ServiceV1alpha1, "a", runLatest);
    expect(seen.apiVersion).toBe("serving.knative.dev/v1alpha1");
    expect(seen).toMatchObject({ metadata: { generation: 1 }, spec: runLatest });
    const stored = await client.get(KnativeService, at("a"));
    expect(stored).toMatchObject({
      apiVersion: "serving.knative.dev/v1",
      spec: {
        template: { spec: { containers: [container], containerConcurrency: 1 } },
        traffic: [{ percent: 100, latestRevision: true }],
      },
    });
    // How it was written is a note on the stored object alone.
    expect(stored?.metadata.annotations?.[formAnnotation]).toBe('{"model":"Single"}');
    expect(Object.keys(seen.metadata.annotations ?? {})).not.toContain(formAnnotation);
  });

  it.each([
    ["runLatest", { template: { spec: { containers: [container] } } }],
    [
      "pinned",
      {
        template: { spec: { containers: [container] } },
        traffic: [{ revisionName: "a-00001", percent: 100 }],
      },
    ],
    [
      "release",
      {
        template: { spec: { containers: [container] } },
        traffic: [
          { tag: "current", revisionName: "a-00001", percent: 90 },
          { tag: "candidate", revisionName: "a-00002", percent: 10 },
          { tag: "latest", latestRevision: true, percent: 0 },
        ],
      },
    ],
    [
      "revisionTemplate,traffic",
      {
        template: { spec: { containers: [container] } },
        traffic: [
          { revisionName: "a-00001", percent: 90 },
          { latestRevision: true, percent: 10 },
        ],
      },
    ],
  ])("shows a v1 Service as %s", async (form, spec) => {
    const { create, client, at } = await world();
    await create(KnativeService, "a", spec);
    const seen = await client.get(ServiceV1alpha1, at("a"));
    expect(Object.keys(seen?.spec ?? {}).join()).toBe(form);
  });

  it("lists and watches in its own shape", async () => {
    const { create, client, at } = await world();
    await create(KnativeService, "old", { template: { spec: { containers: [container] } } });
    const page = await client.list(ServiceV1alpha1, { namespace: "default" });
    expect(page.items.map((one) => [one.apiVersion, Object.keys(one.spec)])).toEqual([
      ["serving.knative.dev/v1alpha1", ["runLatest"]],
    ]);
    const abort = new AbortController();
    const events = client.watch(ServiceV1alpha1, page.resourceVersion, abort.signal)[Symbol.asyncIterator]();
    const next = events.next();
    await create(ServiceV1alpha1, "new", runLatest);
    expect((await next).value).toMatchObject({
      type: "ADDED",
      object: { apiVersion: "serving.knative.dev/v1alpha1", metadata: { name: "new" }, spec: runLatest },
    });
    const changed = events.next();
    await client.patch(KnativeService, at("new"), { metadata: { labels: { a: "b" } } }, { type: "merge" });
    expect((await changed).value).toMatchObject({ type: "MODIFIED", object: { spec: runLatest } });
    abort.abort();
    await events.return?.();
  });

  it("changes nothing it was not asked to change", async () => {
    const { create, client, at, status } = await world();
    const made = await create(KnativeService, "a", {
      template: { spec: { containers: [{ ...container, name: "mine" }] } },
      traffic: [{ latestRevision: true, percent: 100, tag: "x" }],
    });
    await status(KnativeService, made, { url: "http://a.default.localhost:18080", conditions: [] });
    const before = await client.get(KnativeService, at("a"));
    const seen = await client.get(ServiceV1alpha1, at("a"));
    expect(seen?.status).toMatchObject({ domain: "a.default.localhost" });
    await client.update(ServiceV1alpha1, {
      ...seen,
      metadata: { ...seen?.metadata, labels: { a: "b" } },
    } as never);
    const after = await client.get(KnativeService, at("a"));
    expect(after?.metadata).toMatchObject({ generation: 1, labels: { a: "b" } });
    expect({ spec: after?.spec, status: after?.status }).toEqual({
      spec: before?.spec,
      status: before?.status,
    });
  });

  it("notes nothing where nothing is wished for", async () => {
    const { create, client, at } = await world();
    const made = await create(KnativeService, "a", {
      template: { spec: { containers: [container] } },
      traffic: [
        { revisionName: "a-00001", percent: 90 },
        { latestRevision: true, percent: 10 },
      ],
    });
    const seen = await client.get(ServiceV1alpha1, at("a"));
    await client.update(ServiceV1alpha1, seen as never);
    expect(await client.get(KnativeService, at("a"))).toEqual(made);
  });

  it("takes a merge patch as kubectl apply sends it", async () => {
    const { create, client, at } = await world();
    await create(ServiceV1alpha1, "a", runLatest);
    const patch = {
      spec: { runLatest: null, pinned: { ...runLatest.runLatest, revisionName: "a-00001" } },
    };
    await client.patch(ServiceV1alpha1, at("a"), patch, { type: "merge" });
    expect(await client.get(KnativeService, at("a"))).toMatchObject({
      metadata: { generation: 2 },
      spec: {
        template: { spec: { containers: [container] } },
        traffic: [{ revisionName: "a-00001", percent: 100 }],
      },
    });
  });

  it("takes a server-side apply, and the same again changes nothing", async () => {
    const { client, at } = await world();
    const apply = (spec: object, force = false) =>
      client.patch(
        ServiceV1alpha1,
        at("a"),
        {
          apiVersion: "serving.knative.dev/v1alpha1",
          kind: "Service",
          metadata: { name: "a" },
          spec,
        },
        { type: "apply", fieldManager: "me", force },
      );
    const made = await apply(runLatest);
    expect((await apply(runLatest)).metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const pinned = { pinned: { revisionName: "a-00001", ...runLatest.runLatest } };
    const next = await apply(pinned);
    expect(next.metadata.generation).toBe(2);
    expect(next.spec).toMatchObject(pinned);
    expect(next.spec.runLatest).toBeUndefined();
    const inline = { template: { spec: { containers: [container] } } };
    expect((await apply(inline)).spec).toMatchObject(inline);
    const older = { revisionTemplate: { spec: { container } } };
    const last = await apply(older);
    expect(last.spec).toMatchObject({ ...older, traffic: [{ latestRevision: true }] });
    expect(last.spec.template).toBeUndefined();
    expect((await apply({ manual: {} })).spec).toEqual({ manual: {} });
  });

  it.each([
    { traffic: [{ latestRevision: true, percent: 100 }] },
    { pinned: { revisionName: "a-00001" } },
    { template: {} },
  ])("does not swallow what is written beside a mode: %j", async (more) => {
    const { create, client, at } = await world();
    await create(ServiceV1alpha1, "a", runLatest);
    await expect(client.patch(ServiceV1alpha1, at("a"), { spec: more }, { type: "merge" })).rejects.toThrow(
      /expected exactly one, got both/,
    );
  });

  it("takes a concurrency model in place of the number it filled in itself", async () => {
    const { create, client, at } = await world();
    await create(ConfigurationV1alpha1, "c", { revisionTemplate: { spec: { container } } });
    const patch = { spec: { revisionTemplate: { spec: { concurrencyModel: "Single" } } } };
    const next = await client.patch(ConfigurationV1alpha1, at("c"), patch, { type: "merge" });
    expect(next.spec.revisionTemplate?.spec).toMatchObject({ concurrencyModel: "Single" });
    expect((await client.get(Configuration, at("c")))?.spec.template?.spec.containerConcurrency).toBe(1);
  });

  it("leaves a manual Service to its user, and remembers what it ran before", async () => {
    const { create, client, at } = await world();
    await create(ServiceV1alpha1, "fresh", { manual: {} });
    const fresh = await client.get(KnativeService, at("fresh"));
    expect(isManual(fresh as Resource)).toBe(true);
    expect((await client.get(ServiceV1alpha1, at("fresh")))?.spec).toEqual({ manual: {} });

    await create(ServiceV1alpha1, "a", runLatest);
    const before = await client.get(KnativeService, at("a"));
    await client.patch(
      ServiceV1alpha1,
      at("a"),
      { spec: { runLatest: null, manual: {} } },
      { type: "merge" },
    );
    const after = await client.get(KnativeService, at("a"));
    expect(isManual(before as Resource)).toBe(false);
    expect(isManual(after as Resource)).toBe(true);
    expect(after?.spec).toEqual(before?.spec);
  });

  it("lets a Revision be labelled: its spec is the same in both versions", async () => {
    const { create, client, at } = await world();
    await create(Revision, "a-00001", { containers: [container] });
    const seen = await client.get(RevisionV1alpha1, at("a-00001"));
    expect(seen?.spec.container).toMatchObject(container);
    await client.update(RevisionV1alpha1, {
      ...seen,
      metadata: { ...seen?.metadata, labels: { a: "b" } },
    } as never);
    expect((await client.get(Revision, at("a-00001")))?.metadata.generation).toBe(1);
  });

  it.each([
    [ServiceV1alpha1, {}, /spec: Required value: expected exactly one, got neither: runLatest/],
    [ServiceV1alpha1, { ...runLatest, manual: {} }, /expected exactly one, got both: runLatest, manual/],
    [ServiceV1alpha1, { runLatest: {} }, /got neither: revisionTemplate, template/],
    [
      ServiceV1alpha1,
      { release: { ...runLatest.runLatest, revisions: ["a", "b", "c"] } },
      /spec.release.revisions: Too many/,
    ],
    [
      ServiceV1alpha1,
      { release: { ...runLatest.runLatest, revisions: ["a"], rolloutPercent: 5 } },
      /may only be set for two revisions/,
    ],
    [
      ConfigurationV1alpha1,
      { revisionTemplate: { spec: { container: { name: "x" } } } },
      /spec.revisionTemplate.spec.container.image: Required value/,
    ],
    [
      ConfigurationV1alpha1,
      { build: { template: { name: "kaniko" } }, revisionTemplate: { spec: { container } } },
      /spec.build.template: Forbidden: there are no build templates here/,
    ],
    [
      ConfigurationV1alpha1,
      { revisionTemplate: { spec: { container, concurrencyModel: "Single", containerConcurrency: 5 } } },
      /containerConcurrency: Invalid value: 5: must be 1 where concurrencyModel is Single/,
    ],
    [
      RouteV1alpha1,
      { traffic: [{ name: "a", tag: "a", configurationName: "c", percent: 100 }] },
      /spec.traffic\[0\].tag: Forbidden/,
    ],
  ] as const)("refuses what no v1 object could mean (%#)", async (kind, spec, words) => {
    const { create } = await world();
    await expect(create(kind as unknown as Kind, "a", spec)).rejects.toThrow(words);
  });

  it("hears of fields it does not know, in its own words", async () => {
    const { registry } = await world();
    const served = registry.servedAs(ServiceV1alpha1);
    const body = {
      apiVersion: "serving.knative.dev/v1alpha1",
      kind: "Service",
      metadata: { name: "a" },
      spec: { ...runLatest, surprise: 1 },
    };
    const strict = { ...insideContext(me), fieldValidation: "Strict" } as const;
    await expect(registry.create(served, "default", body, strict)).rejects.toThrow(
      /Service in version "v1alpha1" .* unknown field "spec.surprise"/,
    );
  });

  it("is the same after any detour through the API", async () => {
    const { create, client, at } = await world();
    let count = 0;
    const configuration = fc.oneof(
      fc.constant({ revisionTemplate: { spec: { container } } }),
      fc.constant({ template: { spec: { containers: [container], concurrencyModel: "Multi" } } }),
      fc.constant({ build: { steps: [container] }, revisionTemplate: { spec: { container } } }),
    );
    const revisions = fc.constantFrom(["a-1"], ["@latest"], ["a-1", "a-2"], ["a-1", "@latest"]);
    const spec = fc.oneof(
      configuration.map((one) => ({ runLatest: { configuration: one } })),
      configuration.map((one) => ({ pinned: { revisionName: "a-1", configuration: one } })),
      fc
        .tuple(configuration, revisions)
        .map(([one, names]) => ({ release: { revisions: names, configuration: one } })),
      configuration.map((one) => ({ ...one, traffic: [{ latestRevision: true, percent: 100 }] })),
      fc.constant({ manual: {} }),
    );
    await fc.assert(
      fc.asyncProperty(spec, async (wish) => {
        const name = `s${count++}`;
        const made = await create(ServiceV1alpha1, name, wish);
        expect(made.spec).toMatchObject(wish);
        const stored = await client.get(KnativeService, at(name));
        await client.update(ServiceV1alpha1, made);
        expect(await client.get(KnativeService, at(name))).toEqual(stored);
        await client.update(KnativeService, stored as KnativeService);
        expect(await client.get(ServiceV1alpha1, at(name))).toEqual(made);
      }),
      { numRuns: 100 },
    );
  });
});

const at = (type: string, status: string, reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
});

describe("the documents' own examples", () => {
  it("a Route without a ready Revision says Not found for its share", async () => {
    const { create, client, at: key, status } = await world();
    const traffic = [{ configurationName: "abc", percent: 100 }];
    const missing = at(
      "AllTrafficAssigned",
      "False",
      "RevisionMissing",
      "Configuration 'abc' does not have a LatestReadyRevision.",
    );
    const made = await create(Route, "my-service", { traffic });
    await status(Route, made, {
      url: "http://my-service.default.mydomain.com:8080",
      address: { url: "http://my-service.default.svc.cluster.local" },
      conditions: [missing, { ...missing, type: "Ready" }],
    });
    expect((await client.get(RouteV1alpha1, key("my-service")))?.status).toMatchObject({
      domain: "my-service.default.mydomain.com",
      domainInternal: "my-service.default.svc.cluster.local",
      address: { hostname: "my-service.default.svc.cluster.local" },
      traffic: [{ revisionName: "Not found", percent: 100 }],
    });
  });

  it("a Revision that is missing is left out, and what is served keeps its name", async () => {
    const { create, client, at: key, status } = await world();
    const made = await create(Route, "r", {
      traffic: [
        { tag: "current", revisionName: "abc", percent: 100 },
        { revisionName: "qyzz", percent: 0 },
      ],
    });
    const words = "Revision 'qyzz' referenced in traffic not found";
    await status(Route, made, {
      traffic: [{ tag: "current", revisionName: "abc", percent: 100, latestRevision: false }],
      conditions: [at("AllTrafficAssigned", "False", "RevisionMissing", words)],
    });
    expect((await client.get(RouteV1alpha1, key("r")))?.status?.traffic).toEqual([
      { name: "current", revisionName: "abc", percent: 100, latestRevision: false },
    ]);
  });

  it("a Configuration that is missing leaves no traffic at all", async () => {
    const { create, client, at: key, status } = await world();
    const made = await create(Route, "r", { traffic: [{ configurationName: "abc", percent: 100 }] });
    const words = "Configuration 'abc' referenced in traffic not found";
    await status(Route, made, {
      conditions: [at("AllTrafficAssigned", "False", "ConfigurationMissing", words)],
    });
    expect((await client.get(RouteV1alpha1, key("r")))?.status?.traffic).toEqual([]);
  });

  it("a Revision's resources are provisioned, its logs have a URL, its image a digest", async () => {
    const { create, client, at: key, status } = await world();
    const made = await create(Revision, "abc", { containers: [{ ...container, name: "user-container" }] });
    const words = "The controller could not create a deployment named abc-e13ac.";
    await status(Revision, made, {
      logUrl: "http://logs/abc",
      containerStatuses: [{ name: "user-container", imageDigest: "example.com/app@sha256:1" }],
      conditions: [
        at("Ready", "False", "NoDeployment", words),
        at("ResourcesAvailable", "False", "NoDeployment", words),
      ],
    });
    expect((await client.get(RevisionV1alpha1, key("abc")))?.status).toMatchObject({
      logUrl: "http://logs/abc",
      logsUrl: "http://logs/abc",
      serviceName: "abc",
      imageDigest: "example.com/app@sha256:1",
      conditions: [
        { type: "Ready", reason: "NoDeployment", message: words },
        { type: "ResourcesProvisioned", status: "False", reason: "NoDeployment", message: words },
      ],
    });
  });

  it("a deleted latest Revision is named both ways, and so is a Service's first that cannot serve", async () => {
    const { create, client, at: key, status } = await world();
    const ready = at(
      "Ready",
      "False",
      "RevisionMissing",
      "The latest Revision appears to have been deleted.",
    );
    const template = { spec: { containers: [container] } };
    const configuration = await create(Configuration, "c", { template });
    await status(Configuration, configuration, { latestCreatedRevisionName: "abc", conditions: [ready] });
    expect((await client.get(ConfigurationV1alpha1, key("c")))?.status).toMatchObject({
      latestCreatedRevision: "abc",
      latestCreatedRevisionName: "abc",
    });
    const service = await create(KnativeService, "s", { template });
    await status(KnativeService, service, { latestCreatedRevisionName: "abc", conditions: [ready] });
    expect((await client.get(ServiceV1alpha1, key("s")))?.status).toMatchObject({
      latestCreatedRevisionname: "abc",
      latestCreatedRevisionName: "abc",
    });
  });
});
