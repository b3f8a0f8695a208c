// One VirtualService in, one checked value out, or what is wrong with it. Nothing here looks at another object.
import { makeReplacement } from "../regex/index.js";
import { headerValue, readHeaders } from "./headers.parse.js";
import { readMatch, regexFits } from "./match.parse.js";
import { readCors, readDestination, readFault, readMirrors, readRetries, statusOf } from "./policy.parse.js";
import { durationMs, gatewayKey, gather, hostOf, invalid, only, portOf, unsupported } from "./reading.js";
import type {
  DirectResponse,
  Parsed,
  ParsedArm,
  ParsedMatch,
  ParsedRule,
  ParseResult,
  Redirect,
  Rewrite,
  RouteFault,
} from "./routing.types.js";
import type { HttpRoute, VirtualServiceInput } from "./virtualService.types.js";

/** Says on a VirtualService that its author knows its POSTs may be sent twice. */
const repeatAnything = "drydock.dev/retry-non-idempotent";

export function virtualServiceKey({ metadata }: VirtualServiceInput): string {
  return `${metadata?.namespace ?? "default"}/${metadata?.name ?? ""}`;
}

export function parseVirtualService(object: VirtualServiceInput): ParseResult {
  const { spec, metadata } = object;
  const namespace = metadata?.namespace ?? "default";
  const faults: RouteFault[] = [];
  const hosts = gather(spec?.hosts ?? [], faults, (host, index) => hostOf(host, `spec.hosts[${index}]`));
  const named = spec?.gateways ?? [];
  gather([spec], faults, () => checkWhole(spec));
  const rules = gather(spec?.http ?? [], faults, (rule, index) =>
    readRule(rule, `spec.http[${index}]`, namespace, hosts.length > 0),
  ).flat();
  if (faults.length > 0) return { outcome: "rejected", faults };
  const parsed: Parsed = {
    key: virtualServiceKey(object),
    source: object,
    namespace,
    createdAt: String(metadata?.creationTimestamp ?? ""),
    hosts,
    gateways: (named.length === 0 ? ["mesh"] : named).map((ref) => gatewayKey(ref, namespace)),
    rules,
    repeatsAnything: metadata?.annotations?.[repeatAnything] === "true",
  };
  return { outcome: "parsed", parsed };
}

const specKnown = new Set(["hosts", "gateways", "http", "exportTo"]);

function checkWhole(spec: VirtualServiceInput["spec"]): void {
  const { hosts = [], gateways = [], http = [], tls = [], tcp = [], ...rest } = spec ?? {};
  for (const [field, list] of [["tls", tls] as const, ["tcp", tcp] as const]) {
    if (list.length > 0) throw unsupported(`spec.${field}`, "only HTTP routes are served");
  }
  only(rest, "spec", specKnown);
  if (hosts.length === 0 && gateways.length > 0)
    throw invalid("spec.hosts", "a VirtualService needs at least one host");
  const twice = hosts.find((host, index) => hosts.indexOf(host) < index);
  if (twice !== undefined) throw invalid("spec.hosts", `${twice} is named twice`);
  if (http.length === 0) throw unsupported("spec.http", "only HTTP routes are served, and there is none");
}

const ruleKnown = new Set([
  "name",
  "match",
  "route",
  "redirect",
  "directResponse",
  "delegate",
  "rewrite",
  "timeout",
  "retries",
  "fault",
  "mirror",
  "mirrors",
  "mirrorPercent",
  "mirrorPercentage",
  "corsPolicy",
  "headers",
  "websocketUpgrade",
]);

