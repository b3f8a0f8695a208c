// Which kinds the server has, and which of them a word on the command line means.
import type { Api } from "../context.js";
import { CliError } from "../errors.js";

/** One resource in the version the server prefers. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface DiscoveryList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind?: string };
        readonly scope?: string;
        readonly singularResource?: string;
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
        readonly verbs?: readonly string[];
      }[];
    }[];
  }[];
}

const aggregated =
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
  "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/** All resources, in the server's order of preference: the core group, then the groups, newest version first. */
export async function discover(api: Api): Promise<readonly ResourceType[]> {
  const lists = await Promise.all(
    ["/api", "/apis"].map((path) => api.request({ path, accept: aggregated }) as Promise<DiscoveryList>),
  );
  return lists.flatMap(({ items = [] }) =>
    items.flatMap(({ metadata, versions = [] }) =>
      versions.flatMap(({ version, resources = [] }) =>
        resources.map((one) => ({
          group: metadata?.name ?? "",
          version,
          kind: one.responseKind?.kind ?? "",
          plural: one.resource,
          singular: one.singularResource || (one.responseKind?.kind ?? "").toLowerCase(),
          shortNames: one.shortNames ?? [],
          categories: one.categories ?? [],
          namespaced: one.scope === "Namespaced",
          verbs: one.verbs ?? [],
        })),
      ),
    ),
  );
}

/** `pods`, `Pod`, `po`, `deployment.apps`, `deployments.v1.apps`. */
export function findType(types: readonly ResourceType[], word: string): ResourceType {
  const [name = "", ...rest] = word.toLowerCase().split(".");
  const found = types.find((type) => {
    if (!isCalled(type, name)) return false;
    const suffix = rest.join(".");
    // As upstream, a group may be cut short.
    return suffix === "" || type.group.startsWith(suffix) || `${type.version}.${type.group}` === suffix;
  });
  if (found === undefined) throw new CliError(`the server doesn't have a resource type "${word}"`);
  return found;
}

/** A category such as `all` stands for many kinds; every other word for one. */
export function findTypes(types: readonly ResourceType[], word: string): readonly ResourceType[] {
  const members = preferred(types).filter((type) => type.categories.includes(word));
  return members.length > 0 ? members : [findType(types, word)];
}

/** The type an object says it is. */
export function typeOfObject(
  types: readonly ResourceType[],
  object: { readonly apiVersion: string; readonly kind: string },
): ResourceType | undefined {
  const slash = object.apiVersion.indexOf("/");
  const group = slash < 0 ? "" : object.apiVersion.slice(0, slash);
  const version = object.apiVersion.slice(slash + 1);
  return types.find((type) => type.group === group && type.version === version && type.kind === object.kind);
}

/** `inferenceservice.serving.kserve.io`, or `pod`: how messages name a kind. */
export function wordFor(type: Pick<ResourceType, "group" | "singular">): string {
  return type.group === "" ? type.singular : `${type.singular}.${type.group}`;
}

function isCalled(type: ResourceType, name: string): boolean {
  return (
    type.plural === name ||
    type.singular === name ||
    type.kind.toLowerCase() === name ||
    type.shortNames.includes(name)
  );
}

/** One version of each. */
function preferred(types: readonly ResourceType[]): readonly ResourceType[] {
  const seen = new Set<string>();
  return types.filter(({ group, plural }) => {
    const key = `${group}/${plural}`;
    return seen.has(key) ? false : Boolean(seen.add(key));
  });
}
