// What goes from one version to the other comes back the same, whatever form it was written in.
import fc, { type Arbitrary } from "fast-check";
import { describe, expect, it } from "vitest";
import { equalJson } from "../../schema/index.js";
import { configurationFromV1, configurationToV1 } from "./configuration.conversion.js";
import { formAnnotation } from "./form.js";
import { revisionFromV1, revisionToV1 } from "./revision.conversion.js";
import { routeFromV1, routeToV1 } from "./route.conversion.js";
import { serviceFromV1, serviceToV1 } from "./service.conversion.js";

const numRuns = Number(process.env["DRYDOCK_ROUNDS"] ?? 1_000);

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
/** An object with some of the members. */
const some = <T extends object>(members: { [K in keyof T]: Arbitrary<T[K]> }) =>
  fc.record(members, { requiredKeys: [] });
const map = fc.dictionary(name, name, { maxKeys: 3 });

const container = fc.record(
  {
    image: name,
    name,
    args: fc.array(name, { maxLength: 2 }),
    env: fc.array(fc.record({ name, value: name }), { maxLength: 2 }),
    ports: fc.array(some({ name, containerPort: fc.nat(65_535) }), { maxLength: 1 }),
    resources: some({ limits: map }),
  },
  { requiredKeys: ["image"] },
);
const running = {
  serviceAccountName: name,
  timeoutSeconds: fc.nat(600),
  buildName: name,
  volumes: fc.array(fc.record({ name, secret: some({ secretName: name }) }), { maxLength: 2 }),
  enableServiceLinks: fc.boolean(),
  imagePullSecrets: fc.array(fc.record({ name }), { maxLength: 2 }),
  nodeSelector: map,
};
const concurrency = fc.constantFrom(0, 1, 5);
const templateMetadata = some({ name, labels: map, annotations: map });
const build = some({
  serviceAccountName: name,
  steps: fc.array(container, { maxLength: 2 }),
  timeout: fc.constant("5m"),
  source: some({ git: some({ url: name, revision: name }) }),
});
const target = {
  revisionName: name,
  configurationName: name,
  latestRevision: fc.boolean(),
  percent: fc.nat(100),
  url: name,
};

const both = <A extends object, B extends object>(a: Arbitrary<A>, b: Arbitrary<B>): Arbitrary<A & B> =>
  fc.tuple(a, b).map(([one, other]) => ({ ...one, ...other }));

const seenSpec = both(
  both(
    some(running),
    fc.oneof(
      fc.record({ container }),
      fc.record({ containers: fc.array(container, { minLength: 1, maxLength: 3 }) }),
    ),
  ),
  fc.oneof(
    fc.constant({}),
    fc.record({ containerConcurrency: concurrency }),
    fc.record({ concurrencyModel: fc.constantFrom("Single", "Multi") }),
  ),
);
const seenTemplate = fc.record({ metadata: templateMetadata, spec: seenSpec }, { requiredKeys: ["spec"] });
const seenConfiguration = both(
  some({ build }),
  fc.oneof(fc.record({ revisionTemplate: seenTemplate }), fc.record({ template: seenTemplate })),
);
const seenTraffic = fc.oneof(
  // Written out, though a mode would say the same.
  fc.constant([{ percent: 100, latestRevision: true }]),
  fc.constant([
    { name: "current", revisionName: "a", latestRevision: false, percent: 100 },
    { name: "latest", latestRevision: true, percent: 0 },
  ]),
  fc.array(some({ ...target, name }), { maxLength: 4 }),
  fc.array(some({ ...target, tag: name }), { maxLength: 4 }),
);
const revision = fc.oneof(name, fc.constant("@latest"));
const release = fc.oneof(
  fc.record(
    { revisions: fc.tuple(revision), rolloutPercent: fc.constant(0), configuration: seenConfiguration },
    { requiredKeys: ["revisions", "configuration"] },
  ),
  fc.record(
    {
      revisions: fc.tuple(revision, revision),
      rolloutPercent: fc.nat(99),
      configuration: seenConfiguration,
    },
    { requiredKeys: ["revisions", "configuration"] },
  ),
);
const modes = [
  fc.record({ runLatest: fc.record({ configuration: seenConfiguration }) }),
  fc.record({ pinned: fc.record({ revisionName: name, configuration: seenConfiguration }) }),
  fc.record({ release }),
] as const;
const seenService = fc.oneof(
  ...modes,
  fc.constant({ manual: {} }),
  both(seenConfiguration, some({ traffic: seenTraffic })),
);

