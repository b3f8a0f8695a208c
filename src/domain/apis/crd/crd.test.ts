import { describe, expect, it } from "vitest";
import { readServingConfig } from "../config/index.js";
import type { AdmissionContext } from "../kind.js";
import { servingKinds } from "../kinds.js";
import { applyDefaults, prune, validateSchema } from "../schema/index.js";
import { CustomResourceDefinition, crdOfKind, kindsOfCrd, newestFirst } from "./index.js";

const schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      required: ["size"],
      properties: {
        size: { type: "integer", maximum: 3, default: 1 },
        pod: {
          type: "object",
          "x-kubernetes-embedded-resource": true,
          "x-kubernetes-preserve-unknown-fields": true,
        },
      },
    },
    status: { type: "object", properties: { ready: { type: "boolean" } } },
  },
};

const version = (more: object = {}) => ({
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  subresources: { status: {}, scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" } },
  additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
  selectableFields: [{ jsonPath: ".spec.color" }],
  ...more,
});

function crd(spec: object = {}, name = "widgets.probe.example.com"): CustomResourceDefinition {
  const given = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name },
    spec: {
      group: "probe.example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [version()],
      ...spec,
    },
  };
  const filled = applyDefaults(CustomResourceDefinition.schema, given) as CustomResourceDefinition;
  return CustomResourceDefinition.defaults?.(filled, context()) ?? filled;
}

function context(old?: CustomResourceDefinition): AdmissionContext<CustomResourceDefinition> {
  return {
    operation: old === undefined ? "create" : "update",
    subresource: "",
    old,
    user: { name: "u", groups: [] },
    config: () => readServingConfig(() => undefined),
  };
}

const said = (given: CustomResourceDefinition, old?: CustomResourceDefinition) =>
  [
    ...validateSchema(CustomResourceDefinition.schema, given),
    ...(CustomResourceDefinition.validate?.(given, context(old)) ?? []),
  ].map((error) => `${error.field}: ${error.message}`);

describe("CustomResourceDefinition", () => {
  it("names itself where nobody did", () => {
    expect(crd().spec).toMatchObject({
      names: { singular: "widget", listKind: "WidgetList" },
      conversion: { strategy: "None" },
    });
  });

  const root = "spec.versions[0].schema.openAPIV3Schema";
  it.each<[string, CustomResourceDefinition, string[]]>([
    ["a good one", crd(), []],
    [
      "another name",
      crd({}, "w.x.y"),
      ['metadata.name: Invalid value: "w.x.y": must be spec.names.plural+"."+spec.group'],
    ],
    [
      "two storage versions",
      crd({ versions: [version(), version({ name: "v2" })] }),
      ['spec.versions: Invalid value: "array": must have exactly one version marked as storage version'],
    ],
    [
      "no schema",
      crd({ versions: [version({ schema: {} })] }),
      [`${root}: Required value: schemas are required`],
    ],
    [
      "a schema that is none",
      crd({
        versions: [
          version({
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: { a: 5, b: { type: "string", pattern: 7 }, c: null },
                required: "a",
              },
            },
          }),
        ],
      }),
      [
        `${root}.properties[a]: Invalid value: "integer": ${root}.properties[a] in body must be of type object: "integer"`,
        `${root}.properties[b].pattern: Invalid value: "integer": ${root}.properties[b].pattern in body must be of type string: "integer"`,
        `${root}.required: Invalid value: "string": ${root}.required in body must be of type array: "string"`,
      ],
    ],
    [
      "a node without a type",
      crd({
        versions: [version({ schema: { openAPIV3Schema: { type: "object", properties: { spec: {} } } } })],
      }),
      [`${root}.properties[spec].type: Required value: must not be empty for specified object fields`],
    ],
    [
      "a scope nobody has",
      crd({ scope: "Galactic" }),
      ['spec.scope: Unsupported value: "Galactic": supported values: "Cluster", "Namespaced"'],
    ],
  ])("%s", (_name, given, want) => {
    expect(said(given)).toEqual(want);
  });

  it("keeps what it is", () => {
    expect(said(crd({ scope: "Cluster" }), crd())).toEqual([
      'spec.scope: Invalid value: "Cluster": field is immutable',
    ]);
  });
});

describe("kindsOfCrd", () => {
  it("makes a kind of each served version", () => {
    const old = version({ name: "v1beta1", storage: false, deprecated: true });
    const hidden = version({ name: "v0", storage: false, served: false });
    const kinds = kindsOfCrd(crd({ versions: [old, hidden, version()] }));
    expect(kinds.map((kind) => [kind.version, kind.storage, kind.deprecationWarning])).toEqual([
      ["v1beta1", false, "probe.example.com/v1beta1 Widget is deprecated; use probe.example.com/v1 Widget"],
      ["v1", true, undefined],
    ]);
    expect(kinds[1]).toMatchObject({
      plural: "widgets",
      singular: "widget",
      namespaced: true,
      flavour: "custom",
      hasStatus: true,
      scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" },
      fieldSelectors: ["spec.color"],
      columns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
    });
  });

  it("knows metadata, the object's own and that of embedded ones", () => {
    const [kind] = kindsOfCrd(crd());
    if (kind === undefined) throw new Error("no kind");
    const object = {
      apiVersion: "probe.example.com/v1",
      kind: "Widget",
      metadata: { name: "w", bogus: 1 },
      spec: { pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", bogus: 1 }, spec: { any: 1 } } },
      zap: 1,
    };
    const { value, unknown } = prune(kind.schema, object);
    expect(unknown).toEqual(["metadata.bogus", "spec.pod.metadata.bogus", "zap"]);
    expect(applyDefaults(kind.schema, value)).toMatchObject({ spec: { size: 1, pod: { spec: { any: 1 } } } });
    expect(validateSchema(kind.schema, value).map((error) => error.field)).toEqual(["spec.size"]);
  });
});

it("labels Knative's definitions as its tools look for them", () => {
  const duck = (kind: string, group: string) => {
    const found = servingKinds.find((one) => one.kind === kind && one.group === group);
    const labels = found === undefined ? {} : crdOfKind(found).metadata.labels;
    return Object.keys(labels ?? {}).map((key) => key.replace(/^.*\//, ""));
  };
  const every = ["name", "crd-install"];
  expect(duck("Service", "serving.knative.dev")).toEqual([...every, "addressable", "podspecable"]);
  expect(duck("Configuration", "serving.knative.dev")).toEqual([...every, "podspecable"]);
  expect(duck("Route", "serving.knative.dev")).toEqual([...every, "addressable"]);
  expect(duck("DomainMapping", "serving.knative.dev")).toEqual([...every, "addressable"]);
  expect(duck("Image", "caching.internal.knative.dev")).toEqual(every);
  expect(duck("InferenceService", "serving.kserve.io")).toEqual([]);
});

it("sorts versions as discovery lists them", () => {
  expect(["v1alpha1", "foo", "v2beta1", "v1", "v10", "v1beta2", "v2"].sort(newestFirst)).toEqual([
    "v10",
    "v2",
    "v1",
    "v2beta1",
    "v1beta2",
    "v1alpha1",
    "foo",
  ]);
});
