import { describe, expect, it } from "vitest";
import type { Resource } from "../kind.js";
import {
  generatedName,
  labelKeyProblems,
  labelValueProblems,
  nameProblems,
  validateObjectMeta,
} from "./index.js";

describe("names", () => {
  it.each<[Parameters<typeof nameProblems>[0], string, string]>([
    ["subdomain", "a.b-c", ""],
    [
      "subdomain",
      "A",
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
    ["subdomain", "a".repeat(254), "must be no more than 253 characters"],
    ["label", "a.b", "must not contain dots"],
    ["label", "a".repeat(64), "must be no more than 63 characters"],
    [
      "dns1035",
      "1a",
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
    ["pathSegment", "cr:x", ""],
    ["pathSegment", "a/b", "may not contain '/'"],
    ["pathSegment", "..", "may not be '..'"],
  ])("%s %s", (rule, name, want) => {
    expect(nameProblems(rule, name).join("; ")).toBe(want);
  });

  it.each([
    ["app", true],
    ["serving.knative.dev/service", true],
    ["a/b/c", false],
    ["/b", false],
    ["a/", false],
    ["A_b/c", false],
    ["-a", false],
  ])("label key %s", (key, good) => {
    expect(labelKeyProblems(key).length === 0).toBe(good);
  });

  it.each([
    ["", true],
    ["a_B.c-1", true],
    ["-x", false],
    ["a".repeat(64), false],
  ])("label value '%s'", (value, good) => {
    expect(labelValueProblems(value).length === 0).toBe(good);
  });

  it("makes names that fit, of letters that spell no word", () => {
    expect(generatedName("web-", () => 0)).toBe("web-bbbbb");
    expect(generatedName("x".repeat(80), () => 0.999)).toBe(`${"x".repeat(58)}99999`);
  });
});

describe("validateObjectMeta", () => {
  const kind = { group: "example.com", namespaced: true, nameRule: "subdomain", flavour: "custom" } as const;
  const thing = (metadata: object): Resource => ({
    apiVersion: "v1",
    kind: "Thing",
    metadata: { name: "a", namespace: "ns", resourceVersion: "1", ...metadata },
  });
  const said = (object: Resource, old?: Resource, of: Parameters<typeof validateObjectMeta>[0] = kind) =>
    validateObjectMeta(of, object, old).map((error) => `${error.field}: ${error.message}`);

  it.each<[string, object, string[]]>([
    ["a good one", { labels: { a: "b" }, annotations: { "Ex.com/a": "any thing" } }, []],
    ["no name", { name: "" }, ["metadata.name: Required value: name or generateName is required"]],
    [
      "owner without uid",
      { ownerReferences: [{ apiVersion: "v1", kind: "K", name: "n", uid: "" }] },
      ['metadata.ownerReferences.uid: Invalid value: "": must not be empty'],
    ],
    [
      "annotations too large",
      { annotations: { a: "x".repeat(262_144) } },
      ["metadata.annotations: Too long: may not be more than 262144 bytes"],
    ],
    ["no namespace", { namespace: "" }, ["metadata.namespace: Required value"]],
    ["a bare finalizer is fine on a custom kind", { finalizers: ["mine"] }, []],
  ])("%s", (_name, metadata, want) => {
    expect(said(thing(metadata))).toEqual(want);
  });

  it("has one controller at most", () => {
    const owner = { apiVersion: "v1", kind: "K", name: "n", uid: "u", controller: true };
    expect(said(thing({ ownerReferences: [owner, { ...owner, uid: "v" }] }))[0]).toContain(
      "Only one reference can have Controller set to true.",
    );
  });

  it("knows what may not change", () => {
    expect(said(thing({ uid: "b" }), thing({ uid: "a" }))).toEqual([
      'metadata.uid: Invalid value: "b": field is immutable',
    ]);
    const dying = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    expect(said(thing({ ...dying, finalizers: ["x.y/z"] }), thing(dying))).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.y/z"}',
    ]);
  });

  it("is stricter with built-in kinds", () => {
    expect(said(thing({ finalizers: ["mine"] }), undefined, { ...kind, flavour: "builtin" })).toEqual([
      'metadata.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ]);
    // The server holds definitions itself by a finalizer of that sort.
    const definitions = { ...kind, group: "apiextensions.k8s.io", flavour: "builtin" } as const;
    expect(said(thing({ finalizers: ["cleanup.x.y"] }), undefined, definitions)).toEqual([]);
    expect(said(thing({}), undefined, { ...kind, namespaced: false })).toEqual([
      "metadata.namespace: Forbidden: not allowed on this type",
    ]);
  });
});
