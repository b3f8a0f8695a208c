// Which tokens, keys and policies count for one destination; worked out when it is first asked for.
import {
  compilePolicy,
  type Labels,
  onGateway,
  onWorkload,
  type Policy,
  rbacPolicies,
} from "../../domain/access/index.js";
import { rootNamespace } from "../../domain/apis/istio/scope.js";
import { jwtAnnotations } from "../../domain/apis/istio/security.admission.js";
import type { RequestAuthentication } from "../../domain/apis/istio/security.types.js";
import type { TokenRule } from "../../ports/index.js";
import type { GuardInput } from "./guardInputs.js";
import { type ApiKeys, readApiKeys } from "./guardKeys.js";
import type { ListenerName } from "./table.js";

export interface TokenPlace {
  readonly header?: string | undefined;
  readonly prefix?: string | undefined;
  readonly param?: string | undefined;
}

/** One rule of one RequestAuthentication. */
export interface JwtAccess {
  readonly name: string;
  readonly rule: TokenRule;
  readonly places: readonly TokenPlace[];
  readonly forward: boolean;
  readonly payloadHeader: string | undefined;
  readonly claimHeaders: readonly { readonly header: string; readonly claim: string }[];
}

/** Nobody passes without credentials. */
export interface Required {
  readonly name: string;
  readonly loginUrl: string | undefined;
}

export interface Scope {
  readonly jwt: readonly JwtAccess[];
  readonly required: Required | undefined;
  /** Both must let the request pass. */
  readonly atGateway: readonly Policy[];
  readonly atWorkload: readonly Policy[];
  readonly keys: ApiKeys | undefined;
  /** Headers that only we may set towards pods. */
  readonly outputs: readonly string[];
}

export type ScopeOf = (
  listener: ListenerName,
  workload: { readonly namespace: string; readonly name: string } | undefined,
) => Scope | undefined;

/** Undefined when nothing is guarded anywhere. */
export function scopes(input: GuardInput): ScopeOf | undefined {
  const { authentications, policies, rbac, secrets } = input;
  const rbacOn = rbac.configs.some(({ spec }) => (spec?.mode ?? "OFF") !== "OFF");
  if (authentications.length + policies.length === 0 && !rbacOn) return undefined;
  const compiled = policies.map((source) => ({ source, policy: compilePolicy(source) }));
  const labels = labelsOf(input);
  const known = new Map<string, { readonly scope: Scope | undefined }>();

  function make(listener: ListenerName, namespace: string | undefined, name: string): Scope | undefined {
    const own = namespace === undefined ? undefined : labels(namespace, name);
    const counts = (source: Parameters<typeof onGateway>[0]) =>
      onGateway(source, listener) ||
      (own !== undefined && namespace !== undefined && onWorkload(source, namespace, own));
    const accepted = authentications.filter(counts);
    const atGateway = compiled.filter(({ source }) => onGateway(source, listener));
    const atWorkload = compiled.filter(
      ({ source }) => own !== undefined && namespace !== undefined && onWorkload(source, namespace, own),
    );
    const workloadPolicies = [
      ...atWorkload.flatMap(({ policy }) => policy ?? []),
      ...(namespace === undefined ? [] : rbacPolicies(rbac, namespace)),
    ];
    if (accepted.length + atGateway.length + workloadPolicies.length === 0) return undefined;
    const jwt = accepted.flatMap(accessesOf);
    return {
      jwt,
      required: requiredOf(accepted),
      atGateway: atGateway.flatMap(({ policy }) => policy ?? []),
      atWorkload: workloadPolicies,
      keys: readApiKeys(
        secrets.filter(({ metadata }) => [namespace, rootNamespace].includes(metadata?.namespace ?? "")),
      ),
      outputs: jwt.flatMap(({ payloadHeader, claimHeaders }) =>
        [payloadHeader, ...claimHeaders.map(({ header }) => header)].flatMap((header) =>
          header === undefined ? [] : [header.toLowerCase()],
        ),
      ),
    };
  }

  return (listener, workload) => {
    const key = workload === undefined ? listener : `${listener} ${workload.namespace}/${workload.name}`;
    let found = known.get(key);
    if (found === undefined) {
      found = { scope: make(listener, workload?.namespace, workload?.name ?? "") };
      known.set(key, found);
    }
    return found.scope;
  };
}

function labelsOf({ revisions, services }: GuardInput): (namespace: string, name: string) => Labels {
  const byName = new Map<string, Labels>();
  for (const { metadata, spec } of services)
    byName.set(`${metadata?.namespace}/${metadata?.name}`, { ...spec?.selector });
  // A Revision's pods carry its labels and its name; its Services have the same name and select less.
  for (const { metadata } of revisions) {
    const name = metadata?.name ?? "";
    byName.set(`${metadata?.namespace}/${name}`, {
      ...metadata?.labels,
      app: name,
      "serving.knative.dev/revision": name,
    });
  }
  return (namespace, name) => byName.get(`${namespace}/${name}`) ?? {};
}

const usualPlaces: readonly TokenPlace[] = [
  { header: "authorization", prefix: "Bearer " },
  { param: "access_token" },
];

function accessesOf({ metadata, spec }: RequestAuthentication): readonly JwtAccess[] {
  const insecure = metadata.annotations?.[jwtAnnotations.insecureJwks] === "true";
  return (spec?.jwtRules ?? []).map((rule) => {
    const places = [
      ...(rule.fromHeaders ?? []).map(({ name, prefix }) => ({ header: name.toLowerCase(), prefix })),
      ...(rule.fromParams ?? []).map((param) => ({ param })),
    ];
    return {
      name: `RequestAuthentication ${metadata.namespace}/${metadata.name}`,
      rule: {
        issuer: rule.issuer ?? "",
        audiences: rule.audiences ?? [],
        jwks: rule.jwks || undefined,
        jwksUri: rule.jwksUri || undefined,
        insecure,
      },
      places: places.length === 0 ? usualPlaces : places,
      forward: rule.forwardOriginalToken ?? false,
      payloadHeader: rule.outputPayloadToHeader || undefined,
      claimHeaders: rule.outputClaimToHeaders ?? [],
    };
  });
}

function requiredOf(accepted: readonly RequestAuthentication[]): Required | undefined {
  const login = accepted.find(({ metadata }) => metadata.annotations?.[jwtAnnotations.loginUrl]);
  const asking =
    login ?? accepted.find(({ metadata }) => metadata.annotations?.[jwtAnnotations.required] === "true");
  if (asking === undefined) return undefined;
  const { namespace, name, annotations } = asking.metadata;
  return {
    name: `RequestAuthentication ${namespace}/${name}`,
    loginUrl: annotations?.[jwtAnnotations.loginUrl],
  };
}
