// Every kind the API serves from the start. Users' own kinds join at run time through CRDs.
import { Deployment, ReplicaSet } from "./apps/apps.types.js";
import { HorizontalPodAutoscaler } from "./autoscaling/autoscalingV2.types.js";
import { Metric } from "./autoscaling/metric.types.js";
import { PodAutoscaler } from "./autoscaling/podAutoscaler.types.js";
import { Build } from "./build/build.types.js";
import { Image } from "./caching/image.types.js";
import { Lease } from "./coordination/coordination.types.js";
import { PersistentVolumeClaim } from "./core/claim.types.js";
import { ConfigMap, Secret, ServiceAccount } from "./core/config.types.js";
import { Endpoints } from "./core/endpoints.types.js";
import { Event } from "./core/event.types.js";
import { LimitRange, Namespace, ResourceQuota } from "./core/namespace.types.js";
import { Node } from "./core/node.types.js";
import { Pod } from "./core/pod.types.js";
import { Service } from "./core/service.types.js";
import { CustomResourceDefinition } from "./crd/index.js";
import { EndpointSlice } from "./discovery/discovery.types.js";
import { Gateway } from "./istio/gateway.types.js";
import { ClusterRbacConfig, ServiceRole, ServiceRoleBinding } from "./istio/rbac.types.js";
import { AuthorizationPolicy, RequestAuthentication } from "./istio/security.types.js";
import { VirtualService } from "./istio/virtualService.types.js";
import type { Kind } from "./kind.js";
import { InferenceService } from "./kserve/inferenceService.types.js";
import { ClusterServingRuntime, ServingRuntime } from "./kserve/runtime.types.js";
import { Certificate } from "./networking/certificate.types.js";
import { ClusterDomainClaim } from "./networking/clusterDomainClaim.types.js";
import { KnativeIngress } from "./networking/ingress.types.js";
import { ServerlessService } from "./networking/serverlessService.types.js";
import { PodDisruptionBudget } from "./policy/policy.types.js";
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "./rbac/rbac.types.js";
import { Configuration } from "./serving/configuration.types.js";
import { DomainMapping } from "./serving/domainMapping.types.js";
import { Revision } from "./serving/revision.types.js";
import { Route } from "./serving/route.types.js";
import { KnativeService } from "./serving/service.types.js";

export const builtinKinds = [
  ConfigMap,
  Endpoints,
  Event,
  LimitRange,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
  Deployment,
  ReplicaSet,
  HorizontalPodAutoscaler,
  Lease,
  EndpointSlice,
  PodDisruptionBudget,
  Role,
  RoleBinding,
  ClusterRole,
  ClusterRoleBinding,
] as readonly unknown[] as readonly Kind[];

/** The kinds of Knative, KServe and Istio: served by us here, CRDs on a cluster. */
export const servingKinds = [
  KnativeService,
  Configuration,
  Revision,
  Route,
  DomainMapping,
  Build,
  PodAutoscaler,
  Metric,
  KnativeIngress,
  ServerlessService,
  Certificate,
  ClusterDomainClaim,
  Image,
  InferenceService,
  ServingRuntime,
  ClusterServingRuntime,
  VirtualService,
  Gateway,
  RequestAuthentication,
  AuthorizationPolicy,
  ClusterRbacConfig,
  ServiceRole,
  ServiceRoleBinding,
] as readonly unknown[] as readonly Kind[];

export const allKinds: readonly Kind[] = [
  ...builtinKinds,
  ...servingKinds,
  CustomResourceDefinition as unknown as Kind,
];
