// ClusterDomainClaim: which namespace may use a domain, the claim's own name (networking.internal.knative.dev/v1alpha1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, obj, str } from "../schema/index.js";

const ClusterDomainClaimSchema = resource(
  {
    spec: obj(
      { namespace: str({ description: "The namespace that may use the domain." }) },
      { required: ["namespace"] },
    ),
  },
  { required: ["spec"], description: "Which namespace may use a domain." },
);
export interface ClusterDomainClaim extends Infer<typeof ClusterDomainClaimSchema> {}

export const ClusterDomainClaim: Kind<ClusterDomainClaim> = defineKind<ClusterDomainClaim>({
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "ClusterDomainClaim",
  plural: "clusterdomainclaims",
  shortNames: ["cdc"],
  categories: ["knative-internal", "networking"],
  namespaced: false,
  hasStatus: false,
  description: "Which namespace may use a domain.",
  schema: ClusterDomainClaimSchema,
});
