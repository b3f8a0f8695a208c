/**
 * A DomainMapping gives a domain of the user's own to something that has an address. This reconciler sees to it that
 * the domain is the namespace's, finds what it leads to, and asks the gateway for it.
 */
import { asKind, ensureOwned, type Reconciler, watch } from "../../../controller/index.js";
import type { NetworkConfig } from "../../../domain/apis/config/index.js";
import type { Resource } from "../../../domain/apis/kind.js";
import { type Judgement, no, yes } from "../../../domain/apis/meta/judgement.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { ClusterDomainClaim } from "../../../domain/apis/networking/clusterDomainClaim.types.js";
import { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { DomainMapping } from "../../../domain/apis/serving/domainMapping.types.js";
import type { Key } from "../../../ports/index.js";
import { whenConfigChanges } from "../config.js";
import type { ServingDeps } from "../deps.js";
import { externalUrl } from "../names.js";
import { judgeCertificate, judgeIngress, keepAsked } from "../route/judge.js";
import { httpOptionOf, ingressClassOf } from "../route/make.js";
import { askAgain, notOwned } from "../taken.js";
import { domainClaims } from "./claim.js";
import { makeMappingIngress } from "./make.js";
import { addressables, refersTo, resolveReference } from "./reference.js";

export function domainMappingReconciler(deps: ServingDeps): Reconciler<DomainMapping> {
  const { client, listers, settings, clock, config, recorder } = deps;
  const ensure = ensureOwned(client, listers);
  const claims = domainClaims(deps);
  const mappings = listers(DomainMapping);

  function referringTo(object: Resource): readonly Key[] {
    return mappings
      .list({ namespace: object.metadata.namespace ?? "" })
      .filter((mapping) => refersTo(mapping, object))
      .map(keyOf);
  }

  return {
    kind: DomainMapping,
    conditions: {
      ready: ["DomainClaimed", "CertificateProvisioned", "ReferenceResolved", "IngressReady"],
    },
    owns: [asKind(KnativeIngress)],
    watches: [
      watch(ClusterDomainClaim, (claim) =>
        mappings
          .list()
          .filter(({ metadata }) => metadata.name === claim.metadata.name)
          .map(keyOf),
      ),
      ...addressables.map((kind) => watch(kind, referringTo)),
      whenConfigChanges(listers, DomainMapping, "config-deployment", "config-network"),
    ],

    async reconcile(mapping, status) {
      const { name } = mapping.metadata;
      const { network, deployment } = config();
      // Https has no listener here, so a certificate does not change the URL that works.
      const url = externalUrl(name, settings().externalPort, network.defaultExternalScheme);
      status.set({ url, address: { url } });

      const claimed = await claims.ensure(mapping);
      status.mark("DomainClaimed", claimed);
      if (claimed.status !== "True") return undefined;
      status.mark("CertificateProvisioned", certificateOf(mapping, network));

      const target = resolveReference(mapping, listers);
      status.mark("ReferenceResolved", "because" in target ? no("ResolveFailed", target.because) : yes);
      if ("because" in target) return undefined;
      const http = httpOptionOf(mapping, network);
      if ("because" in http) {
        status.mark("IngressReady", no("ErrorConfig", http.because));
        return undefined;
      }

      const wish = makeMappingIngress(mapping, {
        service: target.service,
        ingressClass: ingressClassOf(mapping.metadata.annotations, network),
        httpOption: http.option,
        askedAt: isoSeconds(clock.now()),
      });
      const ingress = await ensure(KnativeIngress, mapping, wish, { exact: ["spec"], keep: keepAsked });
      if (ingress.outcome === "notOwned") {
        status.mark("IngressReady", notOwned("Ingress", wish.metadata.name));
        return askAgain;
      }
      if (ingress.outcome === "created")
        recorder.event(mapping, "Normal", "Created", `Created Ingress "${wish.metadata.name}"`);
      const { ready, lookAgainInMs } = judgeIngress(ingress.object, {
        gradual: false,
        nowMs: clock.now(),
        deadlineSeconds: deployment.progressDeadlineSeconds,
      });
      status.mark("IngressReady", ready);
      return { requeueAfterMs: lookAgainInMs };
    },

    async finalize(mapping) {
      await claims.release(mapping);
    },
    finalizer: "domainmappings.serving.knative.dev",
  };
}

function certificateOf(mapping: DomainMapping, network: NetworkConfig): Judgement {
  return mapping.spec.tls?.secretName
    ? {
        status: "True",
        reason: "CertificateExternallyProvided",
        message: "TLS certificate was provided externally",
      }
    : judgeCertificate(mapping, true, network, mapping.metadata.name);
}

function keyOf({ metadata }: DomainMapping): Key {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}
