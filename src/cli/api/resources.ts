// Objects as the wire has them, and the handful of requests that every command is made of.
import { isPortError } from "../../ports/index.js";
import type { Api, Query } from "../context.js";
import type { ResourceType } from "./discovery.js";

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** Any object. Fields beyond these are the kind's own, and shown but not understood here. */
export interface AnyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: unknown;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly url?: string;
    readonly address?: { readonly url?: string };
  } & Readonly<Record<string, unknown>>;
}

export interface ObjectList {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly AnyObject[];
}

export type Watched =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: unknown }
  | { readonly type: "ERROR"; readonly object: { readonly message?: string; readonly code?: number } };

/** No namespace means all of them. */
export function pathOf(type: ResourceType, namespace: string | undefined, name?: string): string {
  const root = type.group === "" ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const within = type.namespaced && namespace !== undefined ? `/namespaces/${encode(namespace)}` : "";
  return `${root}${within}/${type.plural}${name === undefined ? "" : `/${encode(name)}`}`;
}

export const inferenceServices: ResourceType = {
  group: "serving.kserve.io",
  version: "v1beta1",
  kind: "InferenceService",
  plural: "inferenceservices",
  singular: "inferenceservice",
  shortNames: ["isvc"],
  categories: [],
  namespaced: true,
  verbs: [],
};

export const pods: ResourceType = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  singular: "pod",
  shortNames: ["po"],
  categories: [],
  namespaced: true,
  verbs: [],
};

export async function getObject(
  api: Api,
  type: ResourceType,
  namespace: string,
  name: string,
): Promise<AnyObject> {
  return (await api.request({ path: pathOf(type, namespace, name) })) as AnyObject;
}

export async function findObject(
  api: Api,
  type: ResourceType,
  namespace: string,
  name: string,
): Promise<AnyObject | undefined> {
  try {
    return await getObject(api, type, namespace, name);
  } catch (error) {
    if (isPortError(error, "NotFound")) return undefined;
    throw error;
  }
}

export async function listObjects(
  api: Api,
  type: ResourceType,
  namespace: string | undefined,
  query: Query = {},
): Promise<ObjectList> {
  return (await api.request({ path: pathOf(type, namespace), query })) as ObjectList;
}

const manager = { fieldManager: "drydock", fieldValidation: "Strict" };

/**
 * Server-side apply: the server keeps who set what, so nothing has to be remembered on this side. Force, unless
 * conflicts were asked for: an `apply` by hand is the latest word.
 */
export async function applyObject(
  api: Api,
  type: ResourceType,
  namespace: string,
  object: AnyObject,
  options: { readonly force: boolean; readonly dryRun?: boolean },
): Promise<AnyObject> {
  return (await api.request({
    method: "PATCH",
    path: pathOf(type, namespace, object.metadata.name),
    query: { ...manager, force: options.force, dryRun: options.dryRun ? "All" : undefined },
    contentType: "application/apply-patch+yaml",
    body: JSON.stringify(object),
  })) as AnyObject;
}

export async function createObject(
  api: Api,
  type: ResourceType,
  namespace: string,
  object: AnyObject,
): Promise<AnyObject> {
  const body = JSON.stringify(object);
  return (await api.request({
    method: "POST",
    path: pathOf(type, namespace),
    query: manager,
    body,
  })) as AnyObject;
}

/** Events of a watch, one JSON document a line. Ends when the server ends it. */
export async function* watchLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Watched> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as Watched;
  }
}

export function conditionOf(object: AnyObject, type: string): Condition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether the status speaks of what was wished last. */
export function isCurrent({ status, metadata }: AnyObject): boolean {
  return (status?.observedGeneration ?? metadata.generation) === metadata.generation;
}

export function isReady(object: AnyObject): boolean {
  return isCurrent(object) && conditionOf(object, "Ready")?.status === "True";
}

function encode(segment: string): string {
  return encodeURIComponent(segment);
}
