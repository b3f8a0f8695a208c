// What is created comes back: the same on every reading, the same through every other version, the same as protobuf.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { insideContext, type Registry } from "../../src/apiserver/index.js";
import { decodeProtobuf } from "../../src/apiserver/protobuf/index.js";
import { apiVersionOf, type Kind, type Resource } from "../../src/domain/apis/kind.js";
import { equalJson } from "../../src/domain/apis/schema/index.js";
import { isPortError } from "../../src/ports/index.js";
import { dice } from "../world/index.js";
import { type Draw, draws, objectOf, servedKinds } from "./arbitraries.js";
import { asProtobufSays, hasMessage, protobufBody } from "./protobuf.js";
import { rounds, startRegistry } from "./registry.js";
import { maker, valueFor } from "./values.js";

const catalogue = await startRegistry();
const kinds = servedKinds(catalogue.served);
const each = Math.ceil(rounds / kinds.length);
const write = { ...insideContext({ name: "tester", groups: ["system:masters"] }), manager: "test" };
const asked = new Map<string, { accepted: number; refused: number }>();

afterAll(async () => {
  await catalogue.close();
  const rows = [...asked].map(([name, { accepted, refused }]) => {
    const share = Math.round((100 * accepted) / (accepted + refused));
    return `${name.padEnd(62)}${String(accepted).padStart(7)} accepted${String(share).padStart(5)} %`;
  });
  console.log(rows.join("\n"));
});

describe.each(kinds.map((kind) => [nameOf(kind), kind] as const))("%s", (name, kind) => {
  const logged: string[] = [];
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry(logged);
  });
  afterAll(() => registry.close());

  it("comes back as it was created, through every version", { timeout: 20_000 + each * 100 }, async () => {
    const counts = { accepted: 0, refused: 0 };
    asked.set(name, counts);
    await fc.assert(
      fc.asyncProperty(draws, async (draw) => {
        const created = await createOne(registry, kind, draw, counts);
        await readsTheSame(registry, kind, created);
        await survivesOtherVersions(registry, kind, created);
        await remove(registry, kind, created);
      }),
      { numRuns: each },
    );
    expect(counts.accepted / (counts.accepted + counts.refused)).toBeGreaterThan(0.05);
    expect(logged).toEqual([]);
  });

  // Custom kinds have no protobuf.
  if (!hasMessage(kind.schema)) return;
  it("comes back from protobuf as JSON says it", () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const make = maker(dice(draw.seed), draw.plenty);
        const status = kind.schema.properties?.["status"];
        const object = {
          ...objectOf(kind, draw, "a"),
          ...(status === undefined ? {} : { status: valueFor(make, status, "status") }),
        };
        const decoded = decodeProtobuf(protobufBody(kind.schema, object), () => kind.schema);
        same(decoded, { ok: true, object: asProtobufSays(kind.schema, object) });
      }),
      { numRuns: each },
    );
  });
});

function nameOf(kind: Kind): string {
  return `${apiVersionOf(kind)} ${kind.kind}`;
}

let made = 0;

/** The first of the dice's objects that is admitted; those before it must be refused in words. */
async function createOne(
  registry: Registry,
  kind: Kind,
  { seed, plenty }: Draw,
  counts: { accepted: number; refused: number },
): Promise<Resource> {
  for (let again = 0; again < 40; again++) {
    const object = objectOf(kind, { seed: seed + again * 7919, plenty }, `x${made++}`);
    try {
      const namespace = kind.namespaced ? "default" : "";
      const stored = await registry.create(
        registry.servedAs(kind),
        namespace,
        object as unknown as Resource,
        write,
      );
      counts.accepted++;
      return parsed(stored.json);
    } catch (error) {
      if (!isPortError(error) || !["Invalid", "BadRequest", "Forbidden"].includes(error.reason)) throw error;
      counts.refused++;
    }
  }
  throw new Error("nothing these dice make is admitted");
}

/** Create, read and read again agree, and to write what was read is to write nothing. */
async function readsTheSame(registry: Registry, kind: Kind, created: Resource): Promise<void> {
  same(read(registry, kind, created), created);
  same(await writeBack(registry, kind, created), created);
  same(read(registry, kind, created), created);
}

/** Seen and written back through any other version, an object is what it was. */
async function survivesOtherVersions(registry: Registry, kind: Kind, created: Resource): Promise<void> {
  const { collection } = registry.servedAs(kind);
  for (const other of registry.served.all()) {
    if (other.collection !== collection || nameOf(other.kind) === nameOf(kind)) continue;
    const seen = read(registry, other.kind, created);
    expect(seen).toMatchObject({ apiVersion: apiVersionOf(other.kind), kind: other.kind.kind });
    same(await writeBack(registry, other.kind, seen), seen);
    same(read(registry, kind, created), created);
  }
}

function read(registry: Registry, kind: Kind, { metadata }: Resource): Resource {
  const stored = registry.get(registry.servedAs(kind), metadata.namespace ?? "", metadata.name);
  if (stored === undefined) throw new Error("it is gone");
  same(stored.object, JSON.parse(stored.json));
  return parsed(stored.json);
}

async function writeBack(registry: Registry, kind: Kind, object: Resource): Promise<Resource> {
  const { namespace = "", name } = object.metadata;
  const wish = () => ({ object: JSON.parse(JSON.stringify(object)) as Resource });
  return parsed((await registry.update(registry.servedAs(kind), namespace, name, "", wish, write)).json);
}

/** Deletion, so that numbers which run out (addresses, ports) come back. */
async function remove(registry: Registry, kind: Kind, { metadata }: Resource): Promise<void> {
  const how = { gracePeriodSeconds: 0, propagationPolicy: "Background" };
  await registry.remove(registry.servedAs(kind), metadata.namespace ?? "", metadata.name, how, write);
}

function parsed(json: string): Resource {
  return JSON.parse(json);
}

/** The runner's own comparison is slow, and is asked only for its words. */
function same(value: unknown, wanted: unknown): void {
  if (equalJson(value, wanted)) return;
  expect(JSON.parse(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(wanted)));
  throw new Error("not the same JSON");
}
