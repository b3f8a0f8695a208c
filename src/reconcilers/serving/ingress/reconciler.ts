/**
 * A Knative Ingress is what a Route asks of the gateway. This reconciler says it in the gateway's language,
 * VirtualService, and believes it is served only when the gateway itself answers with it.
 */
import { asKind, ensureOwned, type Reconciler } from "../../../controller/index.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import { yes } from "../../../domain/apis/meta/judgement.js";
import { type IngressRule, KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { gateways } from "../../../domain/apis/serving/keys.js";
import type { ServingDeps } from "../deps.js";
import { judgeProbed } from "../probed.js";
import { askAgain, notOwned } from "../taken.js";
import { ingressHash, makeVirtualServices } from "./make.js";

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

  return {
    kind: KnativeIngress,
    conditions: { ready: ["NetworkConfigured", "LoadBalancerReady"] },
    owns: [asKind(VirtualService)],

    async reconcile(ingress, status) {
      const hash = ingressHash(ingress);
      for (const wish of makeVirtualServices(ingress, hash)) {
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
        guarded: "",
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
