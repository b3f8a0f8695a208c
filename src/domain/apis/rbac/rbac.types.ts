// Roles and bindings (rbac.authorization.k8s.io/v1).

import { defineKind, type Kind } from "../kind.js";
import { LabelSelectorSchema, resource } from "../meta/meta.types.js";
import { at, type Infer, list, obj, str } from "../schema/index.js";
import { bindingColumns } from "./rbac.columns.js";
import { defaultBinding } from "./rbac.defaults.js";
import { validateBinding, validateRole } from "./rbac.validation.js";

export const AggregationRuleSchema = obj({
  clusterRoleSelectors: at(1, list(LabelSelectorSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const PolicyRuleSchema = obj(
  {
    verbs: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
    apiGroups: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
    resources: at(3, list(str(), { "x-kubernetes-list-type": "atomic" })),
    resourceNames: at(4, list(str(), { "x-kubernetes-list-type": "atomic" })),
    nonResourceURLs: at(5, list(str(), { "x-kubernetes-list-type": "atomic" })),
  },
  { required: ["verbs"] },
);

export interface PolicyRule extends Infer<typeof PolicyRuleSchema> {}

export const ClusterRoleSchema = resource({
  rules: at(2, list(PolicyRuleSchema, { "x-kubernetes-list-type": "atomic" })),
  aggregationRule: at(3, AggregationRuleSchema),
});

export interface ClusterRole extends Infer<typeof ClusterRoleSchema> {}

export const SubjectSchema = obj(
  {
    kind: at(1, str()),
    apiGroup: at(2, str()),
    name: at(3, str()),
    namespace: at(4, str()),
  },
  { required: ["kind", "name"], "x-kubernetes-map-type": "atomic" },
);

export interface Subject extends Infer<typeof SubjectSchema> {}

export const RoleRefSchema = obj(
  {
    apiGroup: at(1, str({ default: "rbac.authorization.k8s.io" })),
    kind: at(2, str()),
    name: at(3, str()),
  },
  { required: ["kind", "name"], "x-kubernetes-map-type": "atomic" },
);

export const ClusterRoleBindingSchema = resource(
  {
    subjects: at(2, list(SubjectSchema, { "x-kubernetes-list-type": "atomic" })),
    roleRef: at(3, RoleRefSchema),
  },
  { required: ["roleRef"] },
);

export interface ClusterRoleBinding extends Infer<typeof ClusterRoleBindingSchema> {}

export const RoleSchema = resource({
  rules: at(2, list(PolicyRuleSchema, { "x-kubernetes-list-type": "atomic" })),
});

export interface Role extends Infer<typeof RoleSchema> {}

export const RoleBindingSchema = resource(
  {
    subjects: at(2, list(SubjectSchema, { "x-kubernetes-list-type": "atomic" })),
    roleRef: at(3, RoleRefSchema),
  },
  { required: ["roleRef"] },
);

export interface RoleBinding extends Infer<typeof RoleBindingSchema> {}

export const Role: Kind<Role> = defineKind<Role>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  shortNames: [],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "pathSegment",
  fieldSelectors: [],
  description: "What may be done in a namespace.",
  schema: RoleSchema,
  validate: validateRole,
});

export const RoleBinding: Kind<RoleBinding> = defineKind<RoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  shortNames: [],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "pathSegment",
  fieldSelectors: [],
  description: "Who has a role in a namespace.",
  schema: RoleBindingSchema,
  columns: bindingColumns,
  defaults: defaultBinding,
  validate: validateBinding,
});

export const ClusterRole: Kind<ClusterRole> = defineKind<ClusterRole>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  shortNames: [],
  categories: [],
  namespaced: false,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "pathSegment",
  fieldSelectors: [],
  description: "What may be done everywhere.",
  schema: ClusterRoleSchema,
  validate: validateRole,
});

export const ClusterRoleBinding: Kind<ClusterRoleBinding> = defineKind<ClusterRoleBinding>({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  shortNames: [],
  categories: [],
  namespaced: false,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "pathSegment",
  fieldSelectors: [],
  description: "Who has a role everywhere.",
  schema: ClusterRoleBindingSchema,
  columns: bindingColumns,
  defaults: defaultBinding,
  validate: validateBinding,
});
