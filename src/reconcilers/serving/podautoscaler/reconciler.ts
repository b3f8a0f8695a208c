/**
 * A PodAutoscaler says how many pods its Revision wants. This reconciler keeps the Revision's Services,
 * scales its Deployment, and says whether it is active.
 */
import { asKind, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { Metric } from "../../../domain/apis/autoscaling/metric.types.js";
import { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { isReady, type Judgement, no, unknown, yes } from "../../../domain/apis/meta/judgement.js";
import { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { whenConfigChanges } from "../config.js";
import type { ServingDeps } from "../deps.js";
import { askAgain, notOwned } from "../taken.js";
import { initialScale, maxScale, minScale } from "./bounds.js";
import { activationLeftMs } from "./giveUp.js";
import { makeMetric, makeServerlessService } from "./make.js";

export function podAutoscalerReconciler({
  client,
  listers,
  clock,
  config,
}: ServingDeps): Reconciler<PodAutoscaler> {
  const ensure = ensureOwned(client, listers);
  const deployments = listers(Deployment);

  return {
    kind: PodAutoscaler,
    conditions: { ready: ["Active", "SKSReady", "ScaleTargetInitialized"] },
    owns: [asKind(ServerlessService), asKind(Metric)],
    watches: [
      watch(Deployment, targetedBy),
      whenConfigChanges(listers, PodAutoscaler, "config-autoscaler", "config-deployment"),
    ],

    async reconcile(autoscaler, status) {
      const { name, namespace = "" } = autoscaler.metadata;
      const services = await ensure(ServerlessService, autoscaler, makeServerlessService(autoscaler));
      if (services.outcome === "notOwned") {
        status.mark("Active", notOwned("ServerlessService", name));
        return askAgain;
      }
      const { serviceName, privateServiceName } = services.object.status ?? {};
      if (privateServiceName !== undefined) {
        const wish = makeMetric(autoscaler, privateServiceName, config().autoscaler);
        const metric = await ensure(Metric, autoscaler, wish, { exact: ["spec"] });
        if (metric.outcome === "notOwned") {
          status.mark("Active", notOwned("Metric", name));
          return askAgain;
        }
      }
      status.set({ serviceName, metricsServiceName: privateServiceName });
      status.mark(
        "SKSReady",
        isReady(services.object) ? yes : unknown("NotReady", "K8s Service is not ready"),
      );
      const deployment = deployments.get({ namespace, name: autoscaler.spec.scaleTargetRef.name });
      if (deployment === undefined) {
        status.mark("Active", unknown("Deploying", "The target does not exist yet."));
        return undefined;
      }

      const initialized = status.get("ScaleTargetInitialized")?.status === "True";
      const leftMs = activationLeftMs(autoscaler, initialized, config(), clock.now());
      const wanted = wish(autoscaler, initialized, leftMs === 0);
      if ((deployment.spec?.replicas ?? 1) !== wanted) {
        const key = { namespace, name: deployment.metadata.name };
        await client.patch(Deployment, key, { spec: { replicas: wanted } }, { type: "merge" });
      }
      const ready = deployment.status?.readyReplicas ?? 0;
      status.set({ desiredScale: wanted, actualScale: ready });
      const least = leastToStart(autoscaler);
      // None is enough only for one that has none: not for one whose pods fail while the setting changes.
      const started =
        initialized || (ready >= least && (least > 0 || deployment.status?.replicas === undefined));
      status.mark("ScaleTargetInitialized", started ? yes : unknown(""));
      status.mark("Active", judgeActive(wanted, ready, leftMs === 0));
      return { requeueAfterMs: leftMs || undefined };
    },
  };

  /**
   * A Revision starts with its initial scale and keeps its minimum. One that no Route wants any more goes to zero at
   * once: it is let go only when the gateway answers without it, and its pods finish what they have.
   */
  function wish(autoscaler: PodAutoscaler, initialized: boolean, givenUp: boolean): number {
    if (givenUp) return 0;
    const { annotations } = autoscaler.metadata;
    const unreachable = autoscaler.spec.reachability === "Unreachable";
    if (unreachable && initialized) return 0;
    const { autoscaler: settings } = config();
    const first = initialScale(annotations, settings);
    // One that started asleep sleeps on until something wakes it.
    const least = Math.max(minScale(annotations, settings), Math.min(first, 1));
    return Math.min(Math.max(initialized ? least : first, least), maxScale(annotations, settings));
  }

  function leastToStart({ metadata: { annotations } }: PodAutoscaler): number {
    const { autoscaler } = config();
    const least = Math.max(minScale(annotations, autoscaler), initialScale(annotations, autoscaler));
    return Math.min(least, maxScale(annotations, autoscaler));
  }
}

function judgeActive(wanted: number, ready: number, givenUp: boolean): Judgement {
  if (givenUp) return no("TimedOut", "The target could not be activated.");
  if (wanted === 0) return no("NoTraffic", "The target is not receiving traffic.");
  if (ready > 0) return yes;
  return unknown("Queued", "Requests to the target are being buffered as resources are provisioned.");
}

function targetedBy(deployment: Deployment) {
  const owner = deployment.metadata.ownerReferences?.find(
    (one) => one.controller === true && one.kind === "Revision",
  );
  return owner === undefined ? [] : [{ namespace: deployment.metadata.namespace ?? "", name: owner.name }];
}
