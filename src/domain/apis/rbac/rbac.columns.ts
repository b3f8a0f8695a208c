import { ageColumn, nameColumn, text, wide } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { ClusterRoleBinding, RoleBinding, Subject } from "./rbac.types.js";

type Binding = RoleBinding | ClusterRoleBinding;

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  text("Role", ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wide(text("Users", (binding) => subjects(binding, "User", ({ name }) => name))),
  wide(text("Groups", (binding) => subjects(binding, "Group", ({ name }) => name))),
  wide(
    text("ServiceAccounts", (binding) =>
      subjects(binding, "ServiceAccount", ({ name, namespace }) => `${namespace ?? ""}/${name}`),
    ),
  ),
];

function subjects(binding: Binding, kind: string, shown: (subject: Subject) => string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(shown)
    .join(", ");
}
