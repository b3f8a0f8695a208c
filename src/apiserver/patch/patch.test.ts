import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeploymentSchema } from "../../domain/apis/apps/apps.types.js";
import { PodSchema } from "../../domain/apis/core/pod.types.js";
import { jsonPatch, mergePatch, strategicMerge } from "./index.js";

const object = (outcome: ReturnType<typeof mergePatch>) =>
  outcome.outcome === "patched" ? outcome.object : `${outcome.code} ${outcome.reason}: ${outcome.message}`;

describe("mergePatch", () => {
  it.each<[unknown, unknown, unknown]>([
    [
      { a: 1, b: { c: 1, d: 2 } },
      { b: { c: null }, e: [1] },
      { a: 1, b: { d: 2 }, e: [1] },
    ],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: 1 }, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    [{}, { a: null }, {}],
    [
      {},
      [],
      "400 BadRequest: error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
    ],
  ])("%j with %j", (target, patch, want) => {
    expect(object(mergePatch(target, patch))).toEqual(want);
  });

  it("hands back the same object when there is nothing to do", () => {
    const target = { a: { b: 1 } };
    expect(object(mergePatch(target, {}))).toBe(target);
    expect(object(mergePatch(target, { a: { b: 1 }, c: null }))).toBe(target);
  });

  const json = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), fc.jsonValue({ maxDepth: 2 }));
  it("is done after once, and leaves its target alone", () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const before = structuredClone(target);
        const once = object(mergePatch(target, patch));
        expect(object(mergePatch(once, patch))).toEqual(once);
        expect(target).toEqual(before);
      }),
    );
  });
});

