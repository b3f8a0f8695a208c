// What stands before the routes of a namespace, so that whoever was answered before it changed is asked again.
import { asKind, type Reconciler, watch } from "../../controller/index.js";
import { ClusterRbacConfig, ServiceRole, ServiceRoleBinding } from "../../domain/apis/istio/rbac.types.js";
import { rootNamespace } from "../../domain/apis/istio/scope.js";
import { AuthorizationPolicy, RequestAuthentication } from "../../domain/apis/istio/security.types.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import type { Listers } from "../../ports/index.js";

const namespaced = [RequestAuthentication, AuthorizationPolicy, ServiceRole, ServiceRoleBinding].map((kind) =>
  asKind(kind as never),
);

/** Empty when nothing stands there. */
export function guardedBy(listers: Listers, namespace: string): string {
  const found = [
    ...[namespace, rootNamespace].flatMap((home) =>
      namespaced.flatMap((kind) => listers(kind).list({ namespace: home })),
    ),
    ...listers(ClusterRbacConfig).list(),
  ];
  return found.map(({ metadata: { uid, generation } }) => `${uid}:${generation}`).join(" ");
}

/** A policy of the root namespace is for everybody. */
export function whenPoliciesChange<T extends Resource>(
  listers: Listers,
  kind: Kind<T>,
): NonNullable<Reconciler["watches"]> {
  const wakes = ({ metadata: { namespace } }: Resource) =>
    listers(kind)
      .list(namespace === undefined || namespace === rootNamespace ? undefined : { namespace })
      .map(({ metadata }) => ({ namespace: metadata.namespace ?? "", name: metadata.name }));
  return [...namespaced, asKind(ClusterRbacConfig)].map((policy) => watch(policy, wakes));
}
