// ConfigMap, Secret and ServiceAccount (core/v1).

import { judgeServingConfigMap } from "../config/admission.js";
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { at, bool, bytes, type Infer, keyed, list, map, ptr, str } from "../schema/index.js";
import { configMapColumns, secretColumns, serviceAccountColumns } from "./config.columns.js";
import { defaultSecret } from "./config.defaults.js";
import { validateConfigMap, validateSecret } from "./config.validation.js";
import { LocalObjectReferenceSchema, ObjectReferenceSchema } from "./references.types.js";

export const ConfigMapSchema = resource({
  data: at(2, map(str())),
  binaryData: at(3, map(bytes())),
  immutable: ptr(4, bool()),
});

export interface ConfigMap extends Infer<typeof ConfigMapSchema> {}

export const SecretSchema = resource({
  data: at(2, map(bytes())),
  type: at(3, str({ default: "Opaque" })),
  stringData: at(4, map(str())),
  immutable: ptr(5, bool()),
});

export interface Secret extends Infer<typeof SecretSchema> {}

export const ServiceAccountSchema = resource({
  secrets: at(2, keyed(ObjectReferenceSchema, ["name"])),
  imagePullSecrets: at(3, list(LocalObjectReferenceSchema, { "x-kubernetes-list-type": "atomic" })),
  automountServiceAccountToken: ptr(4, bool()),
});

export interface ServiceAccount extends Infer<typeof ServiceAccountSchema> {}

export const ConfigMap: Kind<ConfigMap> = defineKind<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "Settings as keys and values.",
  schema: ConfigMapSchema,
  columns: configMapColumns,
  validate: validateConfigMap,
  webhook: judgeServingConfigMap,
});

export const Secret: Kind<Secret> = defineKind<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  shortNames: [],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: ["type"],
  description: "Keys and values to keep to oneself.",
  schema: SecretSchema,
  columns: secretColumns,
  defaults: defaultSecret,
  validate: validateSecret,
});

export const ServiceAccount: Kind<ServiceAccount> = defineKind<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "Who a pod acts as.",
  schema: ServiceAccountSchema,
  columns: serviceAccountColumns,
});