/** One rule; or several, where its matches have different prefixes to replace. */
export function readRule(
  rule: HttpRoute,
  at: string,
  namespace: string,
  mayDelegate: boolean,
): readonly ParsedRule[] {
  only(rule, at, ruleKnown);
  const then = readThen(rule, at, namespace, mayDelegate);
  const matches = (rule.match ?? []).map((match, index) =>
    readMatch(match, `${at}.match[${index}]`, namespace),
  );
  const timeout = rule.timeout === undefined ? 0 : durationMs(rule.timeout, `${at}.timeout`);
  const parsed = {
    at,
    ...readHeaders(rule.headers, `${at}.headers`),
    authority:
      rule.rewrite?.authority === undefined
        ? undefined
        : headerValue(rule.rewrite.authority, `${at}.rewrite.authority`),
    then,
    // None at all (`0s`) is no limit.
    timeoutMs: timeout === 0 ? undefined : timeout,
    retry: rule.retries && readRetries(rule.retries, `${at}.retries`),
    fault: rule.fault && readFault(rule.fault, `${at}.fault`),
    mirrors: readMirrors(rule, at),
    cors: rule.corsPolicy && readCors(rule.corsPolicy, `${at}.corsPolicy`),
    source: rule,
  };
  return byRewrite(rule, at, matches).map((each) => ({ ...parsed, ...each }));
}

function readThen(rule: HttpRoute, at: string, namespace: string, mayDelegate: boolean): ParsedRule["then"] {
  const { route = [], redirect, directResponse, delegate } = rule;
  const said = [
    ...(route.length > 0 ? ["route"] : []),
    ...(redirect === undefined ? [] : ["redirect"]),
    ...(directResponse === undefined ? [] : ["directResponse"]),
    ...(delegate === undefined ? [] : ["delegate"]),
  ];
  if (said.length === 0)
    throw invalid(`${at}.route`, "a rule needs a route, a redirect, a directResponse or a delegate");
  if (said.length > 1) throw invalid(at, `a rule cannot have both ${said.join(" and ")}`);
  if (redirect !== undefined) {
    if (rule.rewrite !== undefined) throw invalid(at, "a rule cannot have both rewrite and redirect");
    return readRedirect(redirect, `${at}.redirect`);
  }
  if (directResponse !== undefined) return readDirect(directResponse, `${at}.directResponse`);
  if (delegate === undefined) return { kind: "route", arms: readArms(route, `${at}.route`) };
  if (!mayDelegate)
    throw invalid(`${at}.delegate`, "what is delegated to has no hosts, and cannot delegate further");
  if (!delegate.name) throw invalid(`${at}.delegate.name`, "a delegate needs a name");
  return { kind: "delegate", to: `${delegate.namespace || namespace}/${delegate.name}` };
}

function readArms(route: NonNullable<HttpRoute["route"]>, at: string): readonly ParsedArm[] {
  const sole = route.length === 1;
  const arms = route.map((arm, index): ParsedArm => {
    const path = `${at}[${index}]`;
    // A sole destination takes everything, whatever its weight says: so Istio.
    const weight = sole ? 1 : (arm.weight ?? 0);
    if (!Number.isFinite(weight) || weight < 0) throw invalid(`${path}.weight`, `${weight} is not a weight`);
    return {
      ...readDestination(arm.destination, `${path}.destination`),
      ...readHeaders(arm.headers, `${path}.headers`),
      weight,
    };
  });
  if (arms.every((arm) => arm.weight === 0)) throw invalid(at, "the weights add up to nothing");
  return arms;
}

type ByMatch = Pick<ParsedRule, "matches" | "rewrite">;

