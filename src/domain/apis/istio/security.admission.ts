// Admission of security.istio.io, in the words of Istio's webhook. What this gateway does not do is refused, with why.
import type { AdmissionContext, Resource, WebhookAnswer } from "../kind.js";
import { equalJson } from "../schema/index.js";
import { isIpBlock } from "./ipBlock.js";
import { isPathTemplate, templateFault } from "./pathTemplate.js";
import type {
  AuthorizationPolicy,
  JwtRule,
  PolicyRule,
  RequestAuthentication,
  When,
} from "./security.types.js";

export function denied(faults: readonly string[]): WebhookAnswer | undefined {
  const [only] = faults;
  if (only === undefined) return undefined;
  const listed = `${faults.length} errors occurred:\n${faults.map((fault) => `\t* ${fault}\n`).join("")}\n`;
  return {
    webhook: "validation.istio.io",
    denied: `configuration is invalid: ${faults.length === 1 ? only : listed}`,
  };
}

/** The place before the words: Istio's own leave people to look for it. */
export function under(path: string, faults: readonly string[]): readonly string[] {
  return faults.map((fault) => `${path}: ${fault}`);
}

type Answer = WebhookAnswer | undefined;

export function judgeRequestAuthentication(
  object: RequestAuthentication,
  context: AdmissionContext<RequestAuthentication>,
): Answer {
  if (untouched(object, context)) return undefined;
  const { jwtRules = [] } = object.spec ?? {};
  return denied([
    ...under("spec", targetFaults(object.spec ?? {})),
    ...under("metadata.annotations", annotationFaults(object)),
    ...jwtRules.flatMap((rule, index) => under(`spec.jwtRules[${index}]`, ruleFaults(rule))),
  ]);
}

/** The annotation that makes a token obligatory, and the one that says where browsers get one. */
export const jwtAnnotations = {
  required: "drydock.dev/require-jwt",
  loginUrl: "drydock.dev/login-url",
  insecureJwks: "drydock.dev/insecure-jwks",
} as const;

function annotationFaults({ metadata }: Resource): readonly string[] {
  const login = metadata.annotations?.[jwtAnnotations.loginUrl];
  if (login === undefined || /^(https?:\/\/|\/)[\x21-\x7e]*$/.test(login)) return [];
  return [`${jwtAnnotations.loginUrl} must be an http or https URL, or a path`];
}

