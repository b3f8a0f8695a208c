/**
 * A Knative Service is a Configuration and a Route under one name. This reconciler keeps the two as the
 * Service says, and copies up what they report.
 */
import { asKind, type Deps, ensureOwned, type Reconciler } from "../../../controller/index.js";
import { conditionOf, copied, type Judgement, no, unknown } from "../../../domain/apis/meta/judgement.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { Route } from "../../../domain/apis/serving/route.types.js";
import { KnativeService } from "../../../domain/apis/serving/service.types.js";
import { makeConfiguration, makeRoute } from "./make.js";

export function serviceReconciler({ client, listers, recorder }: Deps): Reconciler<KnativeService> {
  const ensure = ensureOwned(client, listers);

  return {
    kind: KnativeService,
    conditions: { ready: ["ConfigurationsReady", "RoutesReady"] },
    owns: [asKind(Configuration), asKind(Route)],

    async reconcile(service, status) {
      const configuration = await ensure(Configuration, service, makeConfiguration(service), {
        exact: ["spec"],
      });
      if (configuration.outcome === "notOwned") {
        status.mark("ConfigurationsReady", notOwned("Configuration", service.metadata.name));
        return;
      }
      if (configuration.outcome === "created") {
        recorder.event(service, "Normal", "Created", `Created Configuration "${service.metadata.name}"`);
      }
      status.mark("ConfigurationsReady", judgeConfiguration(configuration.object));
      status.set({
        latestCreatedRevisionName: configuration.object.status?.latestCreatedRevisionName,
        latestReadyRevisionName: configuration.object.status?.latestReadyRevisionName,
      });

      const route = await ensure(Route, service, makeRoute(service), { exact: ["spec"] });
      if (route.outcome === "notOwned") {
        status.mark("RoutesReady", notOwned("Route", service.metadata.name));
        return;
      }
      if (route.outcome === "created") {
        recorder.event(service, "Normal", "Created", `Created Route "${service.metadata.name}"`);
      }
      status.mark("RoutesReady", judgeRoute(route.object, configuration.object));
      status.set({
        url: route.object.status?.url,
        address: route.object.status?.address,
        traffic: route.object.status?.traffic,
      });
    },
  };
}

function judgeConfiguration(configuration: Configuration): Judgement {
  if (configuration.status?.observedGeneration !== configuration.metadata.generation) {
    return unknown(
      "OutOfDate",
      "The Configuration is still working to reflect the latest desired specification.",
    );
  }
  return copied(conditionOf(configuration, "Ready"));
}

function judgeRoute(route: Route, configuration: Configuration): Judgement {
  if (route.status?.observedGeneration !== route.metadata.generation) {
    return unknown("OutOfDate", "The Route is still working to reflect the latest desired specification.");
  }
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

function notOwned(kind: string, name: string): Judgement {
  return no("NotOwned", `There is an existing ${kind} "${name}" that we do not own.`);
}
