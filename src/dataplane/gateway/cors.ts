// Who may ask from where. Browsers ask first, and are answered here; what they ask then is told in the answer's head.
import type { CorsPolicy } from "../../domain/apis/istio/routing.types.js";
import { toLines } from "../proxy/index.js";
import { headerOf, type Incoming } from "./incoming.js";
import { matchString } from "./match.js";
import type { ResponseChange } from "./table.js";

/** The answer to a preflight, as lines; undefined for a request that goes on. */
export function preflight(cors: CorsPolicy, incoming: Incoming): string | undefined {
  const origin = headerOf(incoming, "origin");
  if (incoming.method !== "OPTIONS" || origin === undefined) return undefined;
  if (headerOf(incoming, "access-control-request-method") === undefined) return undefined;
  if (!admits(cors, origin)) return cors.forwardUnmatched ? undefined : "content-length: 0\r\n";
  const { methods, headers, maxAgeSeconds: age } = cors;
  return toLines([
    ...["access-control-allow-origin", origin],
    ...(cors.credentials ? ["access-control-allow-credentials", "true"] : []),
    ...(methods === "" ? [] : ["access-control-allow-methods", methods]),
    ...(headers === "" ? [] : ["access-control-allow-headers", headers]),
    ...(age === undefined ? [] : ["access-control-max-age", String(age)]),
    ...["content-length", "0", "vary", "origin"],
  ]);
}

/** What the answer to a browser on that origin is changed by, on top of what the route changes. */
export function crossOrigin(
  cors: CorsPolicy,
  incoming: Incoming,
  change: ResponseChange | undefined,
): ResponseChange | undefined {
  const origin = headerOf(incoming, "origin");
  if (origin === undefined || !admits(cors, origin)) return change;
  const lines = [
    ...["access-control-allow-origin", origin],
    ...(cors.credentials ? ["access-control-allow-credentials", "true"] : []),
    ...(cors.expose === "" ? [] : ["access-control-expose-headers", cors.expose]),
  ];
  const names = lines.filter((_, index) => index % 2 === 0);
  return {
    drop: new Set([...(change?.drop ?? []), ...names]),
    text: (change?.text ?? "") + toLines(lines),
  };
}

function admits({ origins }: CorsPolicy, origin: string): boolean {
  return origins.some((match) => matchString(match, origin));
}
