// ResourceQuota as arithmetic: what an object uses, which quotas it is charged to, and when one is exceeded.
import { type Kind, qualifiedPlural, type Resource } from "../kind.js";
import {
  addQuantities,
  asNumber,
  compareQuantities,
  formatQuantity,
  parseQuantity,
} from "../quantity/index.js";
import type { PersistentVolumeClaim } from "./claim.types.js";
import type { ResourceQuota } from "./namespace.types.js";
import { qosClass } from "./pod.defaults.js";
import type { Pod } from "./pod.types.js";
import { type Amounts, added, podLimits, podRequests } from "./podResources.js";
import type { Service } from "./service.types.js";

type Named = Pick<Kind, "group" | "plural">;

/** What a quota can name besides count/PLURAL.GROUP: kinds of the core group that have a name of their own. */
const ownNames: ReadonlySet<string> = new Set([
  ...[
    "configmaps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
  ],
]);

/** Compute resources that every container must name once a quota does. */
const demanded: ReadonlySet<string> = new Set([
  ...["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"],
]);

const podNames: ReadonlySet<string> = new Set([
  ...["pods", "count/pods", "ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage"],
  ...demanded,
]);

const claimScope = ".storageclass.storage.k8s.io/";

/** Whether objects of a kind count for a resource that a quota names. */
export function counts(kind: Named, resource: string): boolean {
  if (resource === `count/${qualifiedPlural(kind)}`) return true;
  if (kind.group !== "") return false;
  switch (kind.plural) {
    case "pods":
      return podNames.has(resource) || resource.startsWith("hugepages-") || isExtended(resource);
    case "services":
      return ["services", "services.nodeports", "services.loadbalancers"].includes(resource);
    case "persistentvolumeclaims":
      return (
        resource === "persistentvolumeclaims" ||
        resource === "requests.storage" ||
        resource.includes(claimScope)
      );
    default:
      return ownNames.has(kind.plural) && resource === kind.plural;
  }
}

function isExtended(resource: string): boolean {
  const name = resource.startsWith("requests.") ? resource.slice("requests.".length) : "";
  return name.startsWith("hugepages-") || (name.includes("/") && !name.includes("kubernetes.io/"));
}

/** What one object uses, whoever counts it. */
export function usageOf(kind: Named, object: Resource, nowMs: number): Amounts {
  const count = { [`count/${qualifiedPlural(kind)}`]: "1" };
  if (kind.group !== "") return count;
  switch (kind.plural) {
    case "pods":
      return { ...count, ...podUsage(object as Pod, nowMs) };
    case "services":
      return { ...count, ...serviceUsage(object as Service) };
    case "persistentvolumeclaims":
      return { ...count, ...claimUsage(object as PersistentVolumeClaim) };
    default:
      return ownNames.has(kind.plural) ? { ...count, [kind.plural]: "1" } : count;
  }
}

function podUsage(pod: Pod, nowMs: number): Amounts {
  const { spec } = pod;
  if (spec === undefined || isOver(pod, nowMs)) return {};
  return { pods: "1", ...computeUsage(podRequests(spec), podLimits(spec)) };
}

/** Ended, or should be gone by now: it holds nothing any more. */
function isOver({ status, metadata }: Pod, nowMs: number): boolean {
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return true;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return false;
  return nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const used: Record<string, string> = {};
  for (const [name, amount] of Object.entries(requests)) {
    used[`requests.${name}`] = amount;
    if (!name.includes("/")) used[name] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) used[`limits.${name}`] = amount;
  return used;
}

function serviceUsage({ spec }: Service): Amounts {
  const ports = spec?.ports?.length ?? 0;
  switch (spec?.type) {
    case "NodePort":
      return { services: "1", "services.nodeports": String(ports) };
    case "LoadBalancer": {
      const numbered =
        spec.allocateLoadBalancerNodePorts === false
          ? (spec.ports ?? []).filter(({ nodePort = 0 }) => nodePort !== 0).length
          : ports;
      return { services: "1", "services.loadbalancers": "1", "services.nodeports": String(numbered) };
    }
    default:
      return { services: "1" };
  }
}

function claimUsage({ spec, metadata }: PersistentVolumeClaim): Amounts {
  const storage = spec?.resources?.requests?.["storage"];
  const asked: Amounts = storage === undefined ? {} : { "requests.storage": String(storage) };
  const named = metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec?.storageClassName;
  const all: Amounts = { persistentvolumeclaims: "1", ...asked };
  if (named === undefined || named === "") return all;
  const own = Object.entries(all).map(([name, amount]) => [`${named}${claimScope}${name}`, amount] as const);
  return { ...all, ...Object.fromEntries(own) };
}

