/**
 * A Revision is one immutable answer to "what runs?". This reconciler pins its images, keeps its
 * Deployment and PodAutoscaler as the Revision says, and reports how they fare.
 */
import { asKind, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import {
  conditionOf,
  copied,
  type Judgement,
  no,
  unknown,
  yes,
} from "../../../domain/apis/meta/judgement.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { judgePods } from "../../../domain/diagnosis/index.js";
import type { ServingDeps } from "../deps.js";
import { resolveDigests } from "./digests.js";
import { makeDeployment, makePodAutoscaler } from "./make.js";

export function revisionReconciler({ client, listers, images, recorder }: ServingDeps): Reconciler<Revision> {
  const ensure = ensureOwned(client, listers);
  const pods = listers(Pod);

  return {
    kind: Revision,
    conditions: { ready: ["ContainerHealthy", "ResourcesAvailable"], info: ["Active"] },
    owns: [asKind(Deployment), asKind(PodAutoscaler)],
    watches: [watch(Pod, (pod) => revisionOf(pod.metadata))],

    async reconcile(revision, status) {
      const digests = revision.status?.containerStatuses ?? (await resolveDigests(revision, images));
      if ("because" in digests) {
        status.mark("ContainerHealthy", no("ContainerMissing", digests.because));
        return { requeueAfterMs: 10_000 };
      }
      status.set({ containerStatuses: digests });

      const deployment = await ensure(Deployment, revision, makeDeployment(revision, digests), {
        // Replicas belong to the autoscaler once the Deployment exists.
        keep: (live, wish) => ({
          ...wish,
          spec: { ...wish.spec, replicas: live.spec?.replicas } as Deployment["spec"],
        }),
      });
      if (deployment.outcome === "notOwned") {
        status.mark("ResourcesAvailable", notOwned("Deployment", deployment.object.metadata.name));
        return undefined;
      }
      const autoscaler = await ensure(PodAutoscaler, revision, makePodAutoscaler(revision));
      if (autoscaler.outcome === "notOwned") {
        status.mark("ResourcesAvailable", notOwned("PodAutoscaler", autoscaler.object.metadata.name));
        return undefined;
      }

      // Every pod is heard, the gone ones too: a cause must outlive the pod that showed it.
      const mine = pods.list({
        namespace: revision.metadata.namespace ?? "",
        labels: { [serving.revisionUid]: revision.metadata.uid ?? "" },
      });
      const verdict = judgePods(deployment.object, mine);
      const asleep = (deployment.object.spec?.replicas ?? 0) === 0 && started(autoscaler.object);
      status.mark("ContainerHealthy", outlived(verdict.container, status.get("ContainerHealthy"), asleep));
      status.mark(
        "ResourcesAvailable",
        outlived(verdict.resources, status.get("ResourcesAvailable"), asleep),
      );
      status.mark("Active", copied(conditionOf(autoscaler.object, "Ready"), unknown("Deploying")));
      status.set({
        actualReplicas: deployment.object.status?.readyReplicas ?? 0,
        desiredReplicas: autoscaler.object.status?.desiredScale ?? deployment.object.spec?.replicas ?? 0,
      });
      const became = verdict.container.status === "True" && conditionOf(revision, "Ready")?.status !== "True";
      if (became)
        recorder.event(
          revision,
          "Normal",
          "RevisionReady",
          "Revision becomes ready upon all resources being ready",
        );
      return undefined;
    },
  };
}

/** A verdict of "still deploying" does not erase a cause that nothing has disproved, nor wake what sleeps well. */
function outlived(verdict: Judgement, before: Judgement | undefined, asleep: boolean): Judgement {
  if (verdict.status !== "Unknown") return verdict;
  if (before?.status === "False") return before;
  return asleep ? yes : verdict;
}

function started(autoscaler: PodAutoscaler): boolean {
  return conditionOf(autoscaler, "ScaleTargetInitialized")?.status === "True";
}

function revisionOf({ labels, namespace }: Pod["metadata"]) {
  const name = labels?.[serving.revision];
  return name === undefined ? [] : [{ namespace: namespace ?? "", name }];
}

function notOwned(kind: string, name: string): Judgement {
  return no("NotOwned", `There is an existing ${kind} "${name}" that we do not own.`);
}
