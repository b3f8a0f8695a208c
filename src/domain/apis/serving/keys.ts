// Labels and annotations that Knative and KServe put on objects, spelled as they spell them.

export const serving = {
  service: "serving.knative.dev/service",
  serviceUid: "serving.knative.dev/serviceUID",
  configuration: "serving.knative.dev/configuration",
  configurationUid: "serving.knative.dev/configurationUID",
  configurationGeneration: "serving.knative.dev/configurationGeneration",
  revision: "serving.knative.dev/revision",
  revisionUid: "serving.knative.dev/revisionUID",
  route: "serving.knative.dev/route",
  routeNamespace: "serving.knative.dev/routeNamespace",
  routes: "serving.knative.dev/routes",
  routingState: "serving.knative.dev/routingState",
  routingStateModified: "serving.knative.dev/routingStateModified",
  creator: "serving.knative.dev/creator",
  lastModifier: "serving.knative.dev/lastModifier",
  progressDeadline: "serving.knative.dev/progress-deadline",
  rolloutDuration: "serving.knative.dev/rollout-duration",
  noGc: "serving.knative.dev/no-gc",
} as const;

export const autoscaling = {
  class: "autoscaling.knative.dev/class",
  metric: "autoscaling.knative.dev/metric",
  minScale: "autoscaling.knative.dev/min-scale",
  maxScale: "autoscaling.knative.dev/max-scale",
  initialScale: "autoscaling.knative.dev/initial-scale",
  target: "autoscaling.knative.dev/target",
  window: "autoscaling.knative.dev/window",
  panicWindowPercentage: "autoscaling.knative.dev/panic-window-percentage",
  targetBurstCapacity: "autoscaling.knative.dev/target-burst-capacity",
} as const;

export const networking = {
  visibility: "networking.knative.dev/visibility",
  ingressClass: "networking.knative.dev/ingress.class",
  serverlessService: "networking.internal.knative.dev/serverlessservice",
  serviceType: "networking.internal.knative.dev/serviceType",
} as const;

export const kserve = {
  inferenceService: "serving.kserve.io/inferenceservice",
  deploymentMode: "serving.kserve.io/deploymentMode",
  component: "component",
  finalizer: "inferenceservice.finalizers",
  enableTagRouting: "serving.kserve.io/enable-tag-routing",
  sourceUri: "internal.serving.kserve.io/storage-initializer-sourceuri",
} as const;

/** `strict` makes a probe that something in front answers count as a failure, as before best-effort probes. */
export const ingressProbe = "drydock.dev/ingress-probe";

export const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
export const defaultContainer = "kubectl.kubernetes.io/default-container";

/** The gateways that the seed names, and the Service that stands for the local one. */
export const gateways = {
  external: "knative-serving/knative-ingress-gateway",
  local: "knative-serving/knative-local-gateway",
  mesh: "mesh",
  localHost: "knative-local-gateway.istio-system.svc.cluster.local",
} as const;
