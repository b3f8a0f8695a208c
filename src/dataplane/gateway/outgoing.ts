// The header fields a pod gets: the client's, changed as the route says, with the way here added.
import { lettersOf, withoutFields } from "../proxy/index.js";
import type { Ids } from "./ids.js";
import type { Incoming } from "./incoming.js";
import type { Destination } from "./table.js";

export function outgoingLines(incoming: Incoming, destination: Destination, ids: Ids): string {
  const { host } = incoming;
  const { drop, letters, text, setsOurs } = destination.headers;
  let kept = (incoming.letters & letters) === 0 ? incoming.lines : withoutFields(incoming.lines, drop);
  let { traceparent } = incoming;
  if (traceparent === undefined || !isTraceparent(traceparent)) {
    traceparent = ids.trace();
    // Said of a trace that is not there, it would be said of the new one.
    if ((incoming.letters & stateLetter) !== 0) kept = withoutFields(kept, stateOnly);
  }
  const ours = `${way(incoming, destination.headers.shim === true)}X-Request-Id: ${incoming.requestId || ids.request()}\r\ntraceparent: ${traceparent}\r\n`;
  // A route that sets one of ours means its own.
  return `Host: ${destination.host ?? host}\r\n${kept}${setsOurs ? withoutFields(ours, drop) : ours}${text}`;
}

/** By whom the request came, each hop after the ones before it. */
function way(incoming: Incoming, shim: boolean): string {
  const { peer, host, scheme } = incoming;
  const address = peer.includes(":") ? `"[${peer}]"` : peer;
  const hop = `for=${address};host=${quoted(host)};proto=${scheme}`;
  return (
    `X-Forwarded-For: ${incoming.forwardedFor === undefined ? peer : `${incoming.forwardedFor}, ${peer}`}\r\n` +
    `X-Forwarded-Proto: ${incoming.forwardedProto ?? scheme}\r\n` +
    `X-Forwarded-Host: ${incoming.forwardedHost ?? host}\r\n` +
    `Forwarded: ${shim ? shimmed(incoming, hop) : incoming.forwarded === undefined ? hop : `${incoming.forwarded}, ${hop}`}\r\n`
  );
}

/** What earlier hops said in the older fields, said in the newer one. */
function shimmed({ forwarded, forwardedFor, forwardedHost, forwardedProto }: Incoming, hop: string): string {
  if (forwarded !== undefined) return forwarded;
  if (forwardedFor === undefined) return hop;
  const more = [
    forwardedHost === undefined ? [] : [`host=${quoted(forwardedHost)}`],
    forwardedProto === undefined ? [] : [`proto=${forwardedProto}`],
  ].flat();
  return forwardedFor
    .split(",")
    .map((one, index) => {
      const address = one.trim();
      const by = `for=${address.includes(":") ? `"[${address}]"` : address}`;
      return index === 0 ? [by, ...more].join(";") : by;
    })
    .join(", ");
}

const stateOnly: ReadonlySet<string> = new Set(["tracestate"]);
const stateLetter = lettersOf(stateOnly);

/** W3C Trace Context: `00-`, 32 hexadecimal digits, 16 more, 2 more; ids of zeros alone are none. */
export function isTraceparent(value: string): boolean {
  if (value.length < traceLength || (value.length > traceLength && value.charCodeAt(traceLength) !== 0x2d))
    return false;
  let zeros = 0;
  for (let at = 0; at < traceLength; at += 1) {
    const code = value.charCodeAt(at);
    if (at === 2 || at === 35 || at === 52) {
      if (code !== 0x2d || (at > 2 && zeros === (at === 35 ? 32 : 16))) return false;
      zeros = 0;
    } else if (code === 0x30) zeros += 1;
    else if (!((code > 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  // A later version may be longer, but `ff` is none, and the first one has nothing after its flags.
  return !value.startsWith("ff") && (value.length === traceLength || !value.startsWith("00"));
}
const traceLength = 55;

/** In `Forwarded` a colon, as before a port, needs quotes. */
function quoted(host: string): string {
  return host.includes(":") || host === "" ? `"${host}"` : host;
}
