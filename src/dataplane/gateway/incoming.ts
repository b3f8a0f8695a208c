// A request's head, read once: what steers it is taken out, what a pod may see is kept.
import { hostKey } from "./match.js";

export interface Incoming {
  readonly method: string;
  /** Path and query, cleaned of dot segments; undefined when it was no path at all. */
  readonly target: string | undefined;
  readonly host: string;
  readonly peer: string;
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  readonly expect: string | undefined;
  readonly upgrade: string | undefined;
  readonly probe: string | undefined;
  readonly timed: boolean;
  readonly grpc: boolean;
  /** End-to-end fields, names and values in turn, and the names again in lower case. */
  readonly kept: readonly string[];
  readonly lowers: readonly string[];
  readonly requestId: string | undefined;
  readonly forwardedFor: string | undefined;
  readonly forwardedProto: string | undefined;
  readonly forwardedHost: string | undefined;
  readonly forwarded: string | undefined;
  /** Why the head is refused, if it is. */
  readonly bad: string | undefined;
}

type Field =
  | "hop"
  | "host"
  | "connection"
  | "length"
  | "encoding"
  | "expect"
  | "upgrade"
  | "probe"
  | "timing"
  | "type"
  | "id"
  | "for"
  | "proto"
  | "fwdHost"
  | "forwarded";

const fields: ReadonlyMap<string, Field> = new Map<string, Field>([
  ["host", "host"],
  ["connection", "connection"],
  ["content-length", "length"],
  ["transfer-encoding", "encoding"],
  ["expect", "expect"],
  ["upgrade", "upgrade"],
  ["k-network-probe", "probe"],
  ["x-drydock-timing", "timing"],
  ["content-type", "type"],
  ["x-request-id", "id"],
  ["x-forwarded-for", "for"],
  ["x-forwarded-proto", "proto"],
  ["x-forwarded-host", "fwdHost"],
  ["forwarded", "forwarded"],
  ["keep-alive", "hop"],
  ["proxy-connection", "hop"],
  ["proxy-authorization", "hop"],
  ["te", "hop"],
  ["trailer", "hop"],
  ["http2-settings", "hop"],
]);

export function readHead(method: string, url: string, raw: readonly string[], peer: string): Incoming {
  const kept: string[] = [];
  const lowers: string[] = [];
  let host: string | undefined;
  let bad: string | undefined;
  let connection: string | undefined;
  let contentLength: number | undefined;
  let chunked = false;
  let expect: string | undefined;
  let upgrade: string | undefined;
  let probe: string | undefined;
  let timed = false;
  let grpc = false;
  let requestId: string | undefined;
  let forwardedFor: string | undefined;
  let forwardedProto: string | undefined;
  let forwardedHost: string | undefined;
  let forwarded: string | undefined;

  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    const value = raw[index + 1] as string;
    const lower = name.toLowerCase();
    switch (fields.get(lower)) {
      case undefined:
        kept.push(name, value);
        lowers.push(lower);
        break;
      case "host":
        // Two hosts are two requests to two parsers.
        if (host !== undefined) bad = "more than one Host";
        host = value;
        break;
      case "connection":
        connection = connection === undefined ? value : `${connection},${value}`;
        break;
      case "length":
        if (contentLength !== undefined) bad = "more than one Content-Length";
        else if (!isCount(value)) bad = "a Content-Length that is not a number";
        else contentLength = Number(value);
        break;
      case "encoding":
        if (chunked || value.toLowerCase() !== "chunked") bad = "a Transfer-Encoding other than chunked";
        chunked = true;
        break;
      case "expect":
        expect = value.toLowerCase();
        break;
      case "upgrade":
        upgrade = value;
        break;
      case "probe":
        probe = value;
        kept.push(name, value);
        lowers.push(lower);
        break;
      case "timing":
        timed = value === "1";
        break;
      case "type":
        grpc = value.startsWith("application/grpc");
        kept.push(name, value);
        lowers.push(lower);
        break;
      case "id":
        requestId ??= value;
        break;
      case "for":
        forwardedFor = forwardedFor === undefined ? value : `${forwardedFor}, ${value}`;
        break;
      case "proto":
        forwardedProto ??= value;
        break;
      case "fwdHost":
        forwardedHost ??= value;
        break;
      case "forwarded":
        forwarded = forwarded === undefined ? value : `${forwarded}, ${value}`;
        break;
      case "hop":
        break;
    }
  }
  if (chunked && contentLength !== undefined) bad = "both Content-Length and Transfer-Encoding";
  if (connection !== undefined && !isUsualConnection(connection)) dropNamed(kept, lowers, connection);

  let target = url;
  if (url.charCodeAt(0) !== 0x2f) {
    // A proxy's form of request: the URL's own host counts, and the header's does not.
    const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(url);
    if (absolute !== null) {
      host = absolute[1];
      target = (absolute[2] as string).startsWith("/") ? (absolute[2] as string) : `/${absolute[2]}`;
    } else if (url !== "*" || method !== "OPTIONS") bad = "a request target that is not a path";
  }
  if (needsCleaning.test(target)) target = cleanPath(target);
  return {
    method,
    target: bad === undefined ? target : undefined,
    host: host ?? "",
    peer,
    contentLength,
    chunked,
    expect,
    upgrade,
    probe,
    timed,
    grpc,
    kept,
    lowers,
    requestId,
    forwardedFor,
    forwardedProto,
    forwardedHost,
    forwarded,
    bad,
  };
}

export function headerOf(incoming: Incoming, lower: string): string | undefined {
  const at = incoming.lowers.indexOf(lower);
  if (at >= 0) return incoming.kept[at * 2 + 1];
  switch (lower) {
    case "host":
    case ":authority":
      return hostKey(incoming.host);
    case "x-request-id":
      return incoming.requestId;
    case "x-forwarded-for":
      return incoming.forwardedFor;
    case "x-forwarded-proto":
      return incoming.forwardedProto;
    case "x-forwarded-host":
      return incoming.forwardedHost;
    default:
      return undefined;
  }
}

function isCount(value: string): boolean {
  if (value.length === 0 || value.length > 15) return false;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function isUsualConnection(value: string): boolean {
  return value === "keep-alive" || value === "close" || value === "Keep-Alive" || value === "Upgrade";
}

/** Fields named in Connection were meant for us alone. */
function dropNamed(kept: string[], lowers: string[], connection: string): void {
  for (const option of connection.toLowerCase().split(",")) {
    const named = option.trim();
    for (let at = lowers.indexOf(named); at >= 0; at = lowers.indexOf(named)) {
      lowers.splice(at, 1);
      kept.splice(at * 2, 2);
    }
  }
}

const needsCleaning = /\/\.|%2e|\\/i;

/** A route is chosen by the path the pod will see, so what a pod would resolve is resolved first. */
function cleanPath(target: string): string {
  const query = target.indexOf("?");
  const path = query < 0 ? target : target.slice(0, query);
  const segments: string[] = [];
  const parts = path.replaceAll("\\", "/").split("/");
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const plain = part.replace(/%2e/gi, ".");
    if (plain === "." || plain === "..") {
      if (plain === ".." && segments.length > 1) segments.pop();
      if (last) segments.push("");
    } else segments.push(part);
  }
  const clean = segments.join("/");
  return (clean.startsWith("/") ? clean : `/${clean}`) + (query < 0 ? "" : target.slice(query));
}
