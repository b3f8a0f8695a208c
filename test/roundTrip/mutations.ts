// What clients get wrong, done to an object that was right: one to three mistakes, each at a place of the dice's choosing.
import type { SchemaNode } from "../../src/domain/apis/schema/index.js";
import { type Bag, type Maker, put } from "./values.js";

/** One member or item, and what the schema says of it. */
interface Site {
  readonly holder: Bag | unknown[];
  readonly key: string;
  readonly node: SchemaNode | undefined;
  readonly path: string;
}

/** The object with mistakes made in place, and where. */
export function broken(make: Maker, schema: SchemaNode, object: Bag): readonly string[] {
  const where: string[] = [];
  for (let left = make.pick([1, 1, 1, 2, 3]); left > 0; left--) {
    const site = make.pick(sitesOf(object, schema));
    where.push(site.path);
    make.pick(mistakes)(make, site, object);
  }
  return where;
}

function sitesOf(
  value: unknown,
  node: SchemaNode | undefined,
  path = "",
  sites: Site[] = [],
): readonly Site[] {
  if (typeof value !== "object" || value === null) return sites;
  const isList = Array.isArray(value);
  for (const key of Object.keys(value)) {
    const inner = isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const schema = isList ? node?.items : (node?.properties?.[key] ?? node?.additionalProperties);
    sites.push({ holder: value as Bag, key, node: schema, path: inner });
    if (Object.hasOwn(value, key)) sitesOf((value as Bag)[key], schema, inner, sites);
  }
  return sites;
}

const values: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  "",
  "x",
  [],
  {},
  [null],
  ["x"],
  [[]],
  { x: "y" },
  { "": {} },
];
const numbers = [-1, 0, 65_536, -(2 ** 31) - 1, 3_000_000_000, 2 ** 53 + 2, 1e19, 1e21, 1e308, 0.1, -0.5];
const texts = [
  "x".repeat(64),
  "x".repeat(254),
  "x".repeat(5000),
  "Ünï-模型",
  "a b",
  "-x",
  "x.",
  "X",
  "a/b/c",
  "\u0000",
  "\ud800",
  "\u2028",
  "..",
  "../../x",
  "%2f",
  "NaN",
  "{{.Name}}",
  "__proto__",
  "2026-13-45T00:00:00Z",
  "@latest",
];
const quantities = [
  "1.2.3",
  "abc",
  "-1",
  "1Zi",
  "1e99999",
  "1e999",
  "9".repeat(400),
  " 1",
  "1 Gi",
  "0x10",
  "--1",
  "Ki",
];
const names = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "surprise",
  "",
  "a.b",
  "ü",
];

type Mistake = (make: Maker, site: Site, object: Bag) => void;

/** A copy, for what is put in may be the next mistake's place. */
const set = ({ holder, key }: Site, value: unknown) => put(holder, key, structuredClone(value));

const mistakes: readonly Mistake[] = [
  (make, site) => set(site, make.pick(values)),
  (make, site) => set(site, make.pick(values)),
  (_make, { holder, key }) => (Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key]),
  (make, site) => set(site, make.pick(numbers)),
  (make, site) => set(site, make.pick(texts)),
  (make, site) => set(site, make.pick(quantities)),
  // The words of the schema itself, changed a little.
  (make, { holder, key }) => {
    const given = (holder as Bag)[key];
    put(
      holder,
      key,
      typeof given === "string"
        ? make.pick([given.toUpperCase(), `${given} `, `${given}x`])
        : JSON.stringify(given),
    );
  },
  (make, { holder, key }) => {
    if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]));
    else if (Array.isArray(holder[key]))
      holder[key] = Array.from({ length: make.pick([2, 3, 1100]) }, () => (holder[key] as unknown[])[0]);
    else put(holder, make.pick(names), structuredClone(holder[key]));
  },
  (make, { holder }) =>
    put(holder, make.pick(names), make.pick<unknown>([{}, null, { polluted: true }, "x", []])),
  (make, site) => set(site, nested(make.pick([20, 200, 450]), make.chance(0.5))),
  (make, _site, object) =>
    metadata(
      object,
      make.pick<Bag>([
        { name: make.pick(texts) },
        { generateName: make.pick(texts) },
        { namespace: make.pick(texts) },
      ]),
    ),
  (make, _site, object) => {
    const member = make.pick(["labels", "annotations", "finalizers", "ownerReferences"]);
    const bad = make.pick(texts);
    const wrong: unknown =
      member === "finalizers"
        ? [bad, bad]
        : member === "ownerReferences"
          ? [{ name: bad }, {}]
          : { [bad]: "x", a: bad };
    metadata(object, { [member]: wrong });
  },
  (make, _site, object) =>
    metadata(object, { annotations: { big: "x".repeat(make.chance(0.1) ? 262_145 : 5_000) } }),
  (make, _site, object) =>
    metadata(object, {
      uid: make.pick(texts),
      resourceVersion: make.pick(["1", "x", "-1"]),
      generation: make.pick(numbers),
    }),
];

function metadata(object: Bag, more: Bag): void {
  const given = object["metadata"];
  object["metadata"] = { ...(typeof given === "object" && !Array.isArray(given) ? given : {}), ...more };
}

function nested(depth: number, asLists: boolean): unknown {
  let value: unknown = {};
  for (let left = depth; left > 0; left--) value = asLists ? [value] : { a: value };
  return value;
}
