/**
 * A Route says which Revisions a name reaches. This reconciler resolves its targets, asks the gateway for them
 * through a Knative Ingress, and tells the Revisions whether they are still wanted.
 */
import { asKind, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { conditionOf, copied, type Judgement, no, unknown } from "../../../domain/apis/meta/judgement.js";
import { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { networking, serving } from "../../../domain/apis/serving/keys.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { Route } from "../../../domain/apis/serving/route.types.js";
import { resolveTraffic, type Share } from "../../../domain/traffic/index.js";
import type { ServingDeps } from "../deps.js";
import { externalHost, externalUrl, localHost } from "../names.js";
import { routingLabeler } from "./labeler.js";
import { makeIngress, makePlaceholder, placeholderNames } from "./make.js";

export function routeReconciler(deps: ServingDeps): Reconciler<Route> {
  const { client, listers, settings, recorder } = deps;
  const ensure = ensureOwned(client, listers);
  const label = routingLabeler(deps);

  return {
    kind: Route,
    conditions: { ready: ["AllTrafficAssigned", "CertificateProvisioned", "IngressReady"] },
    owns: [asKind(KnativeIngress), asKind(Service)],
    watches: [
      watch(Configuration, (configuration) => routesOf(configuration.metadata)),
      watch(Revision, (revision) => routesOf(revision.metadata)),
    ],

    async reconcile(route, status) {
      const { name, namespace = "" } = route.metadata;
      const { shares, verdict } = resolveTraffic(route.spec.traffic ?? [], {
        configuration: (key) => listers(Configuration).get({ namespace, name: key }),
        revision: (key) => listers(Revision).get({ namespace, name: key }),
      });
      status.mark("AllTrafficAssigned", verdict);
      status.mark("CertificateProvisioned", {
        status: "True",
        reason: "TLSNotEnabled",
        message: "external-domain-tls is not enabled",
      });
      status.set({ url: urlOf(route, settings()), address: { url: `http://${localHost(name, namespace)}` } });
      await label(route, shares);

      // Bad targets leave what is being served as it was.
      if (verdict.status !== "True") {
        if (status.get("IngressReady") === undefined)
          status.mark("IngressReady", unknown("IngressNotConfigured", notYet));
        return;
      }
      status.set({ traffic: shares.map((share) => withUrl(share, route, settings())) });

      for (const placeholder of placeholderNames(route, shares)) {
        const service = await ensure(Service, route, makePlaceholder(route, placeholder));
        if (service.outcome === "notOwned") {
          status.mark(
            "IngressReady",
            no("NotOwned", `There is an existing placeholder Service "${placeholder}" that we do not own.`),
          );
          return;
        }
        if (service.outcome === "created")
          recorder.event(route, "Normal", "Created", `Created placeholder service "${placeholder}"`);
      }
      const ingress = await ensure(KnativeIngress, route, makeIngress(route, shares, settings()), {
        exact: ["spec"],
      });
      if (ingress.outcome === "created")
        recorder.event(route, "Normal", "Created", `Created Ingress "${ingress.object.metadata.name}"`);
      const judged =
        ingress.outcome === "notOwned"
          ? no("NotOwned", `There is an existing Ingress "${name}" that we do not own.`)
          : judgeIngress(ingress.object);
      status.mark("IngressReady", judged);
      // The old Revisions are let go only when the gateway has the new ones.
      if (judged.status === "True") await label(route, shares, { release: true });
    },

    async finalize(route) {
      await label(route, [], { release: true });
    },
    finalizer: "routes.serving.knative.dev",
  };
}

const notYet = "Ingress has not yet been reconciled.";

function judgeIngress(ingress: KnativeIngress): Judgement {
  if (ingress.status?.observedGeneration !== ingress.metadata.generation)
    return unknown("IngressNotConfigured", notYet);
  return copied(conditionOf(ingress, "Ready"), unknown("IngressNotConfigured", notYet));
}

function urlOf({ metadata }: Route, { domain, externalPort }: ReturnType<ServingDeps["settings"]>): string {
  const { name, namespace = "", labels } = metadata;
  return labels?.[networking.visibility] === "cluster-local"
    ? `http://${localHost(name, namespace)}`
    : externalUrl(externalHost(name, namespace, domain), externalPort);
}

function withUrl(
  share: Share,
  { metadata }: Route,
  { domain, externalPort }: ReturnType<ServingDeps["settings"]>,
) {
  const { tag, ...rest } = share;
  if (tag === undefined) return rest;
  return {
    ...rest,
    tag,
    url: externalUrl(externalHost(`${tag}-${metadata.name}`, metadata.namespace ?? "", domain), externalPort),
  };
}

function routesOf({ annotations, namespace = "", labels, name }: Configuration["metadata"]) {
  const listed = (annotations?.[serving.routes] ?? "").split(",").filter((one) => one !== "");
  // A Route under its Service's name is woken even before it is listed anywhere.
  const likely = labels?.[serving.service] ?? name;
  return [...new Set([...listed, likely])].map((one) => ({ namespace, name: one }));
}
