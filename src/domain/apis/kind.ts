// What the API knows about a kind: names, schema, columns, and the hooks that admission runs.

import type { ServingConfig } from "./config/index.js";
import type { FieldError } from "./meta/fieldError.js";
import type { ObjectMeta } from "./meta/meta.types.js";
import type { Schema } from "./schema/index.js";

/** What every stored object has. Spec, status and data are the kind's own. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** One column of `kubectl get`. Custom kinds read a path; built-in kinds may compute. */
export interface Column<T = Resource> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly description?: string;
  readonly format?: string;
  /** 0 shows always, more shows only with -o wide. */
  readonly priority?: number;
  readonly jsonPath?: string;
  readonly cell?: (object: T, nowMs: number) => string | number | boolean | null;
}

export interface AdmissionContext<T> {
  readonly operation: "create" | "update";
  readonly subresource: "" | "status" | "scale";
  readonly old: T | undefined;
  readonly user: { readonly name: string; readonly groups: readonly string[] };
  /** What the ConfigMaps of knative-serving say now. */
  readonly config: () => ServingConfig;
}

/** What a validating webhook answers: clients see it as `admission webhook "NAME" denied the request: DENIED` (400). */
export interface WebhookAnswer {
  readonly webhook: string;
  readonly denied?: string | undefined;
  readonly warnings?: readonly string[] | undefined;
  /** The pod that a dry run also tries: its own rules know what the webhook's do not. */
  readonly pod?: { readonly metadata?: object | undefined; readonly spec: object } | undefined;
}

export interface Kind<T extends Resource = Resource> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly description: string;
  readonly schema: Schema<T>;
  readonly columns: readonly Column<T>[];
  /** Built-in kinds differ from custom ones in wording, patch types and update rules (kubernetes-api.md, sections 7 and 11). */
  readonly flavour: "builtin" | "custom";
  readonly hasStatus: boolean;
  readonly hasGeneration: boolean;
  readonly scale?: ScalePaths;
  readonly nameRule: "subdomain" | "label" | "dns1035" | "pathSegment";
  /** Field selectors beyond metadata.name and metadata.namespace, as paths. */
  readonly fieldSelectors: readonly string[];
  /** Other versions served from the same storage with the same schema. */
  readonly alsoServedAs: readonly string[];
  /** Runs after schema defaults, before validation. Must be idempotent. */
  readonly defaults?: (object: T, context: AdmissionContext<T>) => T;
  /** What a schema cannot say. An empty list admits the object. */
  readonly validate?: (object: T, context: AdmissionContext<T>) => readonly FieldError[];
  /** Rules that upstream keeps in a webhook, with its words and code; asked once schema and `validate` are content. */
  readonly webhook?: (object: T, context: AdmissionContext<T>) => WebhookAnswer | undefined;
}

export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

type Optional =
  | "singular"
  | "shortNames"
  | "categories"
  | "columns"
  | "flavour"
  | "hasStatus"
  | "hasGeneration"
  | "nameRule"
  | "fieldSelectors"
  | "alsoServedAs"
  | "description"
  | "namespaced";

/** Fills in what most kinds share: a namespaced custom kind with status and generation. */
export function defineKind<T extends Resource>(
  kind: Omit<Kind<T>, Optional> & Partial<Pick<Kind<T>, Optional>>,
): Kind<T> {
  return {
    singular: kind.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    columns: [],
    flavour: "custom",
    hasStatus: true,
    hasGeneration: true,
    nameRule: "subdomain",
    fieldSelectors: [],
    alsoServedAs: [],
    description: "",
    namespaced: true,
    ...kind,
  };
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(kind: Pick<Kind, "group" | "version">): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** `deployments.apps`, or `pods` for the core group: how messages name a resource. */
export function qualifiedPlural(kind: Pick<Kind, "group" | "plural">): string {
  return kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** `Deployment.apps`, or `Pod` for the core group: how Invalid messages name a kind. */
export function qualifiedKind(kind: Pick<Kind, "group" | "kind">): string {
  return kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
}
