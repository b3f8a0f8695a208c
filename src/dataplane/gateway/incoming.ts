// A request as the gateway knows it: what steers it is taken out of the head, what a pod may see is kept as lines.
import { fieldOf, letterBit } from "../proxy/index.js";
import { Hop } from "./hop.js";
import { hostKey } from "./match.js";

const nowhere = new Hop("", false);

/** Made whole by the reader of heads (`requestHead.ts`); after that nothing changes it. */
export class Incoming {
  method = "";
  /** Path and query, cleaned of dot segments. */
  target = "";
  host = "";
  /** The connection it came by. */
  hop = nowhere;
  /** HTTP/1.0 knows no chunks and no interim answers. */
  http10 = false;
  contentLength: number | undefined;
  chunked = false;
  /** The client wants the connection to stay. */
  keepAlive = false;
  expect: string | undefined;
  /** `websocket` when the client offers it properly; any other offer is ignored, as HTTP allows. */
  upgrade: string | undefined;
  /** There was such another offer. */
  declined = false;
  probe: string | undefined;
  timed = false;
  grpc = false;
  /** End-to-end fields as lines, and the letters their names begin with. */
  lines = "";
  letters = 0;
  requestId: string | undefined;
  traceparent: string | undefined;
  forwardedFor: string | undefined;
  forwardedProto: string | undefined;
  forwardedHost: string | undefined;
  forwarded: string | undefined;

  get peer(): string {
    return this.hop.peer;
  }

  /** It came over TLS. */
  get secure(): boolean {
    return this.hop.secure;
  }

  get scheme(): "http" | "https" {
    return this.hop.scheme;
  }

  get hasBody(): boolean {
    return this.chunked || (this.contentLength !== undefined && this.contentLength > 0);
  }
}

export function headerOf(incoming: Incoming, lower: string): string | undefined {
  switch (lower) {
    case "host":
    case ":authority":
      return hostKey(incoming.host);
    case "x-request-id":
      return incoming.requestId;
    case "traceparent":
      return incoming.traceparent;
    case "x-forwarded-for":
      return incoming.forwardedFor;
    case "x-forwarded-proto":
      return incoming.forwardedProto;
    case "x-forwarded-host":
      return incoming.forwardedHost;
    case "forwarded":
      return incoming.forwarded;
    default:
      if ((incoming.letters & letterBit(lower.charCodeAt(0))) === 0) return undefined;
      return fieldOf(incoming.lines, lower);
  }
}

/** A route is chosen by the path the pod will see, so what a pod would resolve is resolved first. */
export function cleanPath(target: string): string {
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
