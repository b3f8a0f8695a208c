import type { AdmissionContext } from "../kind.js";
import { canonicalQuantities } from "../quantity/index.js";
import {
  type LimitRange,
  LimitRangeSchema,
  type Namespace,
  type ResourceQuota,
  ResourceQuotaSchema,
} from "./namespace.types.js";

/** The label lets selectors name a namespace; the finalizer keeps it until it is empty. */
export function defaultNamespace(namespace: Namespace, context: AdmissionContext<Namespace>): Namespace {
  if (context.subresource === "status") return namespace;
  const { metadata } = namespace;
  const labels = { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name };
  const labelled = { ...namespace, metadata: { ...metadata, labels } };
  if (context.operation === "update") return labelled;
  return {
    ...labelled,
    spec: { ...namespace.spec, finalizers: namespace.spec?.finalizers ?? ["kubernetes"] },
    status: { ...namespace.status, phase: namespace.status?.phase ?? "Active" },
  };
}

export function defaultQuota(quota: ResourceQuota): ResourceQuota {
  return canonicalQuantities(ResourceQuotaSchema, quota).value;
}

type Item = NonNullable<NonNullable<LimitRange["spec"]>["limits"]>[number];

export function defaultLimitRange(given: LimitRange): LimitRange {
  const { value: range } = canonicalQuantities(LimitRangeSchema, given);
  if (range.spec?.limits === undefined) return range;
  return { ...range, spec: { ...range.spec, limits: range.spec.limits.map(defaultItem) } };
}

/** For containers: no default limit means the maximum, no default request means the default limit, or the minimum. */
function defaultItem(item: Item): Item {
  if (item.type !== "Container") return item;
  const limit = { ...item.max, ...item.default };
  const request = { ...item.min, ...limit, ...item.defaultRequest };
  return {
    ...item,
    ...(Object.keys(limit).length === 0 ? {} : { default: limit }),
    ...(Object.keys(request).length === 0 ? {} : { defaultRequest: request }),
  };
}