function ruleFaults(rule: JwtRule): readonly string[] {
  const faults: string[] = [];
  if (!rule.issuer) faults.push("issuer must be set");
  if (rule.audiences?.some((audience) => audience === "")) faults.push("audience must be non-empty string");
  if (rule.jwksUri && !/^https?:\/\/[^/?#\s]+/.test(rule.jwksUri))
    faults.push(`parse ${JSON.stringify(rule.jwksUri)}: URI scheme is not supported, want http or https`);
  if (rule.jwks && rule.jwksUri) faults.push("only one of jwks or jwksUri can be set");
  if (rule.jwks) {
    const fault = jwksFault(rule.jwks);
    if (fault !== undefined) faults.push(`jwks parse error: ${fault}`);
  }
  for (const { name } of rule.fromHeaders ?? [])
    if (!isToken(name)) faults.push("location header name must be non-empty string without spaces");
  if (rule.fromParams?.some((param) => param === "")) faults.push("location query must be non-empty string");
  if (rule.fromCookies !== undefined && rule.fromCookies.length > 0)
    faults.push("fromCookies is not supported by this gateway: name a header or a query parameter instead");
  if (rule.outputPayloadToHeader && !isToken(rule.outputPayloadToHeader))
    faults.push("outputPayloadToHeader must be a header name");
  for (const { header, claim } of rule.outputClaimToHeaders ?? []) {
    if (!header || !claim)
      faults.push("outputClaimToHeaders header and claim value must be non-empty string");
    else if (!isToken(header)) faults.push("outputClaimToHeaders: header can only contain [A-Za-z0-9-_]");
  }
  return faults;
}

function isToken(name: string | undefined): boolean {
  return name !== undefined && /^[A-Za-z0-9_-]+$/.test(name);
}

function jwksFault(text: string): string | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    return Array.isArray(keys) && keys.length > 0 ? undefined : "it has no keys";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function judgeAuthorizationPolicy(
  object: AuthorizationPolicy,
  context: AdmissionContext<AuthorizationPolicy>,
): Answer {
  if (untouched(object, context)) return undefined;
  const { action = "ALLOW", rules = [], provider } = object.spec ?? {};
  const faults = [...targetFaults(object.spec ?? {})];
  if (action === "CUSTOM")
    faults.push(
      "action CUSTOM is not supported by this gateway: it has no providers to ask; use ALLOW and DENY, or RequestAuthentication",
    );
  else if (!["ALLOW", "DENY", "AUDIT"].includes(action))
    faults.push(`action ${JSON.stringify(action)} is not one of ALLOW, DENY, AUDIT, CUSTOM`);
  if (provider !== undefined && action !== "CUSTOM")
    faults.push("`provider` must not be with non CUSTOM action");
  if (action === "DENY" && object.spec?.rules === undefined)
    faults.push(
      "DENY action without `rules` is meaningless as it will never be triggered, add an empty rule `{}` to match everything",
    );
  return denied([
    ...under("spec", faults),
    ...rules.flatMap((rule, index) => under(`spec.rules[${index}]`, policyRuleFaults(rule, action))),
  ]);
}

/** What this gateway never knows of a caller: a DENY by it would let everybody pass. */
const neverKnown = new Set(["source.namespace", "source.principal", "destination.ip", "connection.sni"]);

function openDeny(what: string): string {
  return `${what} in a DENY would refuse nobody: no mutual TLS proves it to this gateway; use requestPrincipals, ipBlocks or request.auth.claims`;
}

function policyRuleFaults(rule: PolicyRule, action: string): readonly string[] {
  const faults: string[] = [];
  if (rule.from !== undefined && rule.from.length === 0) faults.push("`from` cannot be empty");
  if (rule.to !== undefined && rule.to.length === 0) faults.push("`to` cannot be empty");
  for (const { source } of rule.from ?? []) {
    if (source === undefined) faults.push("`from.source` cannot be nil");
    else if (Object.keys(source).length === 0) faults.push("`from.source` cannot be empty");
    else {
      faults.push(...listFaults("from.source", source));
      for (const name of ["principals", "namespaces"] as const)
        if (action === "DENY" && source[name] !== undefined) faults.push(openDeny(`from.source.${name}`));
      if (source.serviceAccounts !== undefined || source.notServiceAccounts !== undefined)
        faults.push(
          "serviceAccounts and notServiceAccounts are not supported by this gateway: use requestPrincipals",
        );
      for (const block of [
        ...(source.ipBlocks ?? []),
        ...(source.notIpBlocks ?? []),
        ...(source.remoteIpBlocks ?? []),
        ...(source.notRemoteIpBlocks ?? []),
      ])
        if (!isIpBlock(block)) faults.push(`invalid ip or cidr: ${JSON.stringify(block)}`);
    }
  }
  for (const { operation } of rule.to ?? []) {
    if (operation === undefined) faults.push("`to.operation` cannot be nil");
    else if (Object.keys(operation).length === 0) faults.push("`to.operation` cannot be empty");
    else {
      faults.push(...listFaults("to.operation", operation));
      for (const port of [...(operation.ports ?? []), ...(operation.notPorts ?? [])])
        if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
          faults.push(`invalid port ${JSON.stringify(port)}: port number must be in the range 1..65535`);
      for (const path of [...(operation.paths ?? []), ...(operation.notPaths ?? [])]) {
        const fault = isPathTemplate(path) ? templateFault(path) : undefined;
        if (fault !== undefined) faults.push(`invalid path ${JSON.stringify(path)}: ${fault}`);
      }
    }
  }
  for (const condition of rule.when ?? []) {
    faults.push(...whenFaults(condition));
    if (action === "DENY" && neverKnown.has(condition.key) && (condition.values ?? []).length > 0)
      faults.push(openDeny(`condition ${condition.key}`));
  }
  return faults;
}

function listFaults(
  path: string,
  lists: { readonly [name: string]: readonly string[] | undefined },
): readonly string[] {
  return Object.entries(lists).flatMap(([name, values]) => {
    if (values === undefined) return [];
    if (values.length === 0) return [`\`${path}.${name}\` cannot be empty`];
    return values.includes("") ? [`\`${path}.${name}\` cannot contain an empty string`] : [];
  });
}

const plainKeys = new Set([
  "source.ip",
  "remote.ip",
  "source.namespace",
  "source.principal",
  "request.auth.principal",
  "request.auth.audiences",
  "request.auth.presenter",
  "destination.ip",
  "destination.port",
  "connection.sni",
]);

function whenFaults({ key, values = [], notValues = [] }: When): readonly string[] {
  const faults: string[] = [];
  if (!key) faults.push("`key` cannot be empty");
  else if (
    !plainKeys.has(key) &&
    !/^request\.headers\[[^\]]+\]$|^request\.auth\.claims(\[[^\]]+\])+$/.test(key)
  )
    faults.push(`unknown attribute (${key})`);
  if (values.length === 0 && notValues.length === 0)
    faults.push("at least one of `values` or `not_values` must be set");
  if (key.endsWith(".ip"))
    for (const block of [...values, ...notValues])
      if (!isIpBlock(block)) faults.push(`invalid ip or cidr: ${JSON.stringify(block)}`);
  return faults;
}

interface Target {
  readonly selector?: { readonly matchLabels?: { readonly [key: string]: string } | undefined } | undefined;
  readonly targetRef?: object | undefined;
  readonly targetRefs?: readonly object[] | undefined;
}

function targetFaults({ selector, targetRef, targetRefs }: Target): readonly string[] {
  const faults: string[] = [];
  if (targetRef !== undefined || (targetRefs?.length ?? 0) > 0)
    faults.push("targetRef and targetRefs are not supported by this gateway: use a selector");
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    if (key === "") faults.push(`empty key is not supported in selector: "${key}=${value}"`);
    if (`${key}${value}`.includes("*"))
      faults.push(`wildcard is not supported in selector: "${key}=${value}"`);
  }
  return faults;
}

function untouched<T extends Resource & { readonly spec?: unknown }>(
  object: T,
  { operation, subresource, old }: AdmissionContext<T>,
): boolean {
  if (subresource !== "" || object.metadata.deletionTimestamp !== undefined) return true;
  return operation === "update" && equalJson(old?.spec as never, object.spec as never);
}