const spec = both(
  some({ ...running, containerConcurrency: concurrency }),
  fc.record({ containers: fc.array(container, { maxLength: 3 }) }),
);
const template = fc.record({ metadata: templateMetadata, spec }, { requiredKeys: ["spec"] });
const traffic = fc.oneof(
  fc.array(some({ ...target, tag: name }), { maxLength: 4 }),
  // What the named modes become, and what is nearly that.
  modes[2].map((seen) => serviceToV1(object(seen) as never, undefined).spec.traffic ?? []),
  fc.constant([{ percent: 100, latestRevision: true }]),
  fc.constant([{ percent: 100, latestRevision: true, tag: "x" }]),
  name.map((revisionName) => [{ revisionName, percent: 100, latestRevision: false }]),
);
const configuration = some({ template, build });
const service = both(configuration, some({ traffic }));

/** Forms left over from another time, and what strangers write there. */
const annotation = fc.oneof(
  fc.constant(undefined),
  some({
    as: fc.constant("inline"),
    template: fc.constant(true),
    containers: fc.constant(true),
    model: fc.constantFrom("Single", "Multi"),
    rollout: fc.boolean(),
    tag: fc.constant(true),
  }).map((form) => JSON.stringify(form)),
  fc.constantFrom("", "{", "null", "[1]", '{"as":7,"model":"Triple"}', '"manual"'),
);

function object(spec: unknown, form?: string) {
  const annotations = { theirs: "kept", ...(form === undefined ? {} : { [formAnnotation]: form }) };
  return { apiVersion: "", kind: "K", metadata: { name: "a", annotations }, spec };
}

/** The runner's own comparison is slow, and is asked only for its words. */
function same(value: unknown, wanted: unknown): void {
  if (!equalJson(value, wanted)) expect(value).toEqual(wanted);
}

type Convert = (object: never, old: never) => { readonly spec?: unknown; readonly metadata: object };

const kinds: readonly (readonly [string, Arbitrary<unknown>, Arbitrary<unknown>, Convert, Convert])[] = [
  ["Service", seenService, service, serviceToV1, serviceFromV1],
  ["Configuration", seenConfiguration, configuration, configurationToV1, configurationFromV1],
  ["Revision", seenSpec, spec, revisionToV1, revisionFromV1],
  ["Route", some({ traffic: seenTraffic }), some({ traffic }), routeToV1, routeFromV1],
];

describe.each(kinds)("%s", (_kind, seen, stored, toV1, fromV1) => {
  it("comes back from v1 as it was written", () => {
    fc.assert(
      fc.property(seen, (spec) => {
        const back = fromV1(toV1(object(spec) as never, undefined as never) as never, undefined as never);
        same(back.spec, spec);
        same(back.metadata, object(spec).metadata);
      }),
      { numRuns },
    );
  });

  it("comes back from v1alpha1 as it was stored, whatever form it was written in before", () => {
    fc.assert(
      fc.property(stored, annotation, (spec, form) => {
        const shown = fromV1(object(spec, form) as never, undefined as never);
        same(shown.metadata, object(spec).metadata);
        same(toV1(shown as never, undefined as never).spec, spec);
      }),
      { numRuns },
    );
  });

  it("keeps its form when v1 changes something else", () => {
    fc.assert(
      fc.property(seen, (spec) => {
        const old = toV1(object(spec) as never, undefined as never);
        const again = toV1(fromV1(old as never, undefined as never) as never, old as never);
        same(again, old);
        if (again.spec !== old.spec) expect(again.spec).toBe(old.spec);
      }),
      { numRuns },
    );
  });
});
