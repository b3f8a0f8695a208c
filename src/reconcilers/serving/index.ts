import type { Reconciler } from "../../controller/index.js";
import { buildReconciler } from "./build/reconciler.js";
import { configurationReconciler } from "./configuration/reconciler.js";
import type { ServingDeps } from "./deps.js";
import { domainMappingReconciler } from "./domainmapping/reconciler.js";
import { inferenceServiceReconciler } from "./inferenceservice/reconciler.js";
import { ingressReconciler } from "./ingress/reconciler.js";
import { metricReconciler } from "./metric/reconciler.js";
import { podAutoscalerReconciler } from "./podautoscaler/reconciler.js";
import { revisionReconciler } from "./revision/reconciler.js";
import { routeReconciler } from "./route/reconciler.js";
import { serverlessServiceReconciler } from "./serverlessservice/reconciler.js";
import { serviceReconciler } from "./service/reconciler.js";

export { liveServingConfig } from "./config.js";
export type { ServingDeps, Settings } from "./deps.js";

/** All that serve: from InferenceService down to Deployments, Services and VirtualServices. */
export function servingReconcilers(deps: ServingDeps): readonly Reconciler[] {
  return [
    inferenceServiceReconciler(deps),
    buildReconciler(deps),
    serviceReconciler(deps),
    configurationReconciler(deps),
    revisionReconciler(deps),
    routeReconciler(deps),
    domainMappingReconciler(deps),
    ingressReconciler(deps),
    podAutoscalerReconciler(deps),
    metricReconciler(deps),
    serverlessServiceReconciler(deps),
  ] as readonly unknown[] as readonly Reconciler[];
}
