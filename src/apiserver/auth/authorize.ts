// What a user may do: everything for system:masters, for others what RBAC objects say.
import type { Resource } from "../../domain/apis/kind.js";
import type { PolicyRule, Role, RoleBinding } from "../../domain/apis/rbac/rbac.types.js";
import { keyOf, type Registry, type User } from "../registry/index.js";
import { masters } from "./authenticate.js";
import { usualRoles, usualRules } from "./usualRoles.js";

export interface Deed {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: pods/log. Empty for a path outside the resources. */
  readonly resource: string;
  readonly name: string;
  readonly namespace: string;
  readonly path: string;
}

export interface Authorizer {
  allows(user: User, deed: Deed): boolean;
  /** Every rule that holds for a user, within a namespace. */
  rules(user: User, namespace: string): readonly PolicyRule[];
}

const everything: PolicyRule = { verbs: ["*"], apiGroups: ["*"], resources: ["*"] };
const everyPath: PolicyRule = { verbs: ["*"], nonResourceURLs: ["*"] };

export function makeAuthorizer(registry: Registry): Authorizer {
  const of = (plural: string) => registry.served.find("rbac.authorization.k8s.io", "v1", plural)?.collection;

  function bindings(
    namespace: string,
  ): readonly { readonly binding: RoleBinding; readonly namespace: string }[] {
    const wide = of("clusterrolebindings")?.list({}) ?? [];
    const local = namespace === "" ? [] : (of("rolebindings")?.list({ namespace }) ?? []);
    return [
      ...wide.map((stored) => ({ binding: stored.object as Resource as RoleBinding, namespace: "" })),
      ...local.map((stored) => ({ binding: stored.object as Resource as RoleBinding, namespace })),
    ];
  }

  function roleRules({ roleRef }: RoleBinding, namespace: string): readonly PolicyRule[] {
    if (roleRef.kind === "Role") {
      return (of("roles")?.get(keyOf(namespace, roleRef.name))?.object as Role | undefined)?.rules ?? [];
    }
    const stored = of("clusterroles")?.get(keyOf("", roleRef.name))?.object as Role | undefined;
    return stored?.rules ?? usualRoles[roleRef.name] ?? [];
  }

  function rules(user: User, namespace: string): readonly PolicyRule[] {
    if (user.groups.includes(masters)) return [everything, everyPath];
    const found: PolicyRule[] = user.groups.includes("system:authenticated") ? [...usualRules] : [];
    for (const { binding, namespace: place } of bindings(namespace)) {
      if (binding.subjects?.some((subject) => isSubject(subject, user, place)) !== true) continue;
      found.push(...roleRules(binding, place));
    }
    return found;
  }

  return {
    rules,
    allows: (user, deed) => rules(user, deed.namespace).some((rule) => covers(rule, deed)),
  };
}

type Subject = NonNullable<RoleBinding["subjects"]>[number];

function isSubject(subject: Subject, user: User, bindingNamespace: string): boolean {
  switch (subject.kind) {
    case "User":
      return subject.name === user.name || subject.name === "*";
    case "Group":
      return user.groups.includes(subject.name);
    case "ServiceAccount":
      return user.name === `system:serviceaccount:${subject.namespace || bindingNamespace}:${subject.name}`;
    default:
      return false;
  }
}

function covers(rule: PolicyRule, deed: Deed): boolean {
  if (!has(rule.verbs, deed.verb)) return false;
  if (deed.resource === "") {
    return (rule.nonResourceURLs ?? []).some(
      (pattern) =>
        pattern === deed.path || (pattern.endsWith("*") && deed.path.startsWith(pattern.slice(0, -1))),
    );
  }
  const [, subresource] = deed.resource.split("/");
  return (
    has(rule.apiGroups ?? [], deed.group) &&
    (has(rule.resources ?? [], deed.resource) ||
      (subresource !== undefined && (rule.resources ?? []).includes(`*/${subresource}`))) &&
    ((rule.resourceNames ?? []).length === 0 || (rule.resourceNames ?? []).includes(deed.name))
  );
}

function has(list: readonly string[], one: string): boolean {
  return list.includes("*") || list.includes(one);
}
