/**
 * A Knative Service is a Configuration and a Route under one name. This reconciler keeps the two as the
 * Service says, and copies up what they report.
 */
import { asKind, type Deps, ensureOwned, type Reconciler } from "../../../controller/index.js";
import { conditionOf, copied, type Judgement, no, unknown } from "../../../domain/apis/meta/judgement.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { Route } from "../../../domain/apis/serving/route.types.js";
import { KnativeService } from "../../../domain/apis/serving/service.types.js";
import { isManual } from "../../../domain/apis/serving/v1alpha1/form.js";
import { presentRevision } from "../configuration/choose.js";
import { askAgain, notOwned } from "../taken.js";
import { makeConfiguration, makeRoute } from "./make.js";

export function serviceReconciler({ client, listers, recorder }: Deps): Reconciler<KnativeService> {
  const ensure = ensureOwned(client, listers);
  const owned = { exact: ["spec"], ownMetadata: true } as const;

  return {
    kind: KnativeService,
    conditions: { ready: ["ConfigurationsReady", "RoutesReady"] },
    owns: [asKind(Configuration), asKind(Route)],

    async reconcile(service, status) {
      const { name, namespace = "" } = service.metadata;
      if (isManual(service)) {
        status.mark("ConfigurationsReady", manual);
        status.mark("RoutesReady", manual);
        return undefined;
      }
      const live = listers(Configuration).get({ namespace, name });
      const configuration = await ensure(Configuration, service, makeConfiguration(service, live), owned);
      if (configuration.outcome === "notOwned") {
        status.mark("ConfigurationsReady", notOwned("Configuration", name));
        return askAgain;
      }
      if (configuration.outcome === "created")
        recorder.event(service, "Normal", "Created", `Created Configuration "${name}"`);
      const judged = judgeConfiguration(configuration.object);
      status.mark("ConfigurationsReady", judged);
      status.set({
        latestCreatedRevisionName: configuration.object.status?.latestCreatedRevisionName,
        latestReadyRevisionName: configuration.object.status?.latestReadyRevisionName,
      });

      // A Revision that is asked for by name must be there, and be ours, before traffic may follow the name.
      const asked = service.spec.template?.metadata?.name;
      if (asked && isTaken(asked, configuration.object)) {
        status.mark("RoutesReady", nameTaken(asked));
        return askAgain;
      }
      if (asked && isOutOfDate(configuration.object)) return undefined;

      const route = await ensure(Route, service, makeRoute(service), owned);
      if (route.outcome === "notOwned") {
        status.mark("RoutesReady", notOwned("Route", name));
        return askAgain;
      }
      if (route.outcome === "created")
        recorder.event(service, "Normal", "Created", `Created Route "${name}"`);
      status.mark("RoutesReady", judgeRoute(route.object, configuration.object));
      status.set({
        url: route.object.status?.url,
        address: route.object.status?.address,
        traffic: route.object.status?.traffic,
      });
      return undefined;
    },
  };

  function isTaken(name: string, configuration: Configuration): boolean {
    const named = listers(Revision).get({ namespace: configuration.metadata.namespace ?? "", name });
    const mine = listers(Revision).controlledBy(configuration.metadata.uid ?? "");
    return presentRevision(configuration, mine, named).outcome === "conflict";
  }
}

const manual = unknown("Manual", "Service is set to Manual, and is not managing underlying resources.");

function isOutOfDate({ metadata, status }: Configuration | Route): boolean {
  return status?.observedGeneration !== metadata.generation;
}

function judgeConfiguration(configuration: Configuration): Judgement {
  return isOutOfDate(configuration)
    ? unknown("OutOfDate", "The Configuration is still working to reflect the latest desired specification.")
    : copied(conditionOf(configuration, "Ready"));
}

function judgeRoute(route: Route, configuration: Configuration): Judgement {
  if (isOutOfDate(route))
    return unknown("OutOfDate", "The Route is still working to reflect the latest desired specification.");
  const judged = copied(conditionOf(route, "Ready"));
  if (judged.status !== "True") return judged;
  const wished = (route.spec.traffic ?? []).map(
    (target) => target.revisionName ?? configuration.status?.latestReadyRevisionName,
  );
  const actual = new Set((route.status?.traffic ?? []).map((target) => target.revisionName));
  return wished.every((name) => actual.has(name))
    ? judged
    : unknown("TrafficNotMigrated", "Traffic is not yet migrated to the latest revision.");
}

function nameTaken(name: string): Judgement {
  const because = "is taken by a conflicting Revision, so traffic will not be migrated";
  return no("RevisionNameTaken", `The revision name "${name}" ${because}`);
}
