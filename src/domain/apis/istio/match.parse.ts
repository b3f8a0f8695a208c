// When a rule counts: tests of host, path, verb, scheme, port, headers and query.
import { makeRegex } from "../regex/index.js";
import { gatewayKey, invalid, only, portOf, unsupported } from "./reading.js";
import type { NamedMatch, ParsedMatch, StringMatch } from "./routing.types.js";
import type { HttpMatch, StringMatchInput } from "./virtualService.types.js";

/** A longer expression is machine-made or hostile; the ones KServe writes are under 200. */
const regexLimit = 1024;

const known = new Set([
  "name",
  "uri",
  "scheme",
  "method",
  "authority",
  "headers",
  "withoutHeaders",
  "queryParams",
  "port",
  "gateways",
  "ignoreUriCase",
  "statPrefix",
]);

export function readMatch(match: HttpMatch, path: string, namespace: string): ParsedMatch {
  const { sourceLabels, sourceNamespace, ...rest } = match;
  if (sourceLabels !== undefined || sourceNamespace !== undefined) {
    const field = sourceLabels === undefined ? "sourceNamespace" : "sourceLabels";
    throw unsupported(`${path}.${field}`, "a gateway does not know which workload a request comes from");
  }
  only(rest, path, known);
  return {
    gateways: (match.gateways ?? []).map((ref) => gatewayKey(ref, namespace)),
    authority: readAuthority(match.authority, `${path}.authority`),
    uri: readString(match.uri, `${path}.uri`, match.ignoreUriCase === true),
    method: readString(match.method, `${path}.method`, false),
    scheme: readString(match.scheme, `${path}.scheme`, false),
    port: portOf(match.port || undefined, `${path}.port`),
    headers: readNamed(match.headers, `${path}.headers`, headerKey),
    withoutHeaders: readNamed(match.withoutHeaders, `${path}.withoutHeaders`, headerKey),
    queryParams: readNamed(match.queryParams, `${path}.queryParams`, (name) => name),
  };
}

export function readString(
  match: StringMatchInput | undefined,
  path: string,
  ignoreCase: boolean,
): StringMatch | undefined {
  if (match === undefined || match === null) return undefined;
  const { exact, prefix, regex } = match;
  if ([exact, prefix, regex].filter((one) => one !== undefined).length > 1)
    throw invalid(path, "only one of exact, prefix and regex can be meant");
  if (regex !== undefined) return readRegex(regex, `${path}.regex`, false);
  const value = exact ?? prefix;
  if (value === undefined) return undefined;
  const kind = exact === undefined ? "prefix" : "exact";
  return { kind, value: ignoreCase ? value.toLowerCase() : value, ignoreCase };
}

/** Hosts come in lower case and without port, so tests of them do too. */
function readAuthority(match: StringMatchInput | undefined, path: string): StringMatch | undefined {
  if (match?.regex !== undefined && match.exact === undefined && match.prefix === undefined)
    return wellKnown(match.regex) ?? readRegex(match.regex, `${path}.regex`, true);
  const read = readString(match, path, false);
  if (read === undefined || (read.kind !== "exact" && read.kind !== "prefix")) return read;
  const lower = read.value.toLowerCase();
  return { ...read, value: read.kind === "exact" ? lower.replace(/:\d+$/, "") : lower };
}

export function regexFits(source: string, path: string): void {
  if (source.length > regexLimit) throw invalid(path, `longer than ${regexLimit} characters`);
}

function readRegex(source: string, path: string, ignoreCase: boolean): StringMatch {
  regexFits(source, path);
  const regex = makeRegex(source, ignoreCase);
  if ("because" in regex)
    throw invalid(path, `${JSON.stringify(source)} is not a regular expression: ${regex.because}`);
  return { kind: "regex", regex };
}

const label = "(?:[A-Za-z0-9_-]|\\\\\\.)+";
const namesOnly = new RegExp(`^(${label})(?:\\((${label})(?:\\((${label})\\)\\?)?\\)\\?)?$`);
const anyPort = "(?::\\d{1,5})?";

/**
 * KServe writes a host as `^name\.ns(\.svc(\.cluster\.local)?)?(?::\d{1,5})?$`. Ports are gone before hosts are
 * compared, so that is three names; compiling thousands of such expressions would be most of a start's time.
 */
function wellKnown(source: string): StringMatch | undefined {
  if (!source.startsWith("^") || !source.endsWith("$") || source.length > regexLimit) return undefined;
  const inner = source.slice(1, -1);
  const parts = namesOnly.exec(inner.endsWith(anyPort) ? inner.slice(0, -anyPort.length) : inner);
  if (parts === null) return undefined;
  const [base = "", more, most] = parts.slice(1).map((part) => part?.replaceAll("\\.", ".").toLowerCase());
  const values = new Set([base]);
  if (more !== undefined) values.add(base + more);
  if (more !== undefined && most !== undefined) values.add(base + more + most);
  return { kind: "oneOf", values, source };
}

function readNamed(
  tests: { readonly [name: string]: StringMatchInput } | undefined,
  path: string,
  nameOf: (name: string, path: string) => string,
): readonly NamedMatch[] {
  return Object.entries(tests ?? {}).map(([name, test]) => ({
    name: nameOf(name, path),
    match: readString(test, `${path}[${name}]`, false),
  }));
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function headerKey(name: string, path: string): string {
  const pseudo = name === ":authority" ? "host" : name;
  if (!token.test(pseudo)) throw invalid(path, `${JSON.stringify(name)} is not a header name`);
  return pseudo.toLowerCase();
}
