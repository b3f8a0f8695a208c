// Deployment and ReplicaSet (apps/v1).

import { PodTemplateSpecSchema } from "../core/pod.types.js";
import { defineKind, type Kind } from "../kind.js";
import { LabelSelectorSchema, resource } from "../meta/meta.types.js";
import {
  at,
  bool,
  type Infer,
  int32,
  int64,
  intOrString,
  keyed,
  obj,
  ptr,
  str,
  time,
} from "../schema/index.js";
import { deploymentColumns, replicaSetColumns } from "./apps.columns.js";
import { defaultDeployment, defaultReplicaSet } from "./apps.defaults.js";
import { validateDeployment, validateReplicaSet } from "./apps.validation.js";

export const RollingUpdateDeploymentSchema = obj({
  maxUnavailable: ptr(1, intOrString()),
  maxSurge: ptr(2, intOrString()),
});

export const DeploymentStrategySchema = obj({
  type: at(1, str({ default: "RollingUpdate" })),
  rollingUpdate: at(2, RollingUpdateDeploymentSchema),
});

export const DeploymentSpecSchema = obj(
  {
    replicas: ptr(1, int32({ default: 1 })),
    selector: at(2, LabelSelectorSchema),
    template: at(3, PodTemplateSpecSchema),
    strategy: at(4, {
      ...DeploymentStrategySchema,
      default: {},
      "x-kubernetes-patch-strategy": "retainKeys",
    }),
    minReadySeconds: at(5, int32()),
    revisionHistoryLimit: ptr(6, int32({ default: 10 })),
    paused: at(7, bool()),
    progressDeadlineSeconds: ptr(9, int32({ default: 600 })),
  },
  { required: ["selector", "template"] },
);

export interface DeploymentSpec extends Infer<typeof DeploymentSpecSchema> {}

export const DeploymentConditionSchema = obj(
  {
    type: at(1, str()),
    status: at(2, str()),
    reason: at(4, str()),
    message: at(5, str()),
    lastUpdateTime: at(6, time()),
    lastTransitionTime: at(7, time()),
  },
  { required: ["type", "status"] },
);

export interface DeploymentCondition extends Infer<typeof DeploymentConditionSchema> {}

export const DeploymentStatusSchema = obj({
  observedGeneration: at(1, int64()),
  replicas: at(2, int32()),
  updatedReplicas: at(3, int32()),
  availableReplicas: at(4, int32()),
  unavailableReplicas: at(5, int32()),
  conditions: at(6, keyed(DeploymentConditionSchema, ["type"])),
  readyReplicas: at(7, int32()),
  collisionCount: ptr(8, int32()),
});

export interface DeploymentStatus extends Infer<typeof DeploymentStatusSchema> {}

export const DeploymentSchema = resource({
  spec: at(2, DeploymentSpecSchema),
  status: at(3, DeploymentStatusSchema),
});

export interface Deployment extends Infer<typeof DeploymentSchema> {}

export const ReplicaSetSpecSchema = obj(
  {
    replicas: ptr(1, int32({ default: 1 })),
    selector: at(2, LabelSelectorSchema),
    template: at(3, PodTemplateSpecSchema),
    minReadySeconds: at(4, int32()),
  },
  { required: ["selector"] },
);

export interface ReplicaSetSpec extends Infer<typeof ReplicaSetSpecSchema> {}

export const ReplicaSetConditionSchema = obj(
  {
    type: at(1, str()),
    status: at(2, str()),
    lastTransitionTime: at(3, time()),
    reason: at(4, str()),
    message: at(5, str()),
  },
  { required: ["type", "status"] },
);

export const ReplicaSetStatusSchema = obj(
  {
    replicas: at(1, int32()),
    fullyLabeledReplicas: at(2, int32()),
    observedGeneration: at(3, int64()),
    readyReplicas: at(4, int32()),
    availableReplicas: at(5, int32()),
    conditions: at(6, keyed(ReplicaSetConditionSchema, ["type"])),
  },
  { required: ["replicas"] },
);

export const ReplicaSetSchema = resource({
  spec: at(2, ReplicaSetSpecSchema),
  status: at(3, ReplicaSetStatusSchema),
});

export interface ReplicaSet extends Infer<typeof ReplicaSetSchema> {}

export const Deployment: Kind<Deployment> = defineKind<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  namespaced: true,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: true,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "Pods from a template, rolled over when it changes.",
  scale: {
    specReplicasPath: ".spec.replicas",
    statusReplicasPath: ".status.replicas",
    labelSelectorPath: ".spec.selector",
  },
  schema: DeploymentSchema,
  columns: deploymentColumns,
  defaults: defaultDeployment,
  validate: validateDeployment,
});

export const ReplicaSet: Kind<ReplicaSet> = defineKind<ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  namespaced: true,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: true,
  nameRule: "subdomain",
  fieldSelectors: ["status.replicas"],
  description: "A number of equal pods.",
  scale: {
    specReplicasPath: ".spec.replicas",
    statusReplicasPath: ".status.replicas",
    labelSelectorPath: ".spec.selector",
  },
  schema: ReplicaSetSchema,
  columns: replicaSetColumns,
  defaults: defaultReplicaSet,
  validate: validateReplicaSet,
});
