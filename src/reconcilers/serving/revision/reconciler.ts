/**
 * A Revision is one immutable answer to "what runs?". This reconciler pins its images, keeps its
 * Deployment and PodAutoscaler as the Revision says, and reports how they fare.
 */
import { asKind, ensureOwned, type Reconciler, type StatusReport, watch } from "../../../controller/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import { Build } from "../../../domain/apis/build/build.types.js";
import { Image } from "../../../domain/apis/caching/image.types.js";
import { Secret, ServiceAccount } from "../../../domain/apis/core/config.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { pullSecretsOf } from "../../../domain/apis/core/pullSecret.js";
import { conditionOf, copied, type Judgement, no, unknown } from "../../../domain/apis/meta/judgement.js";
import { serving } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { judgeBuild, judgePods, type PodsVerdict } from "../../../domain/diagnosis/index.js";
import { isRefusal } from "../../../ports/index.js";
import { whenConfigChanges } from "../config.js";
import type { ServingDeps } from "../deps.js";
import { digestPatienceMs } from "../limits.js";
import { askAgain, notOwned } from "../taken.js";
import { digestDesk, digestsOf, type Found, type PinnedImages } from "./digests.js";
import { logUrlOf } from "./logUrl.js";
import { deploymentName, makeDeployment, makeImages, makePodAutoscaler } from "./make.js";
import { modelDigests, modelImages } from "./models.js";

