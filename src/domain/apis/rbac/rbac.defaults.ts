import type { ClusterRoleBinding, RoleBinding, Subject } from "./rbac.types.js";

const rbacGroup = "rbac.authorization.k8s.io";

/** Users and groups belong to RBAC's own API group; service accounts to none. */
export function defaultBinding<T extends RoleBinding | ClusterRoleBinding>(binding: T): T {
  if (binding.subjects === undefined) return binding;
  const subjects = binding.subjects.map((subject: Subject) =>
    subject.apiGroup === undefined && (subject.kind === "User" || subject.kind === "Group")
      ? { ...subject, apiGroup: rbacGroup }
      : subject,
  );
  return { ...binding, subjects };
}
