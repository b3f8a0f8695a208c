/**
 * A PodAutoscaler says how many pods its Revision wants. This reconciler keeps the Revision's Services,
 * scales its Deployment as its decider wishes, and says whether it is active. Of the class `hpa` Kubernetes'
 * own autoscaler does the scaling; other classes are left to whoever made them.
 */
import { asKind, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { HorizontalPodAutoscaler } from "../../../domain/apis/autoscaling/autoscalingV2.types.js";
import { Metric } from "../../../domain/apis/autoscaling/metric.types.js";
import { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { autoscaling } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { whenConfigChanges } from "../config.js";
import type { ServingDeps } from "../deps.js";
import { hasFailed } from "./giveUp.js";
import { hpaRound } from "./hpa.js";
import { kpaRound } from "./kpa.js";

const kpaClass = "kpa.autoscaling.knative.dev";
const hpaClass = "hpa.autoscaling.knative.dev";

export function podAutoscalerReconciler(deps: ServingDeps): Reconciler<PodAutoscaler> {
  const { client, listers, deciders } = deps;
  const ensure = ensureOwned(client, listers);
  const byCounts = kpaRound(deps, ensure);
  const byUsage = hpaRound(deps, ensure);

  return {
    kind: PodAutoscaler,
    conditions: { ready: ["Active", "SKSReady", "ScaleTargetInitialized"] },
    owns: [asKind(ServerlessService), asKind(Metric), asKind(HorizontalPodAutoscaler)],
    watches: [
      watch(Deployment, targetedBy),
      // A start is given up only once its pods say that they fail.
      watch(Revision, (revision) => (hasFailed(revision) ? [keyOf(revision)] : [])),
      whenConfigChanges(listers, PodAutoscaler, "config-autoscaler", "config-deployment"),
    ],
    wokenBy: (wake) => deciders.onChange(wake),
    forget: (key) => deciders.remove(key),
    isOurs: (autoscaler) => [kpaClass, hpaClass].includes(classOf(autoscaler)),

    async reconcile(autoscaler, status) {
      if (classOf(autoscaler) === kpaClass) return byCounts(autoscaler, status);
      deciders.remove(keyOf(autoscaler));
      return byUsage(autoscaler, status);
    },
  };
}

function classOf({ metadata }: PodAutoscaler): string {
  return metadata.annotations?.[autoscaling.class] ?? kpaClass;
}

function keyOf({ metadata }: PodAutoscaler | Revision) {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

function targetedBy(deployment: Deployment) {
  const owner = deployment.metadata.ownerReferences?.find(
    (one) => one.controller === true && one.kind === "Revision",
  );
  return owner === undefined ? [] : [{ namespace: deployment.metadata.namespace ?? "", name: owner.name }];
}
