// The header fields a pod gets: the client's, changed as the route says, with the way here added.
import { lettersOf, withoutFields } from "../proxy/index.js";
import { quoted } from "./hop.js";
import type { Ids } from "./ids.js";
import type { Incoming } from "./incoming.js";
import type { Destination } from "./table.js";

export function outgoingLines(incoming: Incoming, destination: Destination, ids: Ids): string {
  const { host } = incoming;
  const { drop, letters, text, setsOurs, shim } = destination.headers;
  let kept = (incoming.letters & letters) === 0 ? incoming.lines : withoutFields(incoming.lines, drop);
  let { traceparent } = incoming;
  if (traceparent === undefined || !isTraceparent(traceparent)) {
    traceparent = ids.trace();
    // Said of a trace that is not there, it would be said of the new one.
    if ((incoming.letters & stateLetter) !== 0) kept = withoutFields(kept, stateOnly);
  }
  const ours = `${way(incoming, shim === true)}X-Request-Id: ${incoming.requestId || ids.request()}\r\ntraceparent: ${traceparent}\r\n`;
  // A route that sets one of ours means its own.
  return `Host: ${destination.host ?? host}\r\n${kept}${setsOurs ? withoutFields(ours, drop) : ours}${text}`;
}

/** By whom the request came, each hop after the ones before it. */
function way(incoming: Incoming, shim: boolean): string {
  const { hop, host, forwarded, forwardedFor, forwardedProto, forwardedHost } = incoming;
  if (
    forwarded === undefined &&
    forwardedFor === undefined &&
    forwardedProto === undefined &&
    forwardedHost === undefined
  )
    return hop.lines(host);
  const ours = hop.element(host);
  return (
    `X-Forwarded-For: ${forwardedFor === undefined ? hop.peer : `${forwardedFor}, ${hop.peer}`}\r\n` +
    `X-Forwarded-Proto: ${forwardedProto ?? hop.scheme}\r\n` +
    `X-Forwarded-Host: ${forwardedHost ?? host}\r\n` +
    `Forwarded: ${shim ? shimmed(incoming, ours) : forwarded === undefined ? ours : `${forwarded}, ${ours}`}\r\n`
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
