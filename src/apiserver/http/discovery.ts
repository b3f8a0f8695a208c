// What there is: groups, versions and resources, in the old form (a document each) and the new (all in one).
import { createHash } from "node:crypto";
import { apiVersionOf, type Kind } from "../../domain/apis/kind.js";
import type { ServedTable } from "../registry/index.js";
import type { Virtual } from "../virtual/virtual.js";

interface Entry {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  /** Set when the kind lives in another group version than the resource. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

export interface Discovery {
  groups(): readonly string[];
  versions(group: string): readonly string[];
  apiVersions(serverAddress: string): object;
  groupList(): object;
  group(group: string): object | undefined;
  resourceList(group: string, version: string): object | undefined;
  /** The aggregated form, and the hash it can be asked about again by. */
  aggregated(core: boolean): { readonly text: string; readonly etag: string };
}

const builtinVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const customVerbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

export function makeDiscovery(table: ServedTable, virtuals: readonly Virtual[]): Discovery {
  let known:
    | { readonly edition: number; readonly groups: Map<string, Map<string, readonly Entry[]>> }
    | undefined;
  const texts = new Map<
    boolean,
    { readonly edition: number; readonly text: string; readonly etag: string }
  >();

  function all(): Map<string, Map<string, readonly Entry[]>> {
    const edition = table.edition();
    if (known?.edition === edition) return known.groups;
    const groups = new Map<string, Map<string, readonly Entry[]>>();
    const add = (group: string, version: string, entries: readonly Entry[]) => {
      const versions = groups.get(group) ?? new Map<string, readonly Entry[]>();
      groups.set(group, versions);
      versions.set(version, [...(versions.get(version) ?? []), ...entries]);
    };
    for (const { kind } of table.all()) add(kind.group, kind.version, entriesOf(kind));
    for (const one of virtuals) {
      const { plural: name, singular: singularName, namespaced, kind, verbs } = one;
      add(one.group, one.version, [{ name, singularName, namespaced, kind, verbs }]);
    }
    for (const [group, versions] of groups) {
      groups.set(group, new Map([...versions].sort(([a], [b]) => byPriority(a, b))));
    }
    known = { edition, groups };
    return groups;
  }

  const groupOf = (name: string, versions: Iterable<string>) => {
    const list = [...versions].map((version) => ({ groupVersion: `${name}/${version}`, version }));
    return { name, versions: list, preferredVersion: list[0] };
  };
  const named = () => [...all()].filter(([name]) => name !== "");

  return {
    groups: () => [...all().keys()],
    versions: (group) => [...(all().get(group)?.keys() ?? [])],
    apiVersions: (serverAddress) => ({
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
    }),
    groupList: () => ({
      kind: "APIGroupList",
      apiVersion: "v1",
      groups: named().map(([name, versions]) => groupOf(name, versions.keys())),
    }),
    group(name) {
      const versions = name === "" ? undefined : all().get(name);
      return versions === undefined
        ? undefined
        : { kind: "APIGroup", apiVersion: "v1", ...groupOf(name, versions.keys()) };
    },
    resourceList(group, version) {
      const resources = all().get(group)?.get(version);
      if (resources === undefined) return undefined;
      const groupVersion = apiVersionOf({ group, version });
      return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources };
    },
    aggregated(core) {
      const edition = table.edition();
      const made = texts.get(core);
      if (made?.edition === edition) return made;
      const items = [...all()]
        .filter(([name]) => (name === "") === core)
        .map(([name, versions]) => ({
          metadata: { ...(name === "" ? {} : { name }), creationTimestamp: null },
          versions: [...versions].map(([version, entries]) => ({
            version,
            resources: aggregate(name, version, entries),
            freshness: "Current",
          })),
        }));
      const text = JSON.stringify({
        kind: "APIGroupDiscoveryList",
        apiVersion: "apidiscovery.k8s.io/v2",
        metadata: {},
        items,
      });
      const etag = `"${createHash("sha256").update(text).digest("hex").toUpperCase()}"`;
      texts.set(core, { edition, text, etag });
      return { text, etag };
    },
  };
}

function entriesOf(kind: Kind): readonly Entry[] {
  const { plural, namespaced } = kind;
  const isNamespace = kind.group === "" && plural === "namespaces";
  const verbs = kind.flavour === "custom" ? customVerbs : builtinVerbs;
  const main: Entry = {
    name: plural,
    singularName: kind.singular,
    namespaced,
    kind: kind.kind,
    verbs: isNamespace ? verbs.filter((verb) => verb !== "deletecollection") : verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
  };
  const sub = (name: string, subverbs: readonly string[], of: Partial<Entry> = {}): Entry => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced,
    kind: kind.kind,
    verbs: subverbs,
    ...of,
  });
  const change = ["get", "patch", "update"];
  const subs: Entry[] = [];
  if (kind.hasStatus) subs.push(sub("status", change));
  if (kind.scale !== undefined)
    subs.push(sub("scale", change, { group: "autoscaling", version: "v1", kind: "Scale" }));
  if (isNamespace) subs.push(sub("finalize", ["update"]));
  if (kind.group === "" && plural === "serviceaccounts") {
    subs.push(
      sub("token", ["create"], { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" }),
    );
  }
  if (kind.group === "" && plural === "pods") {
    subs.push(
      sub("attach", ["create", "get"], { kind: "PodAttachOptions" }),
      sub("binding", ["create"], { kind: "Binding" }),
      sub("eviction", ["create"], { group: "policy", version: "v1", kind: "Eviction" }),
      sub("exec", ["create", "get"], { kind: "PodExecOptions" }),
      sub("log", ["get"]),
      sub("portforward", ["create", "get"], { kind: "PodPortForwardOptions" }),
    );
  }
  return [main, ...subs];
}

function aggregate(group: string, version: string, entries: readonly Entry[]): readonly object[] {
  const kindOf = (entry: Entry) => ({
    group: entry.group ?? group,
    version: entry.version ?? version,
    kind: entry.kind,
  });
  return entries
    .filter((entry) => !entry.name.includes("/"))
    .map((entry) => {
      const subs = entries.filter((one) => one.name.startsWith(`${entry.name}/`));
      return {
        resource: entry.name,
        responseKind: kindOf(entry),
        scope: entry.namespaced ? "Namespaced" : "Cluster",
        singularResource: entry.singularName,
        verbs: entry.verbs,
        ...(entry.shortNames === undefined ? {} : { shortNames: entry.shortNames }),
        ...(entry.categories === undefined ? {} : { categories: entry.categories }),
        ...(subs.length === 0
          ? {}
          : {
              subresources: subs.map((one) => ({
                subresource: one.name.slice(entry.name.length + 1),
                responseKind: kindOf(one),
                verbs: one.verbs,
              })),
            }),
      };
    });
}

/** v2 before v1 before v2beta1 before v1beta1 before v1alpha1; what is no version at all comes last. */
function byPriority(a: string, b: string): number {
  const [rankA, rankB] = [rank(a), rank(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (rankB[i] ?? 0) - (rankA[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : 1;
}

function rank(version: string): readonly [number, number, number] {
  const parsed = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (parsed === null) return [-1, 0, 0];
  const [, major = "0", stage, minor = "0"] = parsed;
  return [stage === undefined ? 2 : stage === "beta" ? 1 : 0, Number(major), Number(minor)];
}
