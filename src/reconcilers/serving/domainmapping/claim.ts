// Whose a domain is: one ClusterDomainClaim of the domain's name gives it to one namespace.
import { asKind } from "../../../controller/index.js";
import { type Judgement, no, yes } from "../../../domain/apis/meta/judgement.js";
import { ClusterDomainClaim } from "../../../domain/apis/networking/clusterDomainClaim.types.js";
import type { DomainMapping } from "../../../domain/apis/serving/domainMapping.types.js";
import { isPortError } from "../../../ports/index.js";
import type { ServingDeps } from "../deps.js";

export function domainClaims({ client, listers, config }: ServingDeps) {
  const claims = listers(ClusterDomainClaim);
  const keyOf = ({ metadata }: DomainMapping) => ({ namespace: "", name: metadata.name });
  const autocreates = () => config().network.autocreateClusterDomainClaims;

  async function claimed(mapping: DomainMapping): Promise<ClusterDomainClaim | undefined> {
    const key = keyOf(mapping);
    const live = claims.get(key);
    if (live !== undefined || !autocreates()) return live;
    const { name, namespace = "" } = mapping.metadata;
    try {
      return await client.create(ClusterDomainClaim, { metadata: { name }, spec: { namespace } });
    } catch (error) {
      if (!isPortError(error, "AlreadyExists")) throw error;
      return client.get(ClusterDomainClaim, key);
    }
  }

  return {
    async ensure(mapping: DomainMapping): Promise<Judgement> {
      const { name, namespace } = mapping.metadata;
      const claim = await claimed(mapping);
      if (claim === undefined) {
        // Upstream calls this too a domain in use by another, which sends people looking for one that is not there.
        const missing = `no ClusterDomainClaim found for domain "${name}"`;
        return no(
          "DomainClaimFailed",
          `${missing} (and autocreate-cluster-domain-claims property is not true)`,
        );
      }
      return claim.spec.namespace === namespace
        ? yes
        : no("DomainAlreadyClaimed", "The domain name is already in use by another DomainMapping");
    },

    /** A claim made by hand is its maker's to take back. */
    async release(mapping: DomainMapping): Promise<void> {
      const claim = claims.get(keyOf(mapping));
      if (claim === undefined || !autocreates() || claim.spec.namespace !== mapping.metadata.namespace)
        return;
      try {
        await client.delete(asKind(ClusterDomainClaim), keyOf(mapping), {
          preconditions: { uid: claim.metadata.uid },
        });
      } catch (error) {
        if (!isPortError(error, "NotFound")) throw error;
      }
    },
  };
}
