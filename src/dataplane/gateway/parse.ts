// One VirtualService in, one checked value out, or what is wrong with it. Nothing here looks at another object.
import type {
  HeaderOperationsInput,
  HttpMatchInput,
  HttpRouteInput,
  StringMatchInput,
  VirtualServiceInput,
} from "./inputs.js";
import { regexLimit } from "./limits.js";
import type {
  GatewayRef,
  HeaderOperations,
  Parsed,
  ParsedArm,
  ParsedMatch,
  ParsedRule,
  Redirect,
  Rewrite,
  RouteProblem,
  StringMatch,
} from "./table.js";

export type ParseResult =
  | { readonly outcome: "parsed"; readonly parsed: Parsed }
  | {
      readonly outcome: "rejected";
      readonly reason: Extract<RouteProblem["reason"], "InvalidField" | "UnsupportedField">;
      readonly message: string;
    };

/** Thrown and caught in this file only: the leaf names the fault, each caller adds its part of the path. */
class Fault extends Error {
  constructor(
    readonly reason: "InvalidField" | "UnsupportedField",
    readonly path: string,
    readonly what: string,
  ) {
    super(`${path}: ${what}`);
  }
}

const invalid = (path: string, what: string) => new Fault("InvalidField", path, what);

const noHeaders: HeaderOperations = { set: [], add: [], remove: [] };
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const hostName = /^(?:\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/;

export function keyOf(object: VirtualServiceInput): string {
  return `${object.metadata?.namespace ?? "default"}/${object.metadata?.name ?? ""}`;
}

export function parseVirtualService(object: VirtualServiceInput): ParseResult {
  try {
    const spec = object.spec;
    const hosts = spec?.hosts ?? [];
    if (hosts.length === 0) throw invalid("spec.hosts", "a VirtualService needs at least one host");
    const http = spec?.http ?? [];
    if (http.length === 0)
      throw new Fault("UnsupportedField", "spec.http", "only HTTP routes are served, and there is none");
    const gateways = spec?.gateways === undefined || spec.gateways.length === 0 ? ["mesh"] : spec.gateways;
    return {
      outcome: "parsed",
      parsed: {
        key: keyOf(object),
        source: object,
        namespace: object.metadata?.namespace ?? "default",
        createdAt: String(object.metadata?.creationTimestamp ?? ""),
        hosts: hosts.map((host, index) => parseHost(host, `spec.hosts[${index}]`)),
        gateways: gateways.map(gatewayRef),
        rules: http.map((rule, index) => parseRule(rule, `spec.http[${index}]`)),
      },
    };
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { outcome: "rejected", reason: fault.reason, message: fault.message };
  }
}

/** `ns/name`, `name` and the old `name.ns` all name a Gateway. By custom the local ones say so in their name. */
function gatewayRef(ref: string): GatewayRef {
  const slash = ref.lastIndexOf("/");
  const dot = ref.indexOf(".");
  const name = slash >= 0 ? ref.slice(slash + 1) : dot >= 0 ? ref.slice(0, dot) : ref;
  const local = name === "mesh" || /(?:^|-)local(?:-|$)/.test(name);
  return { name, listener: local ? "local" : "external" };
}

function parseHost(host: string, path: string): string {
  const lower = String(host).toLowerCase();
  if (!hostName.test(lower)) throw invalid(path, `${JSON.stringify(host)} is not a host name`);
  return lower;
}

function parseRule(rule: HttpRouteInput, path: string): ParsedRule {
  refuseUnknown(rule, path, ["fault", "mirror", "mirrors", "delegate", "directResponse"]);
  const redirect = rule.redirect === undefined ? undefined : parseRedirect(rule.redirect, `${path}.redirect`);
  const route = rule.route ?? [];
  if (redirect === undefined && route.length === 0)
    throw invalid(`${path}.route`, "a rule needs a route or a redirect");
  const sole = route.length === 1;
  const arms = route.map((arm, index): ParsedArm => {
    const at = `${path}.route[${index}]`;
    const host = arm.destination?.host;
    if (host === undefined || host === "")
      throw invalid(`${at}.destination.host`, "a destination needs a host");
    // A sole destination takes everything, whatever its weight says: so Istio.
    const weight = sole ? 1 : (arm.weight ?? 0);
    if (!Number.isFinite(weight) || weight < 0) throw invalid(`${at}.weight`, `${weight} is not a weight`);
    const headers = parseHeaders(arm.headers?.request, `${at}.headers.request`);
    return {
      host: parseHost(host, `${at}.destination.host`),
      port: arm.destination?.port?.number,
      weight,
      headers,
    };
  });
  if (arms.length > 1 && arms.every((arm) => arm.weight === 0))
    throw invalid(`${path}.route`, "the weights add up to nothing");
  return {
    matches: (rule.match ?? []).map((match, index) => parseMatch(match, `${path}.match[${index}]`)),
    headers: parseHeaders(rule.headers?.request, `${path}.headers.request`),
    rewrite: parseRewrite(rule, path),
    authority:
      rule.rewrite?.authority === undefined
        ? undefined
        : headerValue(rule.rewrite.authority, `${path}.rewrite.authority`),
    redirect,
    arms,
    timeoutMs: rule.timeout === undefined ? undefined : parseDuration(rule.timeout, `${path}.timeout`),
  };
}

/** A condition nobody tests would make the rule match more than its author meant, so the object is refused. */
function refuseUnknown(object: object, path: string, names: readonly string[]): void {
  for (const name of names) {
    if ((object as Record<string, unknown>)[name] !== undefined) {
      throw new Fault(
        "UnsupportedField",
        `${path}.${name}`,
        "this gateway does not know the field, and ignoring it would change who is served",
      );
    }
  }
}

function parseMatch(match: HttpMatchInput, path: string): ParsedMatch {
  refuseUnknown(match, path, [
    "queryParams",
    "withoutHeaders",
    "sourceLabels",
    "sourceNamespace",
    "scheme",
    "port",
  ]);
  const insensitive = match.ignoreUriCase === true;
  return {
    authority: wellKnown(match.authority) ?? parseString(match.authority, `${path}.authority`, true),
    uri: parseString(match.uri, `${path}.uri`, insensitive),
    method: parseString(match.method, `${path}.method`, false),
    headers: Object.entries(match.headers ?? {}).map(([name, test]) => ({
      name: headerName(name, `${path}.headers`).toLowerCase(),
      match: parseString(test, `${path}.headers[${name}]`, false),
    })),
    gateways: (match.gateways ?? []).map((ref) => gatewayRef(ref).name),
  };
}

function parseString(
  match: StringMatchInput | undefined,
  path: string,
  ignoreCase: boolean,
): StringMatch | undefined {
  if (match === undefined || match === null) return undefined;
  if (match.regex !== undefined) return parseRegex(match.regex, path, ignoreCase);
  const kind = match.exact !== undefined ? "exact" : match.prefix !== undefined ? "prefix" : undefined;
  if (kind === undefined) return undefined;
  const value = (kind === "exact" ? match.exact : match.prefix) as string;
  if (!ignoreCase) return { kind, value };
  const quoted = value.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return parseRegex(kind === "exact" ? quoted : `${quoted}.*`, path, true);
}

const label = "(?:[A-Za-z0-9_-]|\\\\\\.)+";
const namesOnly = new RegExp(`^(${label})(?:\\((${label})(?:\\((${label})\\)\\?)?\\)\\?)?$`);
const anyPort = "(?::\\d{1,5})?";

/**
 * KServe writes a host as `^name\.ns(\.svc(\.cluster\.local)?)?(?::\d{1,5})?$`. Ports are gone before hosts are
 * compared, so that is three names; compiling thousands of such expressions would be most of a start's time.
 */
function wellKnown(match: StringMatchInput | undefined): StringMatch | undefined {
  const source = match?.regex;
  if (source === undefined || !source.startsWith("^") || !source.endsWith("$")) return undefined;
  const inner = source.slice(1, -1);
  const parts = namesOnly.exec(inner.endsWith(anyPort) ? inner.slice(0, -anyPort.length) : inner);
  if (parts === null) return undefined;
  const [base = "", more, most] = parts.slice(1).map((part) => part?.replaceAll("\\.", ".").toLowerCase());
  const values = new Set([base]);
  if (more !== undefined) values.add(base + more);
  if (more !== undefined && most !== undefined) values.add(base + more + most);
  return { kind: "oneOf", values, source };
}

/** Istio's expressions match the whole string and are RE2; what differs in spelling is translated. */
function parseRegex(source: string, path: string, ignoreCase: boolean): StringMatch {
  const regex = compileRegex(source, `${path}.regex`, ignoreCase, (body) => `^(?:${body})$`);
  return { kind: "regex", regex, source };
}

function compileRegex(
  source: string,
  path: string,
  ignoreCase: boolean,
  frame: (body: string) => string,
): RegExp {
  if (source.length > regexLimit) throw invalid(path, `longer than ${regexLimit} characters`);
  const inline = source.startsWith("(?i)");
  const body = (inline ? source.slice(4) : source).replaceAll("(?P<", "(?<");
  try {
    return new RegExp(frame(body), ignoreCase || inline ? "i" : "");
  } catch (error) {
    throw invalid(path, `${JSON.stringify(source)} is not a regular expression: ${(error as Error).message}`);
  }
}

function parseHeaders(input: HeaderOperationsInput | undefined, path: string): HeaderOperations {
  if (input === undefined) return noHeaders;
  const pairs = (map: Readonly<Record<string, string>> | undefined, at: string) =>
    Object.entries(map ?? {}).map(
      ([name, value]) => [headerName(name, at), headerValue(value, `${at}[${name}]`)] as const,
    );
  return {
    set: pairs(input.set, `${path}.set`),
    add: pairs(input.add, `${path}.add`),
    remove: (input.remove ?? []).map((name) => headerName(name, `${path}.remove`).toLowerCase()),
  };
}

/** Fields that frame a message are the proxy's alone: a route that set them could split one request into two. */
const framing = new Set([
  "content-length",
  "transfer-encoding",
  "connection",
  "upgrade",
  "te",
  "trailer",
  "expect",
]);

function headerName(name: string, path: string): string {
  if (name === ":authority") return "Host";
  if (!token.test(name)) throw invalid(path, `${JSON.stringify(name)} is not a header name`);
  if (framing.has(name.toLowerCase()))
    throw invalid(path, `${name} frames the message and cannot be set by a route`);
  return name;
}

function headerValue(value: string, path: string): string {
  if (!fieldValue.test(String(value))) throw invalid(path, "a header value cannot hold control characters");
  return String(value);
}

function parseRewrite(rule: HttpRouteInput, path: string): Rewrite | undefined {
  const rewrite = rule.rewrite;
  if (rewrite === undefined) return undefined;
  if (rewrite.uriRegexRewrite !== undefined) {
    const at = `${path}.rewrite.uriRegexRewrite`;
    const { match = "", rewrite: to = "" } = rewrite.uriRegexRewrite;
    const regex = compileRegex(match, `${at}.match`, false, (body) => body);
    return {
      kind: "regex",
      regex: new RegExp(regex.source, `${regex.flags}g`),
      to: to.replaceAll("$", "$$$$").replace(/\\(\d)/g, "$$$1"),
    };
  }
  if (rewrite.uri === undefined) return undefined;
  if (!/^[\x21-\x7e]*$/.test(rewrite.uri)) throw invalid(`${path}.rewrite.uri`, "not a path");
  const prefixes = (rule.match ?? []).map((match) => match.uri?.prefix);
  const first = prefixes[0];
  // With several prefixes it would depend on which one matched; the rule is then to be written as several.
  if (prefixes.some((prefix) => prefix !== first)) {
    throw new Fault(
      "UnsupportedField",
      `${path}.rewrite.uri`,
      "the matches of one rule have different prefixes to replace",
    );
  }
  return first === undefined
    ? { kind: "whole", to: rewrite.uri }
    : { kind: "prefix", from: first, to: rewrite.uri };
}

function parseRedirect(input: NonNullable<HttpRouteInput["redirect"]>, path: string): Redirect {
  const code = input.redirectCode ?? 301;
  if (![301, 302, 303, 307, 308].includes(code))
    throw invalid(`${path}.redirectCode`, `${code} does not redirect`);
  const checked = (value: string | undefined, name: string) => {
    if (value !== undefined && !/^[\x21-\x7e]*$/.test(value))
      throw invalid(`${path}.${name}`, "not fit for a URL");
    return value;
  };
  return {
    kind: "redirect",
    scheme: checked(input.scheme, "scheme"),
    authority: checked(input.authority, "authority"),
    uri: checked(input.uri, "uri"),
    code,
  };
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  ns: 1e-6,
};

/** A Go duration. None at all (`0s`) is no limit. */
function parseDuration(text: string, path: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|ns))+$/.test(text))
    throw invalid(path, `${JSON.stringify(text)} is not a duration`);
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)/g)) {
    ms += Number(count) * (unitMs[unit as string] as number);
  }
  return ms === 0 ? undefined : Math.ceil(ms);
}