export function revisionReconciler(deps: ServingDeps): Reconciler<Revision> {
  const { client, listers, digests, recorder, clock, config, settings } = deps;
  const ensure = ensureOwned(client, listers);
  const pods = listers(Pod);
  const builds = listers(Build);
  const desk = digestDesk(digests, clock);

  return {
    kind: Revision,
    conditions: {
      ready: ["BuildSucceeded", "ContainerHealthy", "ResourcesAvailable"],
      ifMarked: ["BuildSucceeded"],
      info: ["Active"],
    },
    owns: [asKind(Deployment), asKind(PodAutoscaler), asKind(Image)],
    watches: [
      watch(Pod, (pod) => revisionOf(pod.metadata), { isNews: true }),
      watch(Build, ({ metadata }) =>
        listers(Revision)
          .list({ namespace: metadata.namespace ?? "" })
          .filter((revision) => revision.spec.buildName === metadata.name)
          .map(keyOf),
      ),
      watch(Secret, ({ metadata, type = "" }) =>
        type.startsWith("kubernetes.io/dockerc") ? unpinnedIn(metadata.namespace) : [],
      ),
      watch(ServiceAccount, ({ metadata }) => unpinnedIn(metadata.namespace)),
      whenConfigChanges(
        listers,
        Revision,
        "config-deployment",
        "config-observability",
        "config-autoscaler",
        "config-registries",
      ),
    ],
    wokenBy: desk.onAnswer,
    forget: desk.forget,

    async reconcile(revision, status) {
      status.set({ logUrl: logUrlOf(revision, config(), settings()) });
      if (!hasBuild(revision, status)) return undefined;
      const pinned = await pin(revision, status);
      if ("againInMs" in pinned) return { requeueAfterMs: pinned.againInMs };

      const deployment = await ensureDeployment(revision, pinned, status);
      if (deployment === undefined) return askAgain;

      for (const image of makeImages(revision, pinned))
        await ensure(Image, revision, image, { createOnly: true });

      // Every pod is heard, the gone ones too: a cause must outlive the pod that showed it.
      const hasServed = isInitialized(listers(PodAutoscaler).get(keyOf(revision)));
      const verdict = judgePods({
        deployment,
        pods: pods.list({
          namespace: revision.metadata.namespace ?? "",
          labels: { [serving.revisionUid]: revision.metadata.uid ?? "" },
        }),
        hasServed,
        healthySinceMs: healthySince(revision),
        wasAsleep: (revision.status?.actualReplicas ?? 0) === 0,
        before: { resources: status.get("ResourcesAvailable"), container: status.get("ContainerHealthy") },
        nowMs: clock.now(),
      });
      status.mark("ContainerHealthy", verdict.container);
      status.mark("ResourcesAvailable", verdict.resources);
      // Told with what is marked, which is kept even when the rest of the round loses a race.
      announce(revision, verdict.container, verdict.resources);

      const failed = !hasServed && isHopeless(verdict);
      const known = listers(PodAutoscaler).get(keyOf(revision));
      const wish = makePodAutoscaler(revision, failed, config(), known?.metadata.annotations);
      const autoscaler = await ensure(PodAutoscaler, revision, wish, { ownMetadata: true });
      if (autoscaler.outcome === "notOwned") {
        status.mark("ResourcesAvailable", notOwned("PodAutoscaler", autoscaler.object.metadata.name));
        return askAgain;
      }
      status.mark("Active", copied(conditionOf(autoscaler.object, "Active"), unknown("Deploying")));
      status.set({
        actualReplicas: deployment.status?.readyReplicas ?? 0,
        desiredReplicas: autoscaler.object.status?.desiredScale ?? deployment.spec?.replicas ?? 0,
      });
      return { requeueAfterMs: verdict.lookAgainInMs };
    },
  };

  /** Held back until the Build it waits for is done; true when there is none to wait for. */
  function hasBuild({ metadata, spec }: Revision, status: StatusReport): boolean {
    const name = spec.buildName;
    // Once done it has served its purpose, and may be deleted.
    if (!name || status.get("BuildSucceeded")?.status === "True") return true;
    const { condition } = judgeBuild(builds.get({ namespace: metadata.namespace ?? "", name }), name);
    status.mark("BuildSucceeded", condition);
    return condition.status === "True";
  }

  async function pin(
    revision: Revision,
    status: StatusReport,
  ): Promise<PinnedImages | { readonly againInMs: number | undefined }> {
    const { containerStatuses, initContainerStatuses } = revision.status ?? {};
    const { containers, initContainers = [] } = revision.spec;
    const open = [
      ...(containerStatuses === undefined ? containers : []),
      ...(initContainerStatuses === undefined ? initContainers : []),
    ];
    if (open.length === 0) {
      return { containers: containerStatuses ?? [], initContainers: initContainerStatuses ?? [] };
    }
    const models = initContainerStatuses === undefined ? modelImages(initContainers) : [];
    const found = await find(revision, [...open.map(({ image }) => image), ...models]);
    if (found.outcome === "asking") {
      const moreMs = found.sinceMs + digestPatienceMs - clock.now();
      if (moreMs > 0) return { againInMs: moreMs };
      status.mark("ContainerHealthy", unknown("ResolvingDigests"));
      status.mark("ResourcesAvailable", unknown("ResolvingDigests"));
      return { againInMs: undefined };
    }
    if (found.outcome === "failed") {
      // No resource was asked for yet: the image is all there is to tell of.
      status.clear("ResourcesAvailable");
      status.mark(
        "ContainerHealthy",
        no(
          "ContainerMissing",
          `Unable to fetch image '${found.image}': failed to resolve image to digest: ${found.because}`,
        ),
      );
      return { againInMs: found.againInMs };
    }
    const pinned = {
      containers: containerStatuses ?? digestsOf(containers, found.digests),
      initContainers: initContainerStatuses ?? [
        ...digestsOf(initContainers, found.digests),
        ...modelDigests(initContainers, found.digests),
      ],
    };
    status.set({
      containerStatuses: pinned.containers,
      initContainerStatuses: initContainers.length === 0 ? undefined : pinned.initContainers,
    });
    return pinned;
  }

  async function find(revision: Revision, images: readonly string[]): Promise<Found> {
    const { namespace = "" } = revision.metadata;
    const { imagePullSecrets, serviceAccountName = "default" } = revision.spec;
    const account = listers(ServiceAccount).get({ namespace, name: serviceAccountName });
    const secrets = pullSecretsOf(imagePullSecrets, account, (name) =>
      listers(Secret).get({ namespace, name }),
    );
    if ("because" in secrets) {
      const because = `failed to initialize authentication: ${secrets.because}`;
      return { outcome: "failed", image: images[0] ?? "", because, againInMs: undefined };
    }
    const { deployment, registries } = config();
    const found = await desk.ask(keyOf(revision), revision.metadata.uid ?? "", {
      images,
      credentials: secrets.credentials,
      registries,
      skipping: deployment.registriesSkippingTagResolving,
      timeoutMs: deployment.digestResolutionTimeoutMs,
    });
    if (found.outcome !== "failed" || found.wantsCredentials !== true || secrets.notes.length === 0) {
      return found;
    }
    return { ...found, because: `${found.because}; ${secrets.notes.join(", ")}` };
  }

  function unpinnedIn(namespace = "") {
    return listers(Revision)
      .list({ namespace })
      .filter(({ status }) => status?.containerStatuses === undefined)
      .map(keyOf);
  }

  async function ensureDeployment(revision: Revision, pinned: PinnedImages, status: StatusReport) {
    try {
      const ensured = await ensure(Deployment, revision, makeDeployment(revision, pinned, config()), {
        // Replicas belong to the autoscaler once the Deployment exists.
        keep: (live, wish) => ({
          ...wish,
          spec: { ...wish.spec, replicas: live.spec?.replicas } as Deployment["spec"],
        }),
      });
      if (ensured.outcome !== "notOwned") return ensured.object;
      status.mark("ResourcesAvailable", notOwned("Deployment", ensured.object.metadata.name));
      return undefined;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const told = `The controller could not create a deployment named ${deploymentName(revision)}.`;
      status.mark("ContainerHealthy", unknown("Deploying"));
      status.mark("ResourcesAvailable", no("NoDeployment", `${told} ${error.message}`));
      return undefined;
    }
  }

  // The history of good and bad days: conditions only know the present.
  function announce(revision: Revision, container: Judgement, resources: Judgement): void {
    const was = conditionOf(revision, "Ready")?.status;
    const failed = [container, resources].find((one) => one.status === "False");
    if (failed !== undefined && was !== "False") {
      recorder.event(revision, "Warning", "RevisionFailed", `${failed.reason}: ${failed.message}`);
    } else if (container.status === "True" && resources.status === "True" && was !== "True") {
      const text = "Revision becomes ready upon all resources being ready";
      recorder.event(revision, "Normal", "RevisionReady", text);
    }
  }
}

/** Its own container fails, or never answers. What is refused or missing may come any time, and costs nothing to wait for. */
function isHopeless({ container, resources }: PodsVerdict): boolean {
  if (container.status === "False") return container.reason.startsWith("ExitCode");
  return resources.status === "False" && resources.reason === "ProgressDeadlineExceeded";
}

function keyOf({ metadata }: Revision) {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

function healthySince(revision: Revision): number | undefined {
  const healthy = conditionOf(revision, "ContainerHealthy");
  return healthy?.status === "True" ? Date.parse(healthy.lastTransitionTime ?? "") : undefined;
}

function isInitialized(autoscaler: PodAutoscaler | undefined): boolean {
  return autoscaler !== undefined && conditionOf(autoscaler, "ScaleTargetInitialized")?.status === "True";
}

function revisionOf({ labels, namespace }: Pod["metadata"]) {
  const name = labels?.[serving.revision];
  return name === undefined ? [] : [{ namespace: namespace ?? "", name }];
}
