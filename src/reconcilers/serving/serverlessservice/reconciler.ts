/**
 * A ServerlessService is a Revision's two Services: a private one that selects its pods, and a public one
 * that requests are sent to, which leads to those pods, or to whoever holds requests until there are some.
 */
import { asKind, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import { Deployment } from "../../../domain/apis/apps/apps.types.js";
import { Endpoints } from "../../../domain/apis/core/endpoints.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { no, unknown, yes } from "../../../domain/apis/meta/judgement.js";
import { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { networking } from "../../../domain/apis/serving/keys.js";
import type { ServingDeps } from "../deps.js";
import { askAgain } from "../taken.js";
import {
  hasReady,
  isProxied,
  makePrivateService,
  makePublicEndpoints,
  makePublicService,
  privateName,
} from "./make.js";

export function serverlessServiceReconciler({
  client,
  listers,
  settings,
}: ServingDeps): Reconciler<ServerlessService> {
  const ensure = ensureOwned(client, listers);
  const endpoints = listers(Endpoints);
  const deployments = listers(Deployment);

  return {
    kind: ServerlessService,
    conditions: { ready: ["EndpointsPopulated"], info: ["ActivatorEndpointsPopulated"] },
    owns: [asKind(Service), asKind(Endpoints)],
    watches: [watch(Endpoints, servedBy)],

    async reconcile(services, status) {
      const { name, namespace = "" } = services.metadata;
      const deployment = deployments.get({ namespace, name: services.spec.objectRef.name });
      const hidden = await ensure(Service, services, makePrivateService(services, deployment));
      const shown = await ensure(Service, services, makePublicService(services));
      for (const one of [hidden, shown]) {
        if (one.outcome !== "notOwned") continue;
        status.mark(
          "EndpointsPopulated",
          no("NotOwned", `Resource ${one.object.metadata.name} of type Service is not owned by SKS`),
        );
        return askAgain;
      }
      status.set({ serviceName: name, privateServiceName: privateName(services) });

      const behind = endpoints.get({ namespace, name: privateName(services) });
      const wish = makePublicEndpoints(services, behind, settings().activator);
      const made = await ensure(Endpoints, services, wish, { exact: ["subsets"] });
      if (made.outcome === "notOwned") {
        status.mark(
          "EndpointsPopulated",
          no("NotOwned", `Resource ${name} of type Endpoints is not owned by SKS`),
        );
        return askAgain;
      }
      status.mark(
        "EndpointsPopulated",
        hasReady(behind) ? yes : unknown("NoHealthyBackends", "K8s Service is not ready"),
      );
      const text = { reason: "ActivatorEndpointsPopulated", message: "Revision is backed by Activator" };
      status.mark("ActivatorEndpointsPopulated", {
        status: isProxied(services, behind) ? "True" : "False",
        ...text,
      });
      return undefined;
    },
  };
}

function servedBy(endpoints: Endpoints) {
  const name = endpoints.metadata.labels?.[networking.serverlessService];
  return name === undefined ? [] : [{ namespace: endpoints.metadata.namespace ?? "", name }];
}
