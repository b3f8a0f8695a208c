// Values along a schema: every member the schema knows may be there, and words are chosen by what a member is called.
import type { Json, SchemaNode } from "../../src/domain/apis/schema/index.js";
import type { Random } from "../../src/ports/index.js";

export type Bag = Record<string, unknown>;

/** One roll after the other; `plenty` from 0 to 1 says how much of what is optional is there. */
export interface Maker {
  readonly random: Random;
  readonly plenty: number;
  chance(of: number): boolean;
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
}

export function maker(random: Random, plenty: number): Maker {
  const below = (limit: number) => Math.floor(random() * limit);
  return {
    random,
    plenty,
    below,
    chance: (of) => random() < of,
    pick: (from) => from[below(from.length)] as never,
  };
}

/** Set as JSON.parse would, whatever the name. */
export function put(into: object, name: string, value: unknown): void {
  Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
}

const texts = [
  "",
  "x",
  "a b",
  "Größe",
  "模型😀",
  'say "hi"\n',
  "null",
  "0123",
  "yes",
  "1e3",
  "\u2028\\",
  "#: {",
];
const labels = ["a", "web", "cat-1", "x9", "v2-model"] as const;
const quantities: readonly Json[] = [
  "100m",
  "1",
  "2Gi",
  "1.5Gi",
  "0.5",
  "1e3",
  2,
  "500M",
  "0",
  "1500u",
  128974848,
];
const times = ["2026-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2024-02-29T12:00:00Z"];

