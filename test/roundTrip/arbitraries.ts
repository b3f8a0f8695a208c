// Random objects of every kind and version we serve: along the schema, then put right by the rules a schema cannot say.
import fc from "fast-check";
import type { ServedTable } from "../../src/apiserver/registry/served.js";
import type { Kind } from "../../src/domain/apis/kind.js";
import { apiVersionOf } from "../../src/domain/apis/kind.js";
import { allKinds } from "../../src/domain/apis/kinds.js";
import type { SchemaNode } from "../../src/domain/apis/schema/index.js";
import { dice } from "../world/index.js";
import { putRight } from "./rules.js";
import { type Bag, type Maker, maker, put, valueFor } from "./values.js";

/** One number is one object: fewer of its optional members as `plenty` shrinks, the same dice throughout. */
export interface Draw {
  readonly seed: number;
  readonly plenty: number;
}

export const draws: fc.Arbitrary<Draw> = fc.record({
  seed: fc.noShrink(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
  plenty: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
});

/** All versions of all kinds, as the API serves them from the start. */
export function servedKinds(served: ServedTable): readonly Kind[] {
  const ours = new Set(allKinds.map((kind) => `${kind.group}/${kind.plural}`));
  return served
    .all()
    .filter(({ storage }) => ours.has(`${storage.group}/${storage.plural}`))
    .map(({ kind }) => kind);
}

/** A body a client might send to create one. Most are admitted; who asks counts the rest. */
export function objectOf(kind: Kind, { seed, plenty }: Draw, name: string): Bag {
  const make = maker(dice(seed), plenty);
  const { metadata: _m, apiVersion: _v, kind: _k, status: _s, ...members } = kind.schema.properties ?? {};
  const named = Object.entries(members);
  const object: Bag = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: metadataOf(make, kind, name),
  };
  for (const [member, schema] of named) {
    const needed = kind.schema.required?.includes(member) === true || member === "spec";
    if (needed || make.chance(0.1 + plenty * Math.min(0.8, 6 / named.length)))
      put(object, member, valueFor(make, schema, member));
  }
  const right = putRight(make, kind, object);
  // Bodies come as text: what is undefined, or shared, does not survive that.
  return JSON.parse(JSON.stringify(right));
}

function metadataOf(make: Maker, kind: Kind, name: string): Bag {
  const { labels, annotations, ownerReferences, finalizers } = (kind.schema.properties?.["metadata"]
    ?.properties ?? {}) as { readonly [name: string]: SchemaNode };
  const some = (of: number, node: SchemaNode | undefined, path: string) =>
    node !== undefined && make.chance(of * make.plenty) ? valueFor(make, node, path, 2) : undefined;
  return {
    name,
    ...(kind.namespaced ? { namespace: "default" } : {}),
    labels: some(0.6, labels, "metadata.labels"),
    annotations: some(0.6, annotations, "metadata.annotations"),
    ownerReferences: oneController(some(0.3, ownerReferences, "metadata.ownerReferences")),
    finalizers: some(0.2, finalizers, "metadata.finalizers"),
  };
}

function oneController(owners: unknown): unknown {
  return Array.isArray(owners)
    ? owners.map((owner: Bag, index) => (index === 0 ? owner : { ...owner, controller: false }))
    : owners;
}
