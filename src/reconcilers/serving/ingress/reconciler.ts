/**
 * A Knative Ingress is what a Route asks of the gateway. This reconciler says it in the gateway's language,
 * VirtualService, and believes it is served only when the gateway itself answers with it.
 */
import { asKind, ensureOwned, type Reconciler } from "../../../controller/index.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import { conditionOf, type Judgement, unknown, yes } from "../../../domain/apis/meta/judgement.js";
import { type IngressRule, KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { gateways } from "../../../domain/apis/serving/keys.js";
import type { ServingDeps } from "../deps.js";
import { probeAgainMs } from "../limits.js";
import { askAgain, notOwned } from "../taken.js";
import { ingressHash, makeVirtualServices } from "./make.js";

export function ingressReconciler({
  client,
  listers,
  clock,
  prober,
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

      for (const rule of ingress.spec.rules) {
        const { hosts, visibility } = rule;
        const host = hosts.at(-1) ?? "";
        const probed = await prober.probe({
          host,
          hash: expectedHash(ingress, rule, hash),
          visibility: visibility === "ExternalIP" ? "external" : "local",
        });
        if (probed.outcome === "notReady") {
          const message = `Waiting for load balancer to be ready: ${probed.because}`;
          // The debug guide's word for probes that fail is what users look for; upstream's own stays beneath it.
          const inReady = { reason: "IngressNotConfigured", message };
          status.mark("LoadBalancerReady", { ...unknown("Uninitialized", message), inReady } as Judgement);
          const since = conditionOf(ingress, "LoadBalancerReady")?.lastTransitionTime;
          return { requeueAfterMs: probeAgainMs(since === undefined ? 0 : clock.now() - Date.parse(since)) };
        }
      }
      status.mark("LoadBalancerReady", yes);
      const balancer = { ingress: [{ domainInternal: gateways.localHost }] };
      status.set({ publicLoadBalancer: balancer, privateLoadBalancer: balancer });
      return undefined;
    },
  };
}
