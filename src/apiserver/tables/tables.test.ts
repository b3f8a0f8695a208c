import { describe, expect, it } from "vitest";
import { defineKind, type Kind, type Resource } from "../../domain/apis/kind.js";
import { tableOf } from "./index.js";
import { evaluateJsonPath, parseJsonPath } from "./jsonPath.js";

const service = {
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: {
    name: "cat",
    labels: { "serving.knative.dev/configuration": "c" },
    creationTimestamp: "1970-01-01T00:00:00Z",
  },
  spec: { hosts: ["a", "b"], n: 3 },
  status: {
    url: "http://cat",
    conditions: [
      { type: "Ready", status: "False", reason: "Why" },
      { type: "Other", status: "True" },
    ],
  },
};

describe("JSONPath", () => {
  it.each<[string, unknown[]]>([
    [".status.url", ["http://cat"]],
    ["{.status.url}", ["http://cat"]],
    ["$.status.url", ["http://cat"]],
    ['.status.conditions[?(@.type=="Ready")].status', ["False"]],
    [".status.conditions[?(@.type=='Ready')].reason", ["Why"]],
    [".status.conditions[?(@.reason)].type", ["Ready"]],
    [".status.conditions[?(@.type!='Ready')].status", ["True"]],
    [".metadata.labels['serving\\.knative\\.dev/configuration']", ["c"]],
    [".metadata.labels.serving\\.knative\\.dev/configuration", ["c"]],
    [".spec.hosts[0]", ["a"]],
    [".spec.hosts[-1]", ["b"]],
    [".spec.hosts[0:1]", ["a"]],
    [".spec.hosts[*]", ["a", "b"]],
    [".status.conditions[*].type", ["Ready", "Other"]],
    ["..reason", ["Why"]],
    [".spec.nope.deeper", []],
    [".spec[", []],
    [".spec[?(@.n > 2)]", []],
  ])("%s", (path, want) => {
    expect(evaluateJsonPath(parseJsonPath(path), service)).toEqual(want);
  });
});

describe("tableOf", () => {
  const kind = defineKind<Resource>({
    group: "serving.knative.dev",
    version: "v1",
    kind: "Service",
    plural: "services",
    schema: {},
    columns: [
      { name: "URL", type: "string", jsonPath: ".status.url" },
      { name: "N", type: "integer", jsonPath: ".spec.n" },
      { name: "Hosts", type: "string", jsonPath: ".spec.hosts", priority: 1 },
      { name: "Born", type: "date", jsonPath: ".metadata.creationTimestamp" },
      { name: "Gone", type: "string", jsonPath: ".status.gone" },
    ],
  }) as Kind;
  const options = {
    includeObject: "Metadata",
    nowMs: 5000,
    metadata: { resourceVersion: "7" },
    columns: true,
  } as const;

  it("has a name, then what the columns find", () => {
    const table = tableOf(kind, [service], options);
    expect(table.rows).toEqual([
      {
        cells: ["cat", "http://cat", 3, '["a","b"]', "5s", null],
        object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: service.metadata },
      },
    ]);
    expect(table.columnDefinitions?.map(({ name, priority }) => [name, priority])).toEqual([
      ["Name", 0],
      ["URL", 0],
      ["N", 0],
      ["Hosts", 1],
      ["Born", 0],
      ["Gone", 0],
    ]);
    expect(table.columnDefinitions?.[0]?.format).toBe("name");
  });

  it("shows name and age when a custom kind says nothing", () => {
    const table = tableOf({ ...kind, columns: [] }, [service], {
      ...options,
      includeObject: "None",
      columns: false,
    });
    expect(table).toEqual({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: "7" },
      columnDefinitions: null,
      rows: [{ cells: ["cat", "5s"] }],
    });
  });

  it("carries whole objects when asked to", () => {
    expect(tableOf(kind, [service], { ...options, includeObject: "Object" }).rows[0]?.object).toBe(service);
  });
});
