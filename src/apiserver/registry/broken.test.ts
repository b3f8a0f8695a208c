// Whatever a body lacks or gets wrong, the answer is the API's refusal or the object: never an error of ours.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryStore } from "../../adapters/store/index.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import { allKinds } from "../../domain/apis/kinds.js";
import type { Json, SchemaNode } from "../../domain/apis/schema/index.js";
import { isPortError } from "../../ports/index.js";
import { builtinViews } from "../views/index.js";
import { insideContext } from "./context.js";
import { createRegistry, type Registry } from "./registry.js";

const context = insideContext({ name: "someone", groups: ["system:masters"] });
const refusals = new Set(["Invalid", "BadRequest", "Forbidden", "NotFound", "AlreadyExists"]);

let registry: Registry;
beforeAll(async () => {
  const clock = { now: () => 0, after: () => () => {} };
  registry = await createRegistry({
    store: memoryStore(),
    clock,
    random: () => 0.5,
    kinds: allKinds,
    freeze: true,
  });
});
afterAll(() => registry.close());

const served = [...allKinds, ...builtinViews.map((view) => view.kind)];

describe.each(served.map((kind) => [`${kind.kind}.${kind.group}`, kind] as const))("%s", (_name, kind) => {
  it("refuses in words, or stores", async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(bodyOf(kind), async (body) => {
        const { metadata, ...rest } = body as { readonly metadata: object };
        const object = {
          ...rest,
          metadata: {
            ...metadata,
            name: `x${count++}`,
            ...(kind.namespaced ? { namespace: "default" } : {}),
          },
        };
        const failure = await registry
          .create(
            registry.servedAs(kind),
            kind.namespaced ? "default" : "",
            object as unknown as Resource,
            context,
          )
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        if (failure !== undefined && !(isPortError(failure) && refusals.has(failure.reason))) throw failure;
      }),
      { numRuns: 60, seed: 7 },
    );
    expect(count).toBeGreaterThan(50);
  });
});

/** Objects along the schema with parts missing and parts of another type. */
function bodyOf(kind: Kind): fc.Arbitrary<Json> {
  return anyOf({ ...kind.schema, required: [] }, 6).map((value) => ({
    ...(value as object),
    apiVersion: kind.group === "" ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    metadata: {},
  }));
}

const wrong: fc.Arbitrary<Json> = fc.constantFrom<Json>(null, true, -1, 1.5, "", "x", [], {}, [null], ["x"], {
  x: "y",
});

function anyOf(schema: SchemaNode, depth: number): fc.Arbitrary<Json> {
  return fc.oneof({ weight: 1, arbitrary: wrong }, { weight: 12, arbitrary: rightOf(schema, depth) });
}

function rightOf(schema: SchemaNode, depth: number): fc.Arbitrary<Json> {
  if (schema.enum !== undefined) return fc.constantFrom(...(schema.enum as readonly Json[]));
  if (depth === 0) return wrong;
  if (schema.properties !== undefined) {
    const members = Object.entries(schema.properties).map(
      ([name, node]) => [name, anyOf(node, depth - 1)] as const,
    );
    return fc.record(Object.fromEntries(members), { requiredKeys: [] }) as fc.Arbitrary<Json>;
  }
  if (schema.items !== undefined) return fc.array(anyOf(schema.items, depth - 1), { maxLength: 2 });
  if (schema.additionalProperties !== undefined)
    return fc.dictionary(fc.constantFrom("a", "b/c", ""), anyOf(schema.additionalProperties, depth - 1));
  if (schema.type === "integer") return fc.integer({ min: -2, max: 70_000 });
  if (schema.type === "boolean") return fc.boolean();
  return fc.constantFrom("x", "100m", "a.b/c", "2026-01-01T00:00:00Z");
}
