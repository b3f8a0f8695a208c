// The authorization of Istio before AuthorizationPolicy (rbac.istio.io/v1alpha1), as the debug guide still tells of it.
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { anyObject, type Infer, list, map, obj, oneOfStrings, str } from "../schema/index.js";
import { judgeClusterRbacConfig, judgeServiceRole, judgeServiceRoleBinding } from "./rbac.admission.js";

const strings = list(str());
const TargetSchema = obj({ services: strings, namespaces: strings });
const enforcement = oneOfStrings(["ENFORCED", "PERMISSIVE"]);

const ClusterRbacConfigSchema = resource(
  {
    spec: obj({
      mode: oneOfStrings(["OFF", "ON", "ON_WITH_INCLUSION", "ON_WITH_EXCLUSION"], {
        description: "Where nothing may be called unless a ServiceRoleBinding allows it.",
      }),
      inclusion: TargetSchema,
      exclusion: TargetSchema,
      enforcementMode: enforcement,
    }),
    status: anyObject(),
  },
  { description: "Where ServiceRoles decide." },
);
export interface ClusterRbacConfig extends Infer<typeof ClusterRbacConfigSchema> {}

const group = "rbac.istio.io";
const shared = { group, version: "v1alpha1", categories: ["istio-io", "rbac-istio-io"] };
const age = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" } as const;

export const ClusterRbacConfig: Kind<ClusterRbacConfig> = defineKind<ClusterRbacConfig>({
  ...shared,
  kind: "ClusterRbacConfig",
  plural: "clusterrbacconfigs",
  namespaced: false,
  description: "Where ServiceRoles decide.",
  schema: ClusterRbacConfigSchema,
  webhook: judgeClusterRbacConfig,
  columns: [{ name: "Mode", type: "string", jsonPath: ".spec.mode" }, age],
});

const AccessRuleSchema = obj({
  services: strings,
  hosts: strings,
  notHosts: strings,
  paths: strings,
  notPaths: strings,
  methods: strings,
  notMethods: strings,
  constraints: list(obj({ key: str(), values: strings })),
});
export type AccessRule = Infer<typeof AccessRuleSchema>;

const ServiceRoleSchema = resource(
  { spec: obj({ rules: list(AccessRuleSchema) }), status: anyObject() },
  { description: "What may be called." },
);
export interface ServiceRole extends Infer<typeof ServiceRoleSchema> {}

export const ServiceRole: Kind<ServiceRole> = defineKind<ServiceRole>({
  ...shared,
  kind: "ServiceRole",
  plural: "serviceroles",
  description: "What may be called.",
  schema: ServiceRoleSchema,
  webhook: judgeServiceRole,
  columns: [age],
});

const SubjectSchema = obj({
  user: str(),
  group: str(),
  groups: strings,
  names: strings,
  namespaces: strings,
  ips: strings,
  properties: map(str()),
});
export type RoleSubject = Infer<typeof SubjectSchema>;

const ServiceRoleBindingSchema = resource(
  {
    spec: obj({
      subjects: list(SubjectSchema),
      roleRef: obj({ kind: str(), name: str() }),
      role: str(),
      mode: enforcement,
    }),
    status: anyObject(),
  },
  { description: "Who has a ServiceRole." },
);
export interface ServiceRoleBinding extends Infer<typeof ServiceRoleBindingSchema> {}

export const ServiceRoleBinding: Kind<ServiceRoleBinding> = defineKind<ServiceRoleBinding>({
  ...shared,
  kind: "ServiceRoleBinding",
  plural: "servicerolebindings",
  description: "Who has a ServiceRole.",
  schema: ServiceRoleBindingSchema,
  webhook: judgeServiceRoleBinding,
  columns: [{ name: "Role", type: "string", jsonPath: ".spec.roleRef.name" }, age],
});
