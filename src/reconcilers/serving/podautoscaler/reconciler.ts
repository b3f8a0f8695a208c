/**
 * A PodAutoscaler says how many pods its Revision wants. This reconciler keeps the Revision's Services,
 * scales its Deployment, and says whether it is active.
 */
import { asKind, type Deps, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { isReady, no, unknown, yes } from "../../../domain/apis/meta/judgement.js";
import { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { autoscaling } from "../../../domain/apis/serving/keys.js";
import { makeServerlessService } from "./make.js";

export function podAutoscalerReconciler({ client, listers }: Deps): Reconciler<PodAutoscaler> {
  const ensure = ensureOwned(client, listers);
  const deployments = listers(Deployment);

  return {
    kind: PodAutoscaler,
    conditions: { ready: ["Active", "SKSReady", "ScaleTargetInitialized"] },
    owns: [asKind(ServerlessService)],
    watches: [watch(Deployment, targetedBy)],

    async reconcile(autoscaler, status) {
      const services = await ensure(ServerlessService, autoscaler, makeServerlessService(autoscaler));
      if (services.outcome === "notOwned") {
        status.mark(
          "SKSReady",
          no(
            "NotOwned",
            `There is an existing ServerlessService "${autoscaler.metadata.name}" that we do not own.`,
          ),
        );
        return undefined;
      }
      status.set({ serviceName: services.object.status?.serviceName });
      const namespace = autoscaler.metadata.namespace ?? "";
      const deployment = deployments.get({ namespace, name: autoscaler.spec.scaleTargetRef.name });
      if (deployment === undefined) {
        status.mark("Active", unknown("Deploying", "The target does not exist yet."));
        return undefined;
      }

      const initialized = status.get("ScaleTargetInitialized")?.status === "True";
      const replicas = wish(autoscaler, initialized);
      if ((deployment.spec?.replicas ?? 1) !== replicas) {
        const key = { namespace, name: deployment.metadata.name };
        await client.patch(Deployment, key, { spec: { replicas } }, { type: "merge" });
      }
      const ready = deployment.status?.readyReplicas ?? 0;
      status.set({ desiredScale: replicas, actualScale: ready });
      status.mark(
        "SKSReady",
        isReady(services.object) ? yes : unknown("NotReady", "K8s Service is not ready"),
      );
      if (initialized || ready >= Math.max(1, replicas)) status.mark("ScaleTargetInitialized", yes);
      else status.mark("ScaleTargetInitialized", unknown(""));
      status.mark(
        "Active",
        replicas === 0
          ? no("NoTraffic", "The target is not receiving traffic.")
          : ready > 0
            ? yes
            : unknown("Queued", "Requests to the target are being buffered as resources are provisioned."),
      );
      return undefined;
    },
  };
}

/**
 * A Revision starts with its initial scale and keeps its minimum. One that no Route wants any more goes to zero at
 * once: it is let go only when the gateway answers without it, and its pods finish what they have.
 */
function wish(autoscaler: PodAutoscaler, initialized: boolean): number {
  const annotations = autoscaler.metadata.annotations ?? {};
  const most = Number(annotations[autoscaling.maxScale] ?? 0) || Number.POSITIVE_INFINITY;
  const least = Math.max(Number(annotations[autoscaling.minScale] ?? 0), 1);
  const wanted = Math.min(Math.max(Number(annotations[autoscaling.initialScale] ?? 1), least), most);
  return autoscaler.spec.reachability === "Unreachable" && initialized ? 0 : wanted;
}

function targetedBy(deployment: Deployment) {
  const owner = deployment.metadata.ownerReferences?.find(
    (one) => one.controller === true && one.kind === "Revision",
  );
  return owner === undefined ? [] : [{ namespace: deployment.metadata.namespace ?? "", name: owner.name }];
}
