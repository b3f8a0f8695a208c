// ClusterRbacConfig, ServiceRole and ServiceRoleBinding said as policies: where RBAC is on, what no binding allows is refused.
import type {
  AccessRule,
  ClusterRbacConfig,
  RoleSubject,
  ServiceRole,
  ServiceRoleBinding,
} from "../apis/istio/rbac.types.js";
import { all, both, type Test, tests } from "./match.js";
import { compileWhen, type Policy } from "./policy.js";

export interface RbacInput {
  readonly configs: readonly ClusterRbacConfig[];
  readonly roles: readonly ServiceRole[];
  readonly bindings: readonly ServiceRoleBinding[];
}

/** The policies for workloads of this namespace; none where RBAC is off. */
export function rbacPolicies({ configs, roles, bindings }: RbacInput, namespace: string): readonly Policy[] {
  const config = configs.find(({ metadata }) => metadata.name === "default");
  const outside = config === undefined ? everywhere : outsideOf(config, namespace);
  if (config === undefined || outside === everywhere || config.spec?.enforcementMode === "PERMISSIVE")
    return [];
  const granted = bindings
    .filter(({ metadata, spec }) => metadata.namespace === namespace && spec?.mode !== "PERMISSIVE")
    .flatMap((binding) => grants(binding, roles));
  return [
    {
      name: "ClusterRbacConfig default",
      action: "ALLOW",
      matches: (request) => outside(request) || granted.some((grant) => grant(request)),
    },
  ];
}

const everywhere: Test = () => true;
const nowhere: Test = () => false;

/** What the config leaves alone. */
function outsideOf({ spec }: ClusterRbacConfig, namespace: string): Test {
  const { mode = "OFF", inclusion = {}, exclusion = {} } = spec ?? {};
  switch (mode) {
    case "OFF":
      return everywhere;
    case "ON":
      return nowhere;
    case "ON_WITH_INCLUSION": {
      if (inclusion.namespaces?.includes(namespace)) return nowhere;
      if (!inclusion.services?.length) return everywhere;
      const included = tests.service(inclusion.services);
      return (request) => !included(request);
    }
    case "ON_WITH_EXCLUSION":
      if (exclusion.namespaces?.includes(namespace)) return everywhere;
      return exclusion.services?.length ? tests.service(exclusion.services) : nowhere;
  }
}

function grants({ metadata, spec }: ServiceRoleBinding, roles: readonly ServiceRole[]): readonly Test[] {
  const name = spec?.roleRef?.name ?? spec?.role;
  const role = roles.find(
    (one) => one.metadata.namespace === metadata.namespace && one.metadata.name === name,
  );
  const rules = (role?.spec?.rules ?? []).map(compileAccess);
  const subjects = (spec?.subjects ?? []).map(compileSubject);
  return rules.map((rule) => (request) => rule(request) && subjects.some((subject) => subject(request)));
}

function compileAccess(rule: AccessRule): Test {
  return all([
    ...both(rule.services, undefined, tests.service),
    ...both(rule.hosts, rule.notHosts, tests.host),
    ...both(rule.paths, rule.notPaths, tests.path),
    ...both(rule.methods, rule.notMethods, tests.method),
    ...(rule.constraints ?? []).map(({ key = "", values = [] }) => compileWhen({ key, values })),
  ]);
}

/** `user: "*"` is everybody, with or without credentials. */
function compileSubject({ user, group, groups, names, namespaces, ips, properties }: RoleSubject): Test {
  const everybody = user === "*" || names?.includes("*");
  return all([
    everybody || !user ? undefined : tests.requestPrincipal([user]),
    everybody || names === undefined ? undefined : tests.requestPrincipal(names),
    group ? tests.claim(["groups"])([group]) : undefined,
    groups === undefined ? undefined : tests.claim(["groups"])(groups),
    namespaces === undefined ? undefined : tests.peer(namespaces),
    ips === undefined ? undefined : tests.ip(ips),
    ...Object.entries(properties ?? {}).map(([key, value]) => compileWhen({ key, values: [value] })),
  ]);
}
