// What the server says about an object's metadata, whatever the client sent (kubernetes-api.md, section 7).
import { apiVersionOf, type Kind, type Resource } from "../../domain/apis/kind.js";
import type { ObjectMeta } from "../../domain/apis/meta/meta.types.js";
import { same } from "./stored.js";

type Bag = { readonly [name: string]: unknown };

/** metadata with its members in one order, so that texts of equal objects are equal more often than not. */
function ordered(metadata: ObjectMeta): ObjectMeta {
  const {
    name,
    generateName,
    namespace,
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    labels,
    annotations,
    ownerReferences,
    finalizers,
    managedFields,
  } = metadata;
  const all: Bag = {
    name,
    generateName,
    namespace,
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    labels: isEmpty(labels) ? undefined : labels,
    annotations: isEmpty(annotations) ? undefined : annotations,
    ownerReferences: ownerReferences?.length === 0 ? undefined : ownerReferences,
    finalizers: finalizers?.length === 0 ? undefined : finalizers,
    managedFields: managedFields?.length === 0 ? undefined : managedFields,
  };
  const kept: Record<string, unknown> = {};
  for (const key in all) if (all[key] !== undefined && all[key] !== null) kept[key] = all[key];
  return kept as unknown as ObjectMeta;
}

function isEmpty(value: object | null | undefined): boolean {
  if (value === null || value === undefined) return true;
  for (const _ in value) return false;
  return true;
}

/** Unknown members of metadata stay until the schema prunes them, so that a strict request hears of them. */
function withUnknown(metadata: ObjectMeta, given: ObjectMeta): ObjectMeta {
  let extra: Record<string, unknown> | undefined;
  for (const key in given) {
    if (known.has(key)) continue;
    extra ??= {};
    extra[key] = (given as unknown as Bag)[key];
  }
  return extra === undefined ? metadata : { ...metadata, ...extra };
}

const known = new Set([
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
]);

export interface Birth {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly nowIso: string;
}

/** An object on its way in for the first time. */
export function born(kind: Kind, input: Resource, birth: Birth): Resource {
  const { metadata: given, apiVersion: _v, kind: _k, ...rest } = input;
  const { name, namespace, uid, nowIso } = birth;
  const metadata = ordered({
    name,
    generateName: given.generateName === "" ? undefined : given.generateName,
    ...(kind.namespaced ? { namespace } : {}),
    uid,
    ...(kind.hasGeneration ? { generation: 1 } : {}),
    creationTimestamp: nowIso,
    labels: given.labels,
    annotations: given.annotations,
    ownerReferences: given.ownerReferences,
    finalizers: given.finalizers,
  });
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: withUnknown(metadata, given), ...rest };
}

/** A change of everything but status: what the server keeps for itself comes from before. */
export function changed(kind: Kind, input: Resource, old: Resource): Resource {
  const { metadata: given, apiVersion: _v, kind: _k, ...rest } = input;
  const before = old.metadata;
  const metadata = ordered({
    ...before,
    labels: given.labels,
    annotations: given.annotations,
    ownerReferences: given.ownerReferences,
    finalizers: given.finalizers,
    managedFields: given.managedFields ?? before.managedFields,
  });
  const next = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: withUnknown(metadata, given),
    ...rest,
  };
  return kind.hasStatus ? withStatusOf(next, old) : next;
}

/** A change of status alone. Kinds of the core let a few labels ride along. */
export function statusChanged(kind: Kind, input: Resource, old: Resource): Resource {
  const { metadata: given } = input;
  const metadata: ObjectMeta = {
    ...old.metadata,
    ...(kind.flavour === "builtin" ? { labels: given.labels, annotations: given.annotations } : {}),
    managedFields: given.managedFields ?? old.metadata.managedFields,
  };
  return withStatusOf({ ...old, metadata: ordered(metadata) }, input);
}

function withStatusOf(object: Resource, from: Resource): Resource {
  const { status: _dropped, ...rest } = object as Resource & { readonly status?: unknown };
  const status = (from as unknown as Bag)["status"];
  return (status === undefined ? rest : { ...rest, status }) as Resource;
}

export function withoutStatus(object: Resource): Resource {
  const { status: _dropped, ...rest } = object as Resource & { readonly status?: unknown };
  return rest as Resource;
}

export function withMetadata(object: Resource, more: Partial<ObjectMeta>): Resource {
  return { ...object, metadata: ordered({ ...object.metadata, ...more }) };
}

/** Whether what is wished for changed, which is what generation counts. */
export function wishChanged(kind: Kind, next: Resource, old: Resource): boolean {
  if (!kind.hasGeneration) return false;
  // Upstream counts a Deployment's annotations too; its controller copies them on.
  if (
    kind.flavour === "builtin" &&
    kind.kind === "Deployment" &&
    !same(next.metadata.annotations ?? {}, old.metadata.annotations ?? {})
  ) {
    return true;
  }
  const a = next as unknown as Bag;
  const b = old as unknown as Bag;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (key === "metadata" || key === "apiVersion" || key === "kind") continue;
    if (key === "status" && kind.hasStatus) continue;
    if (!same(a[key], b[key])) return true;
  }
  return false;
}

/** Whether a write would leave the object as it is. Bookkeeping about the write itself does not count. */
export function unchanged(next: Resource, old: Resource): boolean {
  return same(bare(next), bare(old));
}

function bare(object: Resource): Resource {
  const { managedFields: _m, resourceVersion: _r, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Whether the record of who set what says the same but for the time. */
export function sameManagers(next: Resource, old: Resource): boolean {
  if (next.metadata.managedFields === old.metadata.managedFields) return true;
  const timeless = (object: Resource) =>
    (object.metadata.managedFields ?? []).map(({ time: _time, ...entry }) => entry);
  return same(timeless(next), timeless(old));
}