/** Whether an object is charged to a quota: something it uses is named, and every scope of the quota fits it. */
export function covers(quota: ResourceQuota, kind: Named, object: Resource): boolean {
  if (!Object.keys(quota.spec?.hard ?? {}).some((name) => counts(kind, name))) return false;
  const scopes: readonly Scope[] = [
    ...(quota.spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []),
  ];
  if (scopes.length === 0) return true;
  // Scopes speak of pods only, so a quota that has any leaves everything else alone.
  return kind.group === "" && kind.plural === "pods" && scopes.every((scope) => fits(scope, object as Pod));
}

interface Scope {
  readonly scopeName?: string | undefined;
  readonly operator?: string | undefined;
  readonly values?: readonly string[] | undefined;
}

function fits({ scopeName, operator, values = [] }: Scope, { spec }: Pod): boolean {
  if (spec === undefined) return false;
  switch (scopeName) {
    case "Terminating":
      return spec.activeDeadlineSeconds !== undefined;
    case "NotTerminating":
      return spec.activeDeadlineSeconds === undefined;
    case "BestEffort":
      return qosClass(spec) === "BestEffort";
    case "NotBestEffort":
      return qosClass(spec) !== "BestEffort";
    case "PriorityClass": {
      const name = spec.priorityClassName ?? "";
      if (operator === "DoesNotExist") return name === "";
      if (operator === "In") return name !== "" && values.includes(name);
      if (operator === "NotIn") return !values.includes(name);
      return name !== "";
    }
    default:
      return false;
  }
}

/** What a pod leaves open that a quota needs to know, as `must specify limits.cpu for: a,b; ...`. */
export function unspecified(quota: ResourceQuota, { spec }: Pod): string | undefined {
  const needed = Object.keys(quota.spec?.hard ?? {}).filter((name) => demanded.has(name));
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const missing = needed.sort().flatMap((resource) => {
    const names = containers
      .filter(({ resources }) => {
        const { requests = {}, limits = {} } = resources ?? {};
        return computeUsage(requests as Amounts, limits as Amounts)[resource] === undefined;
      })
      .map(({ name }) => name);
    return names.length === 0 ? [] : [`${resource} for: ${[...new Set(names)].sort().join(",")}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
}

/** Of everything the objects use, what the quota names; what it names and nobody uses is 0. */
export function usedOf(
  quota: ResourceQuota,
  kind: Named,
  objects: readonly Resource[],
  nowMs: number,
): Amounts {
  const names = Object.keys(quota.spec?.hard ?? {}).filter((name) => counts(kind, name));
  const total = objects
    .filter((object) => covers(quota, kind, object))
    .map((object) => usageOf(kind, object, nowMs))
    .reduce<Amounts>(added, {});
  return Object.fromEntries(names.map((name) => [name, total[name] ?? "0"]));
}

/** How a quota is exceeded by what is asked for on top of what is used, in upstream's words. */
export function exceeded(quota: ResourceQuota, asked: Amounts, used: Amounts): string | undefined {
  const hard = quota.spec?.hard ?? {};
  const over = Object.keys(asked)
    .filter((name) => {
      const limit = hard[name];
      if (limit === undefined || used[name] === undefined) return false;
      return compareQuantities(addQuantities(used[name], asked[name] ?? "0"), limit) > 0;
    })
    .sort();
  if (over.length === 0) return undefined;
  const said = (amounts: { readonly [name: string]: string | number }) =>
    over.map((name) => `${name}=${amounts[name] ?? "0"}`).join(",");
  return `exceeded quota: ${quota.metadata.name}, requested: ${said(asked)}, used: ${said(used)}, limited: ${said(hard)}`;
}

/** What is used more than before; nobody is charged for asking less. */
export function growth(now: Amounts, before: Amounts): Amounts {
  const grown = Object.entries(now).flatMap(([name, amount]) => {
    const more = difference(amount, before[name] ?? "0");
    return asNumber(more) > 0 ? [[name, more] as const] : [];
  });
  return Object.fromEntries(grown);
}

function difference(a: string, b: string): string {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  if (left === undefined || right === undefined) return a;
  return formatQuantity({ nano: left.nano - right.nano, family: left.family });
}
