/**
 * A Knative Ingress is what a Route asks of the gateway. This reconciler says it in the gateway's language,
 * VirtualService, and believes it is served only when the gateway itself answers with it.
 */
import { asKind, controllerUid, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import { Secret } from "../../../domain/apis/core/config.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { certificatePlaces, parseGateway } from "../../../domain/apis/istio/gateway.parse.js";
import { Gateway } from "../../../domain/apis/istio/gateway.types.js";
import { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import { yes } from "../../../domain/apis/meta/judgement.js";
import { type IngressRule, KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { gateways } from "../../../domain/apis/serving/keys.js";
import type { ServingDeps } from "../deps.js";
import { guardedBy, whenPoliciesChange } from "../guarded.js";
import { judgeProbed } from "../probed.js";
import { askAgain, notOwned } from "../taken.js";
import { gatewayName, ingressHash, makeGateway, makeVirtualServices } from "./make.js";

export function ingressReconciler({
  client,
  listers,
  prober,
  recorder,
}: ServingDeps): Reconciler<KnativeIngress> {
  const ensure = ensureOwned(client, listers);
  const ingresses = listers(KnativeIngress);
  const services = listers(Service);

  /**
   * A mapped domain is answered by what it is mapped to, with that one's hash; unless it is a plain Service, whose
   * pods know of none but ours. Of an alias that no KIngress serves, any answer must do.
   */
  function expectedHash(ingress: KnativeIngress, rule: IngressRule, own: string): string | undefined {
    const target = rule.http?.paths.find((path) => path.rewriteHost)?.rewriteHost;
    if (target === undefined) return own;
    const { namespace = "" } = ingress.metadata;
    const serving = ingresses
      .list({ namespace })
      .find(({ spec }) =>
        spec.rules.some(({ hosts, visibility }) => visibility === "ClusterLocal" && hosts.includes(target)),
      );
    if (serving !== undefined) return ingressHash(serving);
    const service = services.get({ namespace, name: target.split(".")[0] ?? "" });
    return service?.spec?.type === "ExternalName" ? undefined : own;
  }

  /** Sent to https, a client must find somebody there. */
  function speaksHttps({ spec }: KnativeIngress): boolean {
    if ((spec.tls ?? []).length > 0) return true;
    const [namespace = "", name = ""] = gateways.external.split("/");
    const shared = listers(Gateway).get({ namespace, name });
    const read = shared && parseGateway(shared);
    if (read?.outcome !== "parsed") return false;
    return read.parsed.servers.some(
      ({ tls }) => tls !== undefined && certificatePlaces(tls, namespace).secrets.some(isThere),
    );
  }

  function isThere(secret: string): boolean {
    const [namespace = "", name = ""] = secret.split("/");
    return listers(Secret).get({ namespace, name }) !== undefined;
  }

  function redirected() {
    return ingresses
      .list()
      .filter(({ spec }) => spec.httpOption === "Redirected")
      .map(({ metadata }) => ({ namespace: metadata.namespace ?? "", name: metadata.name }));
  }

  async function removeGateway(ingress: KnativeIngress): Promise<void> {
    const key = { namespace: ingress.metadata.namespace ?? "", name: gatewayName(ingress) };
    const old = listers(Gateway).get(key);
    if (old === undefined || controllerUid(old) !== ingress.metadata.uid) return;
    await client.delete(asKind(Gateway), key, { preconditions: { uid: old.metadata.uid } });
  }

  return {
    kind: KnativeIngress,
    conditions: { ready: ["NetworkConfigured", "LoadBalancerReady"] },
    owns: [asKind(VirtualService), asKind(Gateway)],
    watches: [
      watch(Gateway, redirected),
      watch(Secret, redirected),
      ...whenPoliciesChange(listers, KnativeIngress),
    ],

    async reconcile(ingress, status) {
      const hash = ingressHash(ingress);
      const opened = makeGateway(ingress);
      if (opened === undefined) await removeGateway(ingress);
      else {
        const written = await ensure(Gateway, ingress, opened, { exact: ["spec"] });
        if (written.outcome === "notOwned") {
          status.mark("NetworkConfigured", notOwned("Gateway", opened.metadata.name));
          return askAgain;
        }
      }
      for (const wish of makeVirtualServices(ingress, hash, { https: speaksHttps(ingress) })) {
        const written = await ensure(VirtualService, ingress, wish, { exact: ["spec"] });
        if (written.outcome === "notOwned") {
          status.mark("NetworkConfigured", notOwned("VirtualService", wish.metadata.name));
          return askAgain;
        }
      }
      status.mark("NetworkConfigured", yes);

      const { namespace, name } = ingress.metadata;
      const probed = await prober.probe({
        owner: `Ingress ${namespace}/${name}`,
        version: hash,
        guarded: guardedBy(listers, namespace ?? ""),
        targets: outsideFirst(ingress.spec.rules).flatMap((rule) => {
          const visibility = rule.visibility === "ExternalIP" ? ("external" as const) : ("local" as const);
          const expected = expectedHash(ingress, rule, hash);
          return rule.hosts.map((host) => ({ host, visibility, hash: expected }));
        }),
      });
      const { verdict, news } = judgeProbed(ingress, "LoadBalancerReady", probed);
      status.mark("LoadBalancerReady", verdict);
      if (news !== undefined) recorder.event(ingress, "Warning", news.reason, news.message);
      if (verdict.status !== "True") return { requeueAfterMs: probed.againMs };

      const balancer = { ingress: [{ domainInternal: gateways.localHost }] };
      status.set({ publicLoadBalancer: balancer, privateLoadBalancer: balancer });
      return { requeueAfterMs: probed.againMs };
    },
  };
}

/** Of several hosts that do not answer, the one that users ask for is told of. */
function outsideFirst(rules: readonly IngressRule[]): readonly IngressRule[] {
  const outside = rules.filter(({ visibility }) => visibility === "ExternalIP");
  return [...outside, ...rules.filter(({ visibility }) => visibility !== "ExternalIP")];
}
