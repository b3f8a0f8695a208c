/**
 * An InferenceService is a model, served. This reconciler picks a runtime for it, keeps a Knative Service and a
 * VirtualService as the model needs them, and copies up what they report, causes first.
 */
import { asKind, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import {
  type ComponentStatus,
  InferenceService,
  type ModelStatus,
} from "../../../domain/apis/kserve/inferenceService.types.js";
import { ClusterServingRuntime, ServingRuntime } from "../../../domain/apis/kserve/runtime.types.js";
import {
  conditionOf,
  copied,
  type Judgement,
  no,
  unknown,
  yes,
} from "../../../domain/apis/meta/judgement.js";
import { kserve, serving } from "../../../domain/apis/serving/keys.js";
import { KnativeService } from "../../../domain/apis/serving/service.types.js";
import { judgeModel } from "../../../domain/diagnosis/index.js";
import { localDomain } from "../../../domain/traffic/index.js";
import { isRefusal } from "../../../ports/index.js";
import { whenConfigChanges } from "../config.js";
import type { ServingDeps } from "../deps.js";
import { guardedBy, whenPoliciesChange } from "../guarded.js";
import { domainOf, externalHost, externalUrl, localHost } from "../names.js";
import { judgeProbed } from "../probed.js";
import { askAgain, notOwned } from "../taken.js";
import { choosePredictor } from "./choose.js";
import { makeAlias, makePredictorService, makeVirtualService, predictorName } from "./make.js";
import { trafficOf, withRollout } from "./rollout.js";

export function inferenceServiceReconciler({
  client,
  listers,
  clock,
  recorder,
  settings,
  prober,
  config,
}: ServingDeps): Reconciler<InferenceService> {
  const ensure = ensureOwned(client, listers);

  return {
    kind: InferenceService,
    conditions: {
      ready: ["PredictorReady", "IngressReady"],
      info: [
        "PredictorConfigurationReady",
        "PredictorRouteReady",
        "RoutesReady",
        "LatestDeploymentReady",
        "Stopped",
      ],
    },
    owns: [asKind(KnativeService), asKind(VirtualService), asKind(Service)],
    watches: [
      watch(Pod, (pod) => named(pod.metadata.namespace, pod.metadata.labels?.[kserve.inferenceService]), {
        isNews: true,
      }),
      watch(ServingRuntime, (runtime) => unready(runtime.metadata.namespace)),
      watch(ClusterServingRuntime, () => unready(undefined)),
      ...whenPoliciesChange(listers, InferenceService),
      // What was refused may be allowed now.
      whenConfigChanges(listers, InferenceService, "config-domain", "config-defaults", "config-features"),
    ],

    async reconcile(service, status) {
      const { name, namespace = "" } = service.metadata;
      status.mark("Stopped", no("", ""));
      status.set({ deploymentMode: "Knative" });

      const chosen = choosePredictor(
        service,
        listers(ServingRuntime).list({ namespace }),
        listers(ClusterServingRuntime).list(),
      );
      if (chosen.outcome === "invalid") {
        status.mark("PredictorReady", no(chosen.reason, chosen.message));
        status.mark("IngressReady", unknown("Predictor ingress not created"));
        status.set({ modelStatus: invalidSpec(chosen) });
        return undefined;
      }
      status.set({
        servingRuntimeName: chosen.servingRuntimeName,
        clusterServingRuntimeName: chosen.clusterServingRuntimeName,
      });

      const before = service.status?.components?.["predictor"] ?? {};
      const wish = makePredictorService(service, chosen, trafficOf(service, before), config());
      const predictor = await ensure(KnativeService, service, wish, { exact: ["spec"] }).catch(refused);
      if (predictor.outcome === "refused") {
        status.mark("PredictorReady", no("ServiceFailed", predictor.because));
        return askAgain;
      }
      if (predictor.outcome === "notOwned") {
        status.mark("PredictorReady", notOwned("Service", predictorName(name)));
        return askAgain;
      }
      const ksvc = predictor.object;
      const current = ksvc.status?.observedGeneration === ksvc.metadata.generation;
      const ready = current
        ? copied(conditionOf(ksvc, "Ready"))
        : unknown("OutOfDate", "The Knative Service is still working on the latest wish.");
      status.mark("PredictorReady", ready);
      markDetails(ksvc, status);
      status.set({ components: { predictor: componentStatus(ksvc, before) } });
      status.set({ modelStatus: judgeModel(service, ksvc, podsOf(ksvc, namespace), clock.now()) });

      const ingress = await serveIngress();
      status.mark("IngressReady", ingress.verdict);
      announce(ready.status === "True" && ingress.verdict.status === "True");
      return { requeueAfterMs: ingress.lookAgainInMs };

      async function serveIngress(): Promise<{
        readonly verdict: Judgement;
        readonly lookAgainInMs?: number | undefined;
      }> {
        if (ready.status !== "True" && service.status?.url === undefined) {
          return { verdict: unknown("Predictor ingress not created") };
        }
        const { externalPort } = settings();
        const domain = domainOf(service.metadata.labels, config(), settings());
        await ensure(Service, service, makeAlias(service));
        const routes = makeVirtualService(service, domain);
        await ensure(VirtualService, service, routes, { exact: ["spec"] });
        const outside = domain !== localDomain;
        const inside = localHost(name, namespace);
        const host = outside ? externalHost(name, namespace, domain) : inside;
        const probed = await prober.probe({
          owner: `InferenceService ${namespace}/${name}`,
          version: JSON.stringify(routes.spec),
          guarded: guardedBy(listers, namespace),
          targets: [
            ...(outside ? [{ host, visibility: "external" as const, hash: undefined }] : []),
            { host: inside, visibility: "local", hash: undefined },
          ],
        });
        const { verdict, news } = judgeProbed(service, "IngressReady", probed);
        if (news !== undefined) recorder.event(service, "Warning", news.reason, news.message);
        if (verdict.status !== "True") return { verdict, lookAgainInMs: probed.againMs };
        status.set({
          url: outside ? externalUrl(host, externalPort) : `http://${host}`,
          address: { url: `http://${inside}` },
        });
        return { verdict, lookAgainInMs: probed.againMs };
      }

      function announce(isNow: boolean): void {
        const was = conditionOf(service, "Ready")?.status;
        if (isNow && was !== "True")
          recorder.event(service, "Normal", "InferenceServiceReady", `InferenceService [${name}] is Ready`);
        if (!isNow && was === "True") {
          const why = ready.status !== "True" ? "PredictorReady" : "IngressReady";
          recorder.event(
            service,
            "Warning",
            "InferenceServiceNotReady",
            `InferenceService [${name}] is no longer Ready because of: ${why}`,
          );
        }
      }
    },
  };

  function podsOf(ksvc: KnativeService, namespace: string): readonly Pod[] {
    const revision = ksvc.status?.latestCreatedRevisionName;
    return revision === undefined
      ? []
      : listers(Pod).list({ namespace, labels: { [serving.revision]: revision } });
  }

  /** A new or changed runtime may be what those that are not ready were waiting for. */
  function unready(namespace: string | undefined) {
    return listers(InferenceService)
      .list(namespace === undefined ? undefined : { namespace })
      .filter((service) => conditionOf(service, "Ready")?.status !== "True")
      .map((service) => ({ namespace: service.metadata.namespace ?? "", name: service.metadata.name }));
  }
}

/** Knative's rules are its own: what of the predictor they refuse is news for the user, in their words. */
function refused(error: unknown): { readonly outcome: "refused"; readonly because: string } {
  if (!isRefusal(error)) throw error;
  return { outcome: "refused", because: `Service creation failed with message: ${error.message}.` };
}

function markDetails(ksvc: KnativeService, status: Parameters<Reconciler["reconcile"]>[1]): void {
  const configuration = copied(conditionOf(ksvc, "ConfigurationsReady"));
  const route = copied(conditionOf(ksvc, "RoutesReady"));
  status.mark("PredictorConfigurationReady", configuration);
  status.mark("PredictorRouteReady", route);
  status.mark("LatestDeploymentReady", summed(configuration, "PredictorConfigurationReady not ready"));
  status.mark("RoutesReady", summed(route, "PredictorRouteReady not ready"));
}

function summed(judged: Judgement, reason: string): Judgement {
  return judged.status === "True" ? yes : { status: judged.status, reason, message: judged.message ?? "" };
}

function componentStatus(ksvc: KnativeService, before: ComponentStatus): ComponentStatus {
  return withRollout(
    {
      ...before,
      latestCreatedRevision: ksvc.status?.latestCreatedRevisionName,
      latestReadyRevision: ksvc.status?.latestReadyRevisionName,
      traffic: ksvc.status?.traffic,
      ...(conditionOf(ksvc, "Ready")?.status === "True" ? { url: ksvc.status?.url } : {}),
      address: ksvc.status?.address,
    },
    before,
  );
}

function invalidSpec({
  reason,
  message,
}: {
  readonly reason: string;
  readonly message: string;
}): ModelStatus {
  return {
    transitionStatus: "InvalidSpec",
    states: { activeModelState: "", targetModelState: "FailedToLoad" },
    lastFailureInfo: { reason, message },
  };
}

function named(namespace: string | undefined, name: string | undefined) {
  return name === undefined ? [] : [{ namespace: namespace ?? "", name }];
}
