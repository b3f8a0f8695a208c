// Service (core/v1).

import { defineKind, type Kind } from "../kind.js";
import { ConditionSchema, resource } from "../meta/meta.types.js";
import {
  at,
  bool,
  type Infer,
  int32,
  intOrString,
  keyed,
  list,
  map,
  obj,
  ptr,
  str,
} from "../schema/index.js";
import { serviceColumns } from "./service.columns.js";
import { defaultService } from "./service.defaults.js";
import { validateService } from "./service.validation.js";

export const ServicePortSchema = obj(
  {
    name: at(1, str()),
    protocol: at(2, str({ default: "TCP" })),
    port: at(3, int32()),
    targetPort: at(4, intOrString()),
    nodePort: at(5, int32()),
    appProtocol: ptr(6, str()),
  },
  { required: ["port"] },
);

export interface ServicePort extends Infer<typeof ServicePortSchema> {}

export const ClientIPConfigSchema = obj({
  timeoutSeconds: ptr(1, int32()),
});

export const SessionAffinityConfigSchema = obj({
  clientIP: at(1, ClientIPConfigSchema),
});

export const ServiceSpecSchema = obj({
  ports: at(1, keyed(ServicePortSchema, ["port", "protocol"])),
  selector: at(2, map(str())),
  clusterIP: at(3, str()),
  type: at(4, str({ default: "ClusterIP" })),
  externalIPs: at(5, list(str(), { "x-kubernetes-list-type": "atomic" })),
  sessionAffinity: at(7, str({ default: "None" })),
  loadBalancerIP: at(8, str()),
  loadBalancerSourceRanges: at(9, list(str(), { "x-kubernetes-list-type": "atomic" })),
  externalName: at(10, str()),
  externalTrafficPolicy: at(11, str()),
  healthCheckNodePort: at(12, int32()),
  publishNotReadyAddresses: at(13, bool()),
  sessionAffinityConfig: at(14, SessionAffinityConfigSchema),
  ipFamilyPolicy: at(17, str()),
  clusterIPs: at(18, list(str(), { "x-kubernetes-list-type": "atomic" })),
  ipFamilies: at(19, list(str(), { "x-kubernetes-list-type": "atomic" })),
  allocateLoadBalancerNodePorts: ptr(20, bool()),
  loadBalancerClass: ptr(21, str()),
  internalTrafficPolicy: at(22, str()),
  trafficDistribution: ptr(23, str()),
});

export interface ServiceSpec extends Infer<typeof ServiceSpecSchema> {}

export const PortStatusSchema = obj({
  port: at(1, int32()),
  protocol: at(2, str()),
  error: ptr(3, str()),
});

export const LoadBalancerIngressSchema = obj({
  ip: at(1, str()),
  hostname: at(2, str()),
  ipMode: at(3, str()),
  ports: at(4, list(PortStatusSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const LoadBalancerStatusSchema = obj({
  ingress: at(1, list(LoadBalancerIngressSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const ServiceStatusSchema = obj({
  loadBalancer: at(1, LoadBalancerStatusSchema),
  conditions: at(2, keyed(ConditionSchema, ["type"])),
});

export const ServiceSchema = resource({
  spec: at(2, ServiceSpecSchema),
  status: at(3, ServiceStatusSchema),
});

export interface Service extends Infer<typeof ServiceSchema> {}

export const Service: Kind<Service> = defineKind<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  namespaced: true,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: false,
  nameRule: "dns1035",
  fieldSelectors: ["spec.clusterIP", "spec.type"],
  description: "A name and ports for a set of pods.",
  schema: ServiceSchema,
  columns: serviceColumns,
  defaults: defaultService,
  validate: validateService,
});
