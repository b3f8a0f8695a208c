import { expect, it } from "vitest";
import { admitted } from "../../../../test/admission.js";
import { DomainMapping } from "./domainMapping.types.js";

const ref = { apiVersion: "serving.knative.dev/v1", kind: "Service", name: "cat" };
const mapping = (name: string, more: object = {}, spec: object = {}) => ({
  metadata: { name, ...more },
  spec: { ref: { ...ref, ...spec } },
});
it("leads to its own namespace, and is signed", () => {
  const { object, denied } = admitted(DomainMapping, mapping("cat.example.com"));
  expect(denied).toBeUndefined();
  expect(object.spec.ref.namespace).toBe("default");
  expect(object.metadata.annotations).toMatchObject({ "serving.knative.dev/creator": "alice" });
});

it.each<[string, object, string]>([
  [
    "a generated name",
    mapping("a.b", { generateName: "a" }),
    "must not set the field(s): metadata.generateName",
  ],
  [
    "a name of one part",
    mapping("cat"),
    'invalid name "cat": name: Invalid value: "cat": should be a domain with at least two segments separated by dots: metadata.name',
  ],
  [
    "a name with too long a part",
    mapping(`${"a".repeat(64)}.b`),
    `invalid name "${"a".repeat(64)}.b": name: Invalid value: "${"a".repeat(64)}.b": must be no more than 63 characters: metadata.name`,
  ],
  [
    "a name within the cluster",
    mapping("cat.default.svc.cluster.local"),
    'invalid name "cat.default.svc.cluster.local": must not be a subdomain of cluster local domain "cluster.local": metadata.name',
  ],
  [
    "a target of no name",
    mapping("a.b", {}, { name: "", kind: "" }),
    "missing field(s): spec.ref.kind, spec.ref.name",
  ],
  ["a target of no version", mapping("a.b", {}, { apiVersion: "" }), "missing field(s): spec.ref.apiVersion"],
  ["a target by group", mapping("a.b", {}, { group: "g" }), "must not set the field(s): spec.ref.group"],
  [
    "a target elsewhere",
    mapping("a.b", {}, { namespace: "other" }),
    'mismatched namespaces: spec.ref.namespace\nparent namespace: "default" does not match ref: "other"',
  ],
])("%s", (_name, given, want) => {
  expect(admitted(DomainMapping, given).denied).toBe(`validation failed: ${want}`);
});

it("keeps its creator", () => {
  const old = admitted(DomainMapping, mapping("a.b")).object;
  const given = { ...old, metadata: { ...old.metadata, annotations: {} } };
  expect(admitted(DomainMapping, given, { old }).denied).toContain("annotation value is immutable");
});