/** What a member may say where the schema says no more than "a string". The first match counts. */
const words: readonly (readonly [RegExp, readonly string[]])[] = [
  [/(^|\.)image$/, ["example.com/app", "python:3.12", "ghcr.io/a/b@sha256:" + "0".repeat(64)]],
  [/ports\.name$|ontainerPort\.name$/, ["http", "h2c", "grpc"]],
  [/(Ref|subjects|involvedObject|regarding|related)\.kind$/, ["Deployment", "Service", "Pod"]],
  [/(^|\.)([a-z]\w*N|n)ame$/, labels],
  [/(^|\.)container$/, labels],
  [/(^|\.)apiVersion$/, ["v1", "apps/v1", "serving.knative.dev/v1"]],
  [/(^|\.)kind$/, ["Thing", "Pod"]],
  [/(^|\.)uid$/, ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b811-9dad-11d1-80b4-00c04fd430c8"]],
  [/(^|\.)namespace$|Namespace$/, ["default"]],
  [/(^|\.)protocol$/, ["TCP", "UDP", "SCTP"]],
  [/(^|\.)imagePullPolicy$/, ["Always", "IfNotPresent", "Never"]],
  [/(^|\.)terminationMessagePolicy$/, ["File", "FallbackToLogsOnError"]],
  [/(^|\.)restartPolicy$/, ["Always"]],
  [/(^|\.)dnsPolicy$/, ["ClusterFirst", "Default", "None", "ClusterFirstWithHostNet"]],
  [/(^|\.)scheme$/, ["HTTP", "HTTPS"]],
  [/tolerations\.operator$/, ["Exists", "Equal"]],
  [/tolerations\.effect$|taints\.effect$/, ["NoSchedule", "PreferNoSchedule", "NoExecute"]],
  [/(^|\.)operator$/, ["In", "NotIn"]],
  [/(^|\.)key$/, ["app", "example.com/role"]],
  [/(mountPath|devicePath)$/, ["/data", "/mnt/a", "/etc/b"]],
  [/(^|\.)(storageUri|uri)$/, ["gs://bucket/model", "pvc://claim/model", "https://example.com/m.zip"]],
  [/(^|\.)url$/, ["https://example.com/x", "http://a.test/b.tar.gz"]],
  [/(^|\.)timeout$/, ["10m", "1h30m", "90s"]],
];

const keysOf: readonly (readonly [RegExp, readonly string[]])[] = [
  [/(^|\.)annotations$/, ["example.com/note", "a", "Example.COM/b", "who"]],
  [/([lL]abels|[sS]elector)$/, ["app", "example.com/role", "tier"]],
  [/(limits|requests|capacity|allocatable|hard|used)$/, ["cpu", "memory", "ephemeral-storage"]],
  [/(^|\.)(data|binaryData|stringData)$/, ["a.txt", "KEY_1", "__proto__", "constructor", "toString", "b-c"]],
];

const listsOf: readonly (readonly [RegExp, readonly string[]])[] = [
  [/(^|\.)verbs$/, ["get", "list", "*"]],
  [/(^|\.)accessModes$/, ["ReadWriteOnce", "ReadOnlyMany"]],
  [/^metadata\.finalizers$/, ["example.com/hold", "example.com/keep"]],
];

/** `path` is the names of the members down to here. */
export function valueFor(make: Maker, node: SchemaNode, path: string, depth = 0): Json {
  if (node.enum !== undefined) return make.pick(node.enum as readonly Json[]);
  if (node["x-kubernetes-int-or-string"] === true) {
    if (node.format === "quantity") return make.pick(quantities);
    return make.chance(0.6) ? 1 + make.below(65_535) : make.pick(["http", "h2c"]);
  }
  if (node.properties !== undefined) return members(make, node, path, depth);
  if (node.items !== undefined) return list(make, node, node.items, path, depth);
  if (node.additionalProperties !== undefined)
    return dictionary(make, node.additionalProperties, path, depth);
  switch (node.type) {
    case "integer":
      return Math.max(node.minimum ?? 0, make.pick([1, 2, 3, 10, 80, 8080]));
    case "number":
      return make.pick([0.5, 1, 2.25]);
    case "boolean":
      return make.chance(0.5);
    case "string":
      return text(make, node, path);
    default:
      return anything(make, node.type === "object" ? 0 : 1, 2);
  }
}

function members(make: Maker, node: SchemaNode, path: string, depth: number): Json {
  const names = Object.keys(node.properties ?? {});
  // About as many members at every level, or a pod would be all of its hundreds.
  const share = (make.plenty * (depth < 2 ? 6 : depth < 5 ? 3.5 : 1.5)) / Math.max(1, names.length);
  const object: Bag = {};
  for (const name of names) {
    const needed = node.required?.includes(name) === true;
    if (!needed && !make.chance(share)) continue;
    const schema = node.properties?.[name] ?? {};
    put(object, name, valueFor(make, schema, path === "" ? name : `${path}.${name}`, depth + 1));
  }
  return object as Json;
}

function list(make: Maker, node: SchemaNode, items: SchemaNode, path: string, depth: number): Json {
  const known = listsOf.find(([pattern]) => pattern.test(path))?.[1];
  const made: Json[] = [];
  const seen = new Set<string>();
  const keys = node["x-kubernetes-list-map-keys"];
  for (let left = make.pick([0, 1, 1, 1, 2, 3]); left > 0; left--) {
    const item = known === undefined ? valueFor(make, items, path, depth + 1) : make.pick(known);
    const identity = JSON.stringify(keys === undefined ? item : keys.map((key) => (item as Bag)[key]));
    if (node["x-kubernetes-list-type"] !== "atomic" && seen.has(identity)) continue;
    seen.add(identity);
    made.push(item);
  }
  return made;
}

function dictionary(make: Maker, values: SchemaNode, path: string, depth: number): Json {
  const names = keysOf.find(([pattern]) => pattern.test(path))?.[1] ?? labels;
  const object: Bag = {};
  for (const name of names) {
    if (!make.chance(0.4)) continue;
    const isLabel = /([lL]abels|[sS]elector)$/.test(path);
    put(object, name, isLabel ? make.pick(labels) : valueFor(make, values, path, depth + 1));
  }
  return object as Json;
}

function text(make: Maker, node: SchemaNode, path: string): string {
  if (node.format === "byte") return make.pick(["", "aGVsbG8=", "AAEC", "/+8="]);
  if (node.format === "date-time") return make.pick(times);
  if (node.format === "micro-time") return make.pick(times).replace("Z", ".000123Z");
  return make.pick(words.find(([pattern]) => pattern.test(path))?.[1] ?? texts);
}

/** For members that no schema describes. `shape` 0 is an object, 1 anything. */
function anything(make: Maker, shape: 0 | 1, depth: number): Json {
  const kind = shape === 0 ? 4 : make.below(depth === 0 ? 4 : 6);
  if (kind === 0) return make.pick(texts);
  if (kind === 1) return make.pick([0, -1, 1.5, 2 ** 40]);
  if (kind === 2) return make.chance(0.5);
  if (kind === 3) return "z";
  if (kind === 5) return Array.from({ length: make.below(3) }, () => anything(make, 1, depth - 1));
  const object: Bag = {};
  for (const name of ["a", "b.c/d", "__proto__", "模"])
    if (make.chance(0.3)) put(object, name, anything(make, 1, Math.max(0, depth - 1)));
  return object as Json;
}