describe("jsonPatch", () => {
  const rejected = "422 Invalid: the server rejected our request due to an error in our request";
  it.each<[string, unknown, unknown]>([
    ["add", [{ op: "add", path: "/a/-", value: 2 }], { a: [1, 2] }],
    ["test fails", [{ op: "test", path: "/a", value: 2 }], rejected],
    ["missing path", [{ op: "remove", path: "/nope" }], rejected],
    ["unknown op", [{ op: "zap", path: "/a" }], rejected],
    ["the prototype is out of reach", [{ op: "add", path: "/__proto__/x", value: 1 }], rejected],
    [
      "copies that double each other",
      [
        { op: "add", path: "/b", value: "x".repeat(1024) },
        ...Array.from({ length: 40 }, (_, index) => ({ op: "copy", from: "", path: `/c${index}` })),
      ],
      rejected,
    ],
    [
      "not a list",
      {},
      "400 BadRequest: error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    ],
  ])("%s", (_name, operations, want) => {
    const target = { a: [1] };
    expect(object(jsonPatch(target, operations))).toEqual(want);
    expect(target).toEqual({ a: [1] });
  });
});

describe("strategicMerge", () => {
  const pod = (spec: object) => ({ spec });
  const c = (name: string, more: object = {}) => ({ name, ...more });

  it.each<[string, object, object, unknown]>([
    [
      "items merge by key, new ones come first",
      { containers: [c("a", { image: "x", tty: true }), c("b")] },
      { containers: [c("n"), c("a", { image: "y" })] },
      { containers: [c("n"), c("a", { image: "y", tty: true }), c("b")] },
    ],
    [
      "lists without a key are replaced",
      { tolerations: [{ key: "a" }] },
      { tolerations: [{ key: "b" }] },
      { tolerations: [{ key: "b" }] },
    ],
    [
      "an item can be deleted",
      { containers: [c("a"), c("b")] },
      { containers: [c("a", { $patch: "delete" })] },
      { containers: [c("b")] },
    ],
    [
      "a list can be replaced",
      { containers: [c("a"), c("b")] },
      { containers: [{ $patch: "replace" }, c("z")] },
      { containers: [c("z")] },
    ],
    [
      "a map can be replaced",
      { nodeSelector: { a: "1" } },
      { nodeSelector: { $patch: "replace", b: "2" } },
      { nodeSelector: { b: "2" } },
    ],
    [
      "a map can be emptied",
      { nodeSelector: { a: "1" } },
      { nodeSelector: { $patch: "delete" } },
      { nodeSelector: {} },
    ],
    ["null deletes", { hostname: "a", nodeName: "n" }, { hostname: null }, { nodeName: "n" }],
    [
      "the order can be told",
      { containers: [c("a"), c("s"), c("b")] },
      { "$setElementOrder/containers": [c("b"), c("a")], containers: [c("b", { image: "x" })] },
      { containers: [c("s"), c("b", { image: "x" }), c("a")] },
    ],
    [
      "an order alone moves things",
      { containers: [c("a"), c("b")] },
      { "$setElementOrder/containers": [c("b"), c("a")] },
      { containers: [c("b"), c("a")] },
    ],
    [
      "members not retained go",
      { volumes: [c("v", { emptyDir: {} })] },
      { volumes: [c("v", { $retainKeys: ["name", "secret"], secret: { secretName: "s" } })] },
      { volumes: [c("v", { secret: { secretName: "s" } })] },
    ],
    [
      "nested lists merge by their own key",
      { containers: [c("a", { env: [c("X", { value: "1" }), c("Y", { value: "2" })] })] },
      { containers: [c("a", { env: [c("Y", { value: "3" })] })] },
      { containers: [c("a", { env: [c("X", { value: "1" }), c("Y", { value: "3" })] })] },
    ],
    [
      "directives in what is new do their work too",
      {},
      { containers: [c("a", { env: [{ name: "X", $patch: "delete" }] })] },
      { containers: [c("a", { env: [] })] },
    ],
    [
      "no merge key",
      { containers: [c("a")] },
      { containers: [{ image: "N" }] },
      "500 InternalError: map: map[image:N] does not contain declared merge key: name",
    ],
    [
      "an unknown directive",
      {},
      { nodeSelector: { $patch: "bogus" } },
      "500 InternalError: unknown patch type: bogus in map: map[$patch:bogus]",
    ],
  ])("%s", (_name, target, patch, want) => {
    const result = object(strategicMerge(PodSchema, pod(target), pod(patch)));
    expect(result).toEqual(typeof want === "string" ? want : pod(want as object));
  });

  it("merges lists of plain values where the schema says so, and takes values out", () => {
    const target = { metadata: { finalizers: ["a", "b"] } };
    expect(object(strategicMerge(PodSchema, target, { metadata: { finalizers: ["c", "a"] } }))).toEqual({
      metadata: { finalizers: ["c", "a", "b"] },
    });
    const remove = { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"] } };
    expect(object(strategicMerge(PodSchema, target, remove))).toEqual({ metadata: { finalizers: ["b"] } });
  });

  it("leaves a deployment's old strategy behind", () => {
    const target = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
    const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
    expect(object(strategicMerge(DeploymentSchema, target, patch))).toEqual({
      spec: { strategy: { type: "Recreate" } },
    });
  });

  const item = fc.record(
    { name: fc.constantFrom("a", "b", "c", "d"), image: fc.constantFrom("x", "y") },
    { requiredKeys: ["name"] },
  );
  const containers = fc.uniqueArray(item, { selector: (one) => one.name, maxLength: 4 });
  it("is done after once, loses nobody's items and leaves its target alone", () => {
    fc.assert(
      fc.property(containers, containers, (target, patch) => {
        const before = structuredClone(target);
        const once = object(
          strategicMerge(PodSchema, pod({ containers: target }), pod({ containers: patch })),
        );
        expect(object(strategicMerge(PodSchema, once, pod({ containers: patch })))).toEqual(once);
        const names = (once as { spec: { containers: { name: string }[] } }).spec.containers.map(
          (one) => one.name,
        );
        expect(new Set(names)).toEqual(new Set([...target, ...patch].map((one) => one.name)));
        expect(target).toEqual(before);
      }),
    );
  });
});
