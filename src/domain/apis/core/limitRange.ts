// LimitRange at the door: defaults for containers that say nothing, and bounds for those that do.
import { asNumber, compareQuantities } from "../quantity/index.js";
import type { PersistentVolumeClaim } from "./claim.types.js";
import type { Container } from "./container.types.js";
import type { LimitRange } from "./namespace.types.js";
import { qosClass } from "./pod.defaults.js";
import type { Pod } from "./pod.types.js";
import { podLimits, podRequests } from "./podResources.js";

type Item = NonNullable<NonNullable<LimitRange["spec"]>["limits"]>[number];
type Sizes = { readonly [resource: string]: string | number };

const annotation = "kubernetes.io/limit-ranger";

/** Earlier ranges win; the annotation tells the user where the numbers come from. */
export function withLimitDefaults(pod: Pod, ranges: readonly LimitRange[]): Pod {
  return ranges.reduce(filledFrom, pod);
}

function filledFrom(pod: Pod, range: LimitRange): Pod {
  const items = itemsOf(range, "Container");
  const limits: Sizes = Object.assign({}, ...items.map((item) => item.default ?? {}));
  const requests: Sizes = Object.assign({}, ...items.map((item) => item.defaultRequest ?? {}));
  if (pod.spec === undefined) return pod;
  const told: string[] = [];
  const fill = (what: string) => (container: Container) => {
    const own = container.resources ?? {};
    const newRequests = missing(requests, own.requests);
    const newLimits = missing(limits, own.limits);
    if (newRequests.length > 0) told.push(`${newRequests.join(", ")} request for ${what} ${container.name}`);
    if (newLimits.length > 0) told.push(`${newLimits.join(", ")} limit for ${what} ${container.name}`);
    if (newRequests.length + newLimits.length === 0) return container;
    const resources = {
      ...own,
      limits: { ...picked(limits, newLimits), ...own.limits },
      requests: { ...picked(requests, newRequests), ...own.requests },
    };
    return { ...container, resources } as Container;
  };
  const containers = pod.spec.containers.map(fill("container"));
  const inits = pod.spec.initContainers?.map(fill("init container"));
  if (told.length === 0) return pod;
  const spec = { ...pod.spec, containers, ...(inits === undefined ? {} : { initContainers: inits }) };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: {
        ...pod.metadata.annotations,
        [annotation]: `LimitRanger plugin set: ${told.join("; ")}`,
      },
    },
    spec,
    status: { ...pod.status, qosClass: qosClass(spec) },
  };
}

function missing(offered: Sizes, own: Sizes | undefined): readonly string[] {
  return Object.keys(offered)
    .filter((name) => own?.[name] === undefined)
    .sort();
}

function picked(from: Sizes, names: readonly string[]): Sizes {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? "0"]));
}

/** What a pod oversteps, in upstream's words; several are shown as a list, as upstream does. */
export function limitBreaches({ spec }: Pod, range: LimitRange): string | undefined {
  if (spec === undefined) return undefined;
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return together([
    ...itemsOf(range, "Container").flatMap((item) =>
      containers.flatMap(({ resources }) =>
        breaches(item, resources?.requests ?? {}, resources?.limits ?? {}),
      ),
    ),
    ...itemsOf(range, "Pod").flatMap((item) => breaches(item, podRequests(spec), podLimits(spec))),
  ]);
}

export function claimBreaches({ spec }: PersistentVolumeClaim, range: LimitRange): string | undefined {
  const requests = spec?.resources?.requests ?? {};
  return together(
    itemsOf(range, "PersistentVolumeClaim").flatMap((item) => [
      ...sorted(item.min).flatMap(([name, bound]) => belowMin(item.type, name, bound, requests, {})),
      ...sorted(item.max).flatMap(([name, bound]) => {
        const head = `maximum ${name} usage per ${item.type} is ${bound}`;
        const request = requests[name];
        if (request === undefined) return [`${head}.  No request is specified`];
        return compareQuantities(request, bound) > 0 ? [`${head}, but request is ${request}`] : [];
      }),
    ]),
  );
}

function itemsOf(range: LimitRange, type: string): readonly Item[] {
  return (range.spec?.limits ?? []).filter((item) => item.type === type);
}

function together(found: readonly string[]): string | undefined {
  const all = [...new Set(found)];
  return all.length > 1 ? `[${all.join(", ")}]` : all[0];
}

function breaches(item: Item, requests: Sizes, limits: Sizes): readonly string[] {
  return [
    ...sorted(item.min).flatMap(([name, bound]) => belowMin(item.type, name, bound, requests, limits)),
    ...sorted(item.max).flatMap(([name, bound]) => aboveMax(item.type, name, bound, requests, limits)),
    ...sorted(item.maxLimitRequestRatio).flatMap(([name, bound]) =>
      aboveRatio(item.type, name, bound, requests[name], limits[name]),
    ),
  ];
}

function belowMin(
  type: string,
  name: string,
  bound: string | number,
  requests: Sizes,
  limits: Sizes,
): readonly string[] {
  const head = `minimum ${name} usage per ${type} is ${bound}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined) return [`${head}.  No request is specified`];
  if (compareQuantities(request, bound) < 0) return [`${head}, but request is ${request}`];
  return limit !== undefined && compareQuantities(limit, bound) < 0 ? [`${head}, but limit is ${limit}`] : [];
}

function aboveMax(
  type: string,
  name: string,
  bound: string | number,
  requests: Sizes,
  limits: Sizes,
): readonly string[] {
  const head = `maximum ${name} usage per ${type} is ${bound}`;
  const [request, limit] = [requests[name], limits[name]];
  if (limit === undefined) return [`${head}.  No limit is specified`];
  if (compareQuantities(limit, bound) > 0) return [`${head}, but limit is ${limit}`];
  return request !== undefined && compareQuantities(request, bound) > 0
    ? [`${head}, but request is ${request}`]
    : [];
}

function aboveRatio(
  type: string,
  name: string,
  bound: string | number,
  request: string | number | undefined,
  limit: string | number | undefined,
): readonly string[] {
  const head = `${name} max limit to request ratio per ${type} is ${bound}`;
  if (request === undefined || asNumber(request) === 0) {
    return [`${head}, but no request is specified or request is 0`];
  }
  if (limit === undefined || asNumber(limit) === 0) {
    return [`${head}, but no limit is specified or limit is 0`];
  }
  const ratio = asNumber(limit) / asNumber(request);
  return ratio > asNumber(bound) ? [`${head}, but provided ratio is ${ratio.toFixed(6)}`] : [];
}

/** Go's maps have no order; ours shows the same mistakes in the same words each time. */
function sorted(sizes: Sizes | undefined): readonly (readonly [string, string | number])[] {
  return Object.entries(sizes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
