// The controllers of a cluster that serving stands on. They run only where we are the cluster.
import type { Deps, Reconciler } from "../../controller/index.js";
import { customResourceDefinitionReconciler } from "./customResourceDefinition/customResourceDefinition.js";
import { deploymentReconciler } from "./deployment/deployment.js";
import { endpointsReconciler } from "./endpoints/endpoints.js";
import {
  horizontalPodAutoscalerReconciler,
  type UsageOptions,
} from "./horizontalpodautoscaler/horizontalpodautoscaler.js";
import { type NamespaceOptions, namespaceReconciler } from "./namespace/namespace.js";
import { replicasetReconciler } from "./replicaset/replicaset.js";
import { resourceQuotaReconciler } from "./resourcequota/resourcequota.js";

export {
  type GarbageCollector,
  type GarbageCollectorOptions,
  startGarbageCollector,
} from "./garbageCollector/garbageCollector.js";

export type WorkloadOptions = NamespaceOptions & UsageOptions;

/** All but the garbage collector, which follows every kind at once and is started by itself. */
export function workloadReconcilers(deps: Deps, options: WorkloadOptions): readonly Reconciler[] {
  return [
    deploymentReconciler(deps),
    replicasetReconciler(deps),
    endpointsReconciler(deps),
    horizontalPodAutoscalerReconciler(deps, options),
    namespaceReconciler(deps, options),
    customResourceDefinitionReconciler(deps),
    resourceQuotaReconciler(deps, options),
  ] as readonly unknown[] as readonly Reconciler[];
}
