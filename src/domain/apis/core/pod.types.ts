// Pod (core/v1).

import { defineKind, type Kind } from "../kind.js";
import { ObjectMetaSchema, resource } from "../meta/meta.types.js";
import {
  at,
  bool,
  type Infer,
  int32,
  int64,
  keyed,
  list,
  map,
  obj,
  ptr,
  quantity,
  str,
  time,
} from "../schema/index.js";
import {
  AppArmorProfileSchema,
  ContainerSchema,
  ContainerStatusSchema,
  EphemeralContainerSchema,
  ResourceRequirementsSchema,
  SELinuxOptionsSchema,
  SeccompProfileSchema,
} from "./container.types.js";
import { podColumns } from "./pod.columns.js";
import { defaultPod } from "./pod.defaults.js";
import { validatePod } from "./pod.validation.js";
import { LocalObjectReferenceSchema } from "./references.types.js";
import { AffinitySchema, TolerationSchema, TopologySpreadConstraintSchema } from "./scheduling.types.js";
import { VolumeSchema } from "./volume.types.js";

export const HostAliasSchema = obj({
  ip: at(1, str()),
  hostnames: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const PodDNSConfigOptionSchema = obj({
  name: at(1, str()),
  value: ptr(2, str()),
});

export const PodDNSConfigSchema = obj({
  nameservers: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
  searches: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
  options: at(3, list(PodDNSConfigOptionSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const PodReadinessGateSchema = obj({
  conditionType: at(1, str()),
});

export const PodOSSchema = obj({
  name: at(1, str()),
});

export const PodSchedulingGateSchema = obj({
  name: at(1, str()),
});

export const SysctlSchema = obj({
  name: at(1, str()),
  value: at(2, str()),
});

export const PodSecurityContextSchema = obj({
  seLinuxOptions: at(1, SELinuxOptionsSchema),
  runAsUser: ptr(2, int64()),
  runAsNonRoot: ptr(3, bool()),
  supplementalGroups: at(4, list(int64(), { "x-kubernetes-list-type": "atomic" })),
  fsGroup: ptr(5, int64()),
  runAsGroup: ptr(6, int64()),
  sysctls: at(7, list(SysctlSchema, { "x-kubernetes-list-type": "atomic" })),
  fsGroupChangePolicy: at(9, str()),
  seccompProfile: at(10, SeccompProfileSchema),
  appArmorProfile: at(11, AppArmorProfileSchema),
  supplementalGroupsPolicy: at(12, str()),
  seLinuxChangePolicy: at(13, str()),
});

export interface PodSecurityContext extends Infer<typeof PodSecurityContextSchema> {}

export const PodSpecSchema = obj(
  {
    volumes: at(1, keyed(VolumeSchema, ["name"], { "x-kubernetes-patch-strategy": "merge,retainKeys" })),
    containers: at(2, keyed(ContainerSchema, ["name"])),
    restartPolicy: at(3, str({ default: "Always" })),
    terminationGracePeriodSeconds: ptr(4, int64({ default: 30 })),
    activeDeadlineSeconds: ptr(5, int64()),
    dnsPolicy: at(6, str({ default: "ClusterFirst" })),
    nodeSelector: at(7, map(str())),
    serviceAccountName: at(8, str()),
    serviceAccount: at(9, str()),
    nodeName: at(10, str()),
    hostNetwork: at(11, bool()),
    hostPID: at(12, bool()),
    hostIPC: at(13, bool()),
    securityContext: at(14, { ...PodSecurityContextSchema, default: {} }),
    imagePullSecrets: at(15, keyed(LocalObjectReferenceSchema, ["name"])),
    hostname: at(16, str()),
    subdomain: at(17, str()),
    affinity: at(18, AffinitySchema),
    schedulerName: at(19, str({ default: "default-scheduler" })),
    initContainers: at(20, keyed(ContainerSchema, ["name"])),
    automountServiceAccountToken: ptr(21, bool()),
    tolerations: at(22, list(TolerationSchema, { "x-kubernetes-list-type": "atomic" })),
    hostAliases: at(23, keyed(HostAliasSchema, ["ip"])),
    priorityClassName: at(24, str()),
    priority: ptr(25, int32()),
    dnsConfig: at(26, PodDNSConfigSchema),
    shareProcessNamespace: ptr(27, bool()),
    readinessGates: at(28, list(PodReadinessGateSchema, { "x-kubernetes-list-type": "atomic" })),
    runtimeClassName: ptr(29, str()),
    enableServiceLinks: ptr(30, bool({ default: true })),
    preemptionPolicy: at(31, str()),
    overhead: at(32, map(quantity())),
    topologySpreadConstraints: at(
      33,
      keyed(TopologySpreadConstraintSchema, ["topologyKey", "whenUnsatisfiable"]),
    ),
    ephemeralContainers: at(34, keyed(EphemeralContainerSchema, ["name"])),
    setHostnameAsFQDN: ptr(35, bool()),
    os: at(36, PodOSSchema),
    hostUsers: ptr(37, bool()),
    schedulingGates: at(38, keyed(PodSchedulingGateSchema, ["name"])),
    resources: at(40, ResourceRequirementsSchema),
  },
  { required: ["containers"] },
);

export interface PodSpec extends Infer<typeof PodSpecSchema> {}

export const PodConditionSchema = obj(
  {
    type: at(1, str()),
    status: at(2, str()),
    lastProbeTime: at(3, time()),
    lastTransitionTime: at(4, time()),
    reason: at(5, str()),
    message: at(6, str()),
  },
  { required: ["type", "status"] },
);

export interface PodCondition extends Infer<typeof PodConditionSchema> {}

export const PodIPSchema = obj({
  ip: at(1, str()),
});

export const HostIPSchema = obj({
  ip: at(1, str()),
});

export const PodResourceClaimStatusSchema = obj({
  name: at(1, str()),
  resourceClaimName: ptr(2, str()),
});

export const PodStatusSchema = obj({
  phase: at(1, str()),
  conditions: at(2, keyed(PodConditionSchema, ["type"])),
  message: at(3, str()),
  reason: at(4, str()),
  hostIP: at(5, str()),
  podIP: at(6, str()),
  startTime: at(7, time()),
  containerStatuses: at(8, list(ContainerStatusSchema, { "x-kubernetes-list-type": "atomic" })),
  qosClass: at(9, str()),
  initContainerStatuses: at(10, list(ContainerStatusSchema, { "x-kubernetes-list-type": "atomic" })),
  nominatedNodeName: at(11, str()),
  podIPs: at(12, keyed(PodIPSchema, ["ip"])),
  ephemeralContainerStatuses: at(13, list(ContainerStatusSchema, { "x-kubernetes-list-type": "atomic" })),
  resize: at(14, str()),
  resourceClaimStatuses: at(15, list(PodResourceClaimStatusSchema, { "x-kubernetes-list-type": "atomic" })),
  hostIPs: at(16, list(HostIPSchema, { "x-kubernetes-list-type": "atomic" })),
});

export interface PodStatus extends Infer<typeof PodStatusSchema> {}

export const PodSchema = resource({
  spec: at(2, PodSpecSchema),
  status: at(3, PodStatusSchema),
});

export interface Pod extends Infer<typeof PodSchema> {}

export const PodTemplateSpecSchema = obj({
  metadata: at(1, ObjectMetaSchema),
  spec: at(2, PodSpecSchema),
});

export interface PodTemplateSpec extends Infer<typeof PodTemplateSpecSchema> {}

export const Pod: Kind<Pod> = defineKind<Pod>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  categories: ["all"],
  namespaced: true,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
  ],
  description: "A set of containers that run together.",
  schema: PodSchema,
  columns: podColumns,
  defaults: defaultPod,
  validate: validatePod,
});
