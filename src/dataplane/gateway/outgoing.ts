// The header fields a pod gets: the client's, changed as the route says, with the way here added.
import type { Incoming } from "./incoming.js";
import type { Destination } from "./table.js";

export function outgoingHeaders(incoming: Incoming, destination: Destination, requestId: string): string[] {
  const { kept, lowers, peer, host } = incoming;
  const { drop, lines } = destination.headers;
  const headers = ["Host", destination.host ?? host];
  for (let at = 0; at < lowers.length; at += 1) {
    if (drop.has(lowers[at] as string)) continue;
    headers.push(kept[at * 2] as string, kept[at * 2 + 1] as string);
  }
  const address = peer.includes(":") ? `"[${peer}]"` : peer;
  const hop = `for=${address};host=${quoted(host)};proto=http`;
  add(
    headers,
    drop,
    "X-Forwarded-For",
    "x-forwarded-for",
    incoming.forwardedFor === undefined ? peer : `${incoming.forwardedFor}, ${peer}`,
  );
  add(headers, drop, "X-Forwarded-Proto", "x-forwarded-proto", incoming.forwardedProto ?? "http");
  add(headers, drop, "X-Forwarded-Host", "x-forwarded-host", incoming.forwardedHost ?? host);
  add(
    headers,
    drop,
    "Forwarded",
    "forwarded",
    incoming.forwarded === undefined ? hop : `${incoming.forwarded}, ${hop}`,
  );
  add(headers, drop, "X-Request-Id", "x-request-id", requestId);
  for (const line of lines) headers.push(line);
  return headers;
}

/** A route that sets one of ours means its own. */
function add(headers: string[], drop: ReadonlySet<string>, name: string, lower: string, value: string): void {
  if (value !== "" && !drop.has(lower)) headers.push(name, value);
}

/** In `Forwarded` a colon, as before a port, needs quotes. */
function quoted(host: string): string {
  return host.includes(":") || host === "" ? `"${host.replaceAll('"', "")}"` : host;
}
