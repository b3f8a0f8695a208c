// Node (core/v1).

import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
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
import { nodeColumns } from "./node.columns.js";
import { defaultNode } from "./node.defaults.js";

export const TaintSchema = obj(
  {
    key: at(1, str()),
    value: at(2, str()),
    effect: at(3, str()),
    timeAdded: at(4, time()),
  },
  { required: ["key", "effect"] },
);

export const NodeSpecSchema = obj({
  podCIDR: at(1, str()),
  externalID: at(2, str()),
  providerID: at(3, str()),
  unschedulable: at(4, bool()),
  taints: at(5, list(TaintSchema, { "x-kubernetes-list-type": "atomic" })),
  podCIDRs: at(7, list(str(), { "x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge" })),
});

export const NodeAddressSchema = obj({
  type: at(1, str()),
  address: at(2, str()),
});

export const NodeConditionSchema = obj(
  {
    type: at(1, str()),
    status: at(2, str()),
    lastHeartbeatTime: at(3, time()),
    lastTransitionTime: at(4, time()),
    reason: at(5, str()),
    message: at(6, str()),
  },
  { required: ["type", "status"] },
);

export const DaemonEndpointSchema = obj({
  Port: at(1, int32()),
});

export const NodeDaemonEndpointsSchema = obj({
  kubeletEndpoint: at(1, DaemonEndpointSchema),
});

export const NodeSystemInfoSchema = obj({
  machineID: at(1, str()),
  systemUUID: at(2, str()),
  bootID: at(3, str()),
  kernelVersion: at(4, str()),
  osImage: at(5, str()),
  containerRuntimeVersion: at(6, str()),
  kubeletVersion: at(7, str()),
  kubeProxyVersion: at(8, str()),
  operatingSystem: at(9, str()),
  architecture: at(10, str()),
});

export const ContainerImageSchema = obj({
  names: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
  sizeBytes: at(2, int64()),
});

export const AttachedVolumeSchema = obj({
  name: at(1, str()),
  devicePath: at(2, str()),
});

export const NodeConfigStatusSchema = obj({
  error: at(4, str()),
});

export const NodeFeaturesSchema = obj({
  supplementalGroupsPolicy: ptr(1, bool()),
});

export const NodeStatusSchema = obj({
  capacity: at(1, map(quantity())),
  allocatable: at(2, map(quantity())),
  phase: at(3, str()),
  conditions: at(4, keyed(NodeConditionSchema, ["type"])),
  addresses: at(5, keyed(NodeAddressSchema, ["type"])),
  daemonEndpoints: at(6, NodeDaemonEndpointsSchema),
  nodeInfo: at(7, NodeSystemInfoSchema),
  images: at(8, list(ContainerImageSchema, { "x-kubernetes-list-type": "atomic" })),
  volumesInUse: at(9, list(str(), { "x-kubernetes-list-type": "atomic" })),
  volumesAttached: at(10, list(AttachedVolumeSchema, { "x-kubernetes-list-type": "atomic" })),
  config: at(11, NodeConfigStatusSchema),
  features: at(13, NodeFeaturesSchema),
});

export const NodeSchema = resource({
  spec: at(2, NodeSpecSchema),
  status: at(3, NodeStatusSchema),
});

export interface Node extends Infer<typeof NodeSchema> {}

export const Node: Kind<Node> = defineKind<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  categories: [],
  namespaced: false,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: ["spec.unschedulable"],
  description: "A machine that runs pods.",
  schema: NodeSchema,
  columns: nodeColumns,
  defaults: defaultNode,
});
