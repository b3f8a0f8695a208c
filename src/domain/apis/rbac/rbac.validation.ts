import { supported } from "../core/container.validation.js";
import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { equalJson } from "../schema/index.js";
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from "./rbac.types.js";

export function validateRole({ rules = [] }: Role | ClusterRole): readonly FieldError[] {
  return rules.flatMap((rule, index) => ruleErrors(rule, `rules[${index}]`));
}

function ruleErrors(rule: PolicyRule, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const isEmpty = (list: readonly string[] | undefined) => list === undefined || list.length === 0;
  if (isEmpty(rule.verbs)) {
    errors.push(fieldErrors.required(`${path}.verbs`, "verbs must contain at least one value"));
  }
  if (!isEmpty(rule.nonResourceURLs)) return errors;
  if (isEmpty(rule.apiGroups)) {
    errors.push(
      fieldErrors.required(`${path}.apiGroups`, "resource rules must supply at least one api group"),
    );
  }
  if (isEmpty(rule.resources)) {
    errors.push(
      fieldErrors.required(`${path}.resources`, "resource rules must supply at least one resource"),
    );
  }
  return errors;
}

const subjectKinds = ["Group", "ServiceAccount", "User"];

/** Who is bound may change; to what, never: that would be another binding. */
export function validateBinding<T extends RoleBinding | ClusterRoleBinding>(
  binding: T,
  { old }: AdmissionContext<T>,
): readonly FieldError[] {
  const { roleRef, subjects = [] } = binding;
  const kinds = binding.kind === "ClusterRoleBinding" ? ["ClusterRole"] : ["ClusterRole", "Role"];
  const errors: FieldError[] = [...supported("roleRef.kind", roleRef.kind, kinds)];
  if (roleRef.name === "") errors.push(fieldErrors.required("roleRef.name"));
  for (const [index, subject] of subjects.entries()) {
    errors.push(...supported(`subjects[${index}].kind`, subject.kind, subjectKinds));
    if (subject.name === "") errors.push(fieldErrors.required(`subjects[${index}].name`));
    if (subject.kind === "ServiceAccount" && (subject.namespace ?? "") === "") {
      errors.push(fieldErrors.required(`subjects[${index}].namespace`));
    }
  }
  if (old !== undefined && !equalJson(old.roleRef, roleRef)) {
    const [group, kind, name] = [roleRef.apiGroup ?? "", roleRef.kind, roleRef.name].map((one) =>
      JSON.stringify(one),
    );
    const message = `Invalid value: rbac.RoleRef{APIGroup:${group}, Kind:${kind}, Name:${name}}: cannot change roleRef`;
    errors.push({ reason: "FieldValueInvalid", field: "roleRef", message });
  }
  return errors;
}
