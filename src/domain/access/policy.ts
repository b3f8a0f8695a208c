// An AuthorizationPolicy as one test.
import type { AuthorizationPolicy, PolicyRule, When } from "../apis/istio/security.types.js";
import { all, both, some, type Test, tests } from "./match.js";

export type Action = "ALLOW" | "DENY" | "AUDIT";

export interface Policy {
  /** `KIND NAMESPACE/NAME` */
  readonly name: string;
  readonly action: Action;
  readonly matches: Test;
}

/** Undefined for an action that nobody here can take; admission refuses it. */
export function compilePolicy({ metadata, spec }: AuthorizationPolicy): Policy | undefined {
  const action = spec?.action ?? "ALLOW";
  if (action !== "ALLOW" && action !== "DENY" && action !== "AUDIT") return undefined;
  const rules = (spec?.rules ?? []).map(compileRule);
  return {
    name: `AuthorizationPolicy ${metadata.namespace ?? ""}/${metadata.name}`,
    action,
    // No rule never matches: an ALLOW of nothing closes everything.
    matches: (request) => rules.some((rule) => rule(request)),
  };
}

/** All of from, to and when must hold; of the entries of from and to, one each. `{}` asks nothing. */
export function compileRule({ from, to, when }: PolicyRule): Test {
  return all([
    some(
      from?.map(({ source = {} }) =>
        all([
          ...both(source.principals, source.notPrincipals, tests.peer),
          ...both(source.namespaces, source.notNamespaces, tests.peer),
          ...both(source.serviceAccounts, source.notServiceAccounts, tests.peer),
          ...both(source.requestPrincipals, source.notRequestPrincipals, tests.requestPrincipal),
          ...both(source.ipBlocks, source.notIpBlocks, tests.ip),
          // No proxy before us is trusted to tell of another address.
          ...both(source.remoteIpBlocks, source.notRemoteIpBlocks, tests.ip),
        ]),
      ),
    ),
    some(
      to?.map(({ operation = {} }) =>
        all([
          ...both(operation.hosts, operation.notHosts, tests.host),
          ...both(operation.ports, operation.notPorts, tests.port),
          ...both(operation.methods, operation.notMethods, tests.method),
          ...both(operation.paths, operation.notPaths, tests.path),
        ]),
      ),
    ),
    ...(when ?? []).map(compileWhen),
  ]);
}

export function compileWhen({ key, values, notValues }: When): Test {
  const given = (list: readonly string[] | undefined) => (list && list.length > 0 ? list : undefined);
  return all(both(given(values), given(notValues), maker(key)));
}

function maker(key: string): (values: readonly string[]) => Test {
  const header = /^request\.headers\[([^\]]+)\]$/.exec(key)?.[1];
  if (header !== undefined) return tests.header(header);
  if (key.startsWith("request.auth.claims["))
    return tests.claim([...key.matchAll(/\[([^\]]+)\]/g)].map(([, name = ""]) => name));
  switch (key) {
    case "source.ip":
    case "remote.ip":
      return tests.ip;
    case "request.auth.principal":
      return tests.requestPrincipal;
    case "request.auth.audiences":
      return tests.claim(["aud"]);
    case "request.auth.presenter":
      return tests.claim(["azp"]);
    case "destination.port":
      return tests.port;
    default:
      // Of the peer, its namespace, the pod's address and SNI nothing is proven here.
      return tests.peer;
  }
}
