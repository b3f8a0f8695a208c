// Namespace, ResourceQuota and LimitRange (core/v1).

import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { at, type Infer, keyed, list, map, obj, quantity, str, time } from "../schema/index.js";
import { namespaceColumns, quotaColumns } from "./namespace.columns.js";
import { defaultLimitRange, defaultNamespace, defaultQuota } from "./namespace.defaults.js";
import { validateLimitRange, validateQuota } from "./namespace.validation.js";
import { ScopeSelectorSchema } from "./references.types.js";

export const NamespaceSpecSchema = obj({
  finalizers: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const NamespaceConditionSchema = obj(
  {
    type: at(1, str()),
    status: at(2, str()),
    lastTransitionTime: at(4, time()),
    reason: at(5, str()),
    message: at(6, str()),
  },
  { required: ["type", "status"] },
);

export const NamespaceStatusSchema = obj({
  phase: at(1, str()),
  conditions: at(2, keyed(NamespaceConditionSchema, ["type"])),
});

export const NamespaceSchema = resource({
  spec: at(2, NamespaceSpecSchema),
  status: at(3, NamespaceStatusSchema),
});

export interface Namespace extends Infer<typeof NamespaceSchema> {}

export const ResourceQuotaSpecSchema = obj({
  hard: at(1, map(quantity())),
  scopes: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
  scopeSelector: at(3, ScopeSelectorSchema),
});

export interface ResourceQuotaSpec extends Infer<typeof ResourceQuotaSpecSchema> {}

export const ResourceQuotaStatusSchema = obj({
  hard: at(1, map(quantity())),
  used: at(2, map(quantity())),
});

export const ResourceQuotaSchema = resource({
  spec: at(2, ResourceQuotaSpecSchema),
  status: at(3, ResourceQuotaStatusSchema),
});

export interface ResourceQuota extends Infer<typeof ResourceQuotaSchema> {}

export const LimitRangeItemSchema = obj(
  {
    type: at(1, str()),
    max: at(2, map(quantity())),
    min: at(3, map(quantity())),
    default: at(4, map(quantity())),
    defaultRequest: at(5, map(quantity())),
    maxLimitRequestRatio: at(6, map(quantity())),
  },
  { required: ["type"] },
);

export const LimitRangeSpecSchema = obj({
  limits: at(1, list(LimitRangeItemSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const LimitRangeSchema = resource({
  spec: at(2, LimitRangeSpecSchema),
});

export interface LimitRange extends Infer<typeof LimitRangeSchema> {}

export const Namespace: Kind<Namespace> = defineKind<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  categories: [],
  namespaced: false,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: false,
  nameRule: "label",
  fieldSelectors: ["status.phase"],
  description: "A space for names.",
  schema: NamespaceSchema,
  columns: namespaceColumns,
  defaults: defaultNamespace,
});

export const ResourceQuota: Kind<ResourceQuota> = defineKind<ResourceQuota>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  shortNames: ["quota"],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "How much a namespace may use.",
  schema: ResourceQuotaSchema,
  columns: quotaColumns,
  defaults: defaultQuota,
  validate: validateQuota,
});

export const LimitRange: Kind<LimitRange> = defineKind<LimitRange>({
  group: "",
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  shortNames: ["limits"],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "Bounds and defaults for what containers ask.",
  schema: LimitRangeSchema,
  defaults: defaultLimitRange,
  validate: validateLimitRange,
});
