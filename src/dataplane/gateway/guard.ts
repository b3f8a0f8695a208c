// Who may pass. Compiled when policies change; a table without a guard asks nothing of anybody.
import {
  type AccessRequest,
  anonymous,
  type Caller,
  decideAccess,
  type Policy,
  readings,
} from "../../domain/access/index.js";
import type { TokenVerifier, Verified } from "../../ports/index.js";
import { toLines, toPairs, withoutFields } from "../proxy/index.js";
import type { Answer } from "./answers.js";
import { accessDenied, badCredentials, credentialsMissing } from "./guardAnswers.js";
import { type Credentials, claimText, readCredentials } from "./guardCredentials.js";
import type { GuardInput } from "./guardInputs.js";
import { type JwtAccess, type Scope, scopes } from "./guardScope.js";
import { headerOf, Incoming } from "./incoming.js";
import { hostKey } from "./match.js";
import type { Destination, ListenerName } from "./table.js";

export interface GuardQuestion {
  readonly listener: ListenerName;
  readonly incoming: Incoming;
  /** As the client asked for it, and as the pod will see it. */
  readonly asked: string;
  readonly target: string;
  readonly destination: Destination | undefined;
}

export type GuardVerdict =
  /** With the request as the pod may see it: without credentials that end here, with what they prove. */
  | { readonly outcome: "passed"; readonly incoming: Incoming; readonly target: string }
  | { readonly outcome: "refused"; readonly answer: Answer };

export interface Guard {
  /** A promise only when a token has to be looked into that was not seen before. */
  check(question: GuardQuestion): GuardVerdict | Promise<GuardVerdict>;
}

/** Undefined when nothing is guarded. */
export function compileGuard(input: GuardInput, verifier: TokenVerifier): Guard | undefined {
  const scopeOf = scopes(input);
  if (scopeOf === undefined) return undefined;
  return {
    check(question) {
      const { listener, destination, incoming, target } = question;
      const scope = scopeOf(listener, destination?.revision);
      if (scope === undefined) return { outcome: "passed", incoming, target };
      const credentials = readCredentials(scope, incoming, question.asked);
      if ("fault" in credentials)
        return {
          outcome: "refused",
          answer: badCredentials(incoming, 401, credentials.fault, credentials.by),
        };
      const { token } = credentials;
      if (token === undefined) return judge(scope, question, credentials, undefined);
      const rules = token.accesses.map(({ rule }) => rule);
      const known = verifier.known(token.text, rules);
      if (known !== undefined) return judge(scope, question, credentials, known);
      return verifier
        .verify(token.text, rules)
        .then((verified) => judge(scope, question, credentials, verified));
    },
  };
}

function judge(
  scope: Scope,
  question: GuardQuestion,
  credentials: Credentials,
  verified: Verified | undefined,
): GuardVerdict {
  const { incoming } = question;
  if (verified?.outcome === "refused") {
    const by = credentials.token?.accesses[0]?.name ?? "";
    return { outcome: "refused", answer: badCredentials(incoming, verified.status, verified.because, by) };
  }
  const caller = callerOf(credentials, verified);
  if (caller.requestPrincipal === undefined && scope.required !== undefined)
    return { outcome: "refused", answer: credentialsMissing(incoming, scope.required) };
  const refused =
    layerRefuses(scope.atGateway, question, caller, question.asked) ??
    layerRefuses(scope.atWorkload, question, caller, question.target);
  if (refused !== undefined) return { outcome: "refused", answer: refused };
  const access = credentials.token?.accesses.find(
    ({ rule }) => verified !== undefined && rule.issuer === verified.rule.issuer,
  );
  return { outcome: "passed", ...asPodsSeeIt(scope, question, credentials, { access, caller }) };
}

function callerOf({ holder }: Credentials, verified: Verified | undefined): Caller {
  if (verified?.outcome === "verified") {
    const { claims } = verified;
    return { requestPrincipal: `${verified.rule.issuer}/${claimText(claims["sub"]) ?? ""}`, claims };
  }
  return holder === undefined ? anonymous : { requestPrincipal: holder, claims: {} };
}

function layerRefuses(
  policies: readonly Policy[],
  { incoming, destination }: GuardQuestion,
  caller: Caller,
  target: string,
): Answer | undefined {
  if (policies.length === 0) return undefined;
  const query = target.indexOf("?");
  for (const path of readings(query < 0 ? target : target.slice(0, query))) {
    const request: AccessRequest = {
      caller,
      ip: incoming.peer,
      host: hostKey(incoming.host),
      method: incoming.method,
      path,
      port: incoming.secure ? 443 : 80,
      services: servicesOf(destination),
      headers: (lower) => valuesOf(incoming, lower),
    };
    const decision = decideAccess(policies, request);
    if (!decision.allowed) return accessDenied(decision.by, decision.because);
  }
  return undefined;
}

function servicesOf(destination: Destination | undefined): readonly string[] {
  if (destination === undefined) return [];
  const { namespace, name } = destination.revision;
  return [`${name}.${namespace}.svc.cluster.local`, ...destination.chain];
}

function valuesOf(incoming: Incoming, lower: string): readonly string[] {
  const first = headerOf(incoming, lower);
  if (first === undefined) return [];
  const pairs = toPairs(incoming.lines);
  const values = pairs.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === lower ? [pairs[index + 1] ?? ""] : [],
  );
  return values.length === 0 ? [first] : values;
}

interface Proven {
  readonly access: JwtAccess | undefined;
  readonly caller: Caller;
}

function asPodsSeeIt(
  scope: Scope,
  { incoming, target }: GuardQuestion,
  { headers, params }: Credentials,
  { access, caller }: Proven,
): { readonly incoming: Incoming; readonly target: string } {
  const keep = access?.forward === true;
  const drop = new Set([...(keep ? [] : headers), ...scope.outputs]);
  const added: string[] = [];
  if (access?.payloadHeader !== undefined) {
    const payload = Buffer.from(JSON.stringify(caller.claims)).toString("base64url");
    added.push(access.payloadHeader, payload);
  }
  for (const { header, claim } of access?.claimHeaders ?? []) {
    const value = claimText(claim.split(".").reduce<unknown>(memberOf, caller.claims));
    if (value !== undefined) added.push(header, value);
  }
  const lines = `${drop.size === 0 ? incoming.lines : withoutFields(incoming.lines, drop)}${toLines(added)}`;
  return {
    incoming: lines === incoming.lines ? incoming : Object.assign(new Incoming(), incoming, { lines }),
    target: keep || params.length === 0 ? target : withoutParams(target, params),
  };
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as { readonly [key: string]: unknown })[key];
}

function withoutParams(target: string, params: readonly string[]): string {
  const query = target.indexOf("?");
  if (query < 0) return target;
  const kept = target
    .slice(query + 1)
    .split("&")
    .filter((pair) => !params.includes(pair.split("=")[0] ?? ""));
  return kept.length === 0 ? target.slice(0, query) : `${target.slice(0, query)}?${kept.join("&")}`;
}