function byRewrite(rule: HttpRoute, at: string, matches: readonly ParsedMatch[]): readonly ByMatch[] {
  const { rewrite } = rule;
  if (rewrite?.uriRegexRewrite !== undefined) {
    if (rewrite.uri !== undefined)
      throw invalid(`${at}.rewrite`, "uri and uriRegexRewrite cannot both be meant");
    return [{ matches, rewrite: regexRewrite(rewrite.uriRegexRewrite, `${at}.rewrite.uriRegexRewrite`) }];
  }
  const to = rewrite?.uri;
  if (to === undefined) return [{ matches, rewrite: undefined }];
  if (!forUrls.test(to)) throw invalid(`${at}.rewrite.uri`, "not a path");
  const made: { matches: ParsedMatch[]; readonly rewrite: Rewrite }[] = [];
  for (const match of matches) {
    const one = rewriteFor(match, to);
    const before = made.at(-1);
    if (before !== undefined && sameRewrite(before.rewrite, one)) before.matches.push(match);
    else made.push({ matches: [match], rewrite: one });
  }
  return made.length === 0 ? [{ matches, rewrite: { kind: "whole", to } }] : made;
}

function rewriteFor({ uri }: ParsedMatch, to: string): Rewrite {
  return uri?.kind === "prefix"
    ? { kind: "prefix", from: uri.value, ignoreCase: uri.ignoreCase, to }
    : { kind: "whole", to };
}

function sameRewrite(one: Rewrite, other: Rewrite): boolean {
  if (one.kind === "prefix" && other.kind === "prefix")
    return one.from === other.from && one.ignoreCase === other.ignoreCase;
  return one.kind === "whole" && other.kind === "whole";
}

function regexRewrite(
  { match = "", rewrite = "" }: NonNullable<NonNullable<HttpRoute["rewrite"]>["uriRegexRewrite"]>,
  at: string,
): Rewrite {
  regexFits(match, `${at}.match`);
  if (!forUrls.test(rewrite)) throw invalid(`${at}.rewrite`, "not a path");
  const made = makeReplacement(match, rewrite);
  if ("because" in made)
    throw invalid(`${at}.match`, `${JSON.stringify(match)} is not a regular expression: ${made.because}`);
  return { kind: "regex", replace: (path) => made.replace(path) };
}

const forUrls = /^[\x21-\x7e]*$/;

function readRedirect(input: NonNullable<HttpRoute["redirect"]>, path: string): Redirect {
  const { redirectCode: code = 301, port, derivePort } = input;
  if (![301, 302, 303, 307, 308].includes(code))
    throw invalid(`${path}.redirectCode`, `${code} does not redirect`);
  if (port !== undefined && derivePort !== undefined)
    throw invalid(path, "port and derivePort cannot both be meant");
  const checked = (name: "scheme" | "authority" | "uri") => {
    const value = input[name];
    if (value !== undefined && !forUrls.test(value)) throw invalid(`${path}.${name}`, "not fit for a URL");
    return value || undefined;
  };
  const scheme = checked("scheme");
  if (scheme !== undefined && scheme !== "http" && scheme !== "https")
    throw invalid(`${path}.scheme`, `${JSON.stringify(scheme)} is neither http nor https`);
  return {
    kind: "redirect",
    scheme,
    authority: checked("authority"),
    port: derivePort === undefined ? portOf(port, `${path}.port`) : derived(derivePort, `${path}.derivePort`),
    uri: checked("uri"),
    code,
  };
}

function derived(word: string, path: string): "fromRequest" | "fromScheme" {
  if (word === "FROM_REQUEST_PORT") return "fromRequest";
  if (word === "FROM_PROTOCOL_DEFAULT") return "fromScheme";
  throw invalid(path, `${JSON.stringify(word)} is neither FROM_PROTOCOL_DEFAULT nor FROM_REQUEST_PORT`);
}

/** Istio's own bound for what a gateway keeps in memory for every route. */
const directBodyLimit = 1024 * 1024;

function readDirect(
  { status, body }: NonNullable<HttpRoute["directResponse"]>,
  path: string,
): DirectResponse {
  const text = body?.string ?? body?.bytes ?? "";
  if (text.length > directBodyLimit) throw invalid(`${path}.body`, "longer than 1 MiB");
  return {
    kind: "direct",
    status: statusOf(status, `${path}.status`),
    body: text,
    encoding: body?.string === undefined ? "base64" : "utf8",
  };
}
