// Where a redirect sends its client.
import type { Redirect } from "../../domain/apis/istio/routing.types.js";
import type { Answer } from "./answers.js";
import { hostKey } from "./match.js";

export interface RedirectedFrom {
  readonly host: string;
  readonly scheme: "http" | "https";
  /** Path and query, after all rewriting on the way. */
  readonly target: string;
  /** Where this gateway listens with TLS, if it does. */
  readonly httpsPort: number | undefined;
}

export function redirectTo(redirect: Redirect, from: RedirectedFrom): Answer {
  const { scheme = from.scheme, code } = redirect;
  const authority = redirect.authority ?? hostAndPort(redirect, scheme, from);
  return {
    status: code,
    reason: "Redirected",
    message: "moved",
    headers: ["location", `${scheme}://${authority}${pathAndQuery(redirect.uri, from.target)}`],
  };
}

function hostAndPort({ port, scheme: asked }: Redirect, scheme: string, from: RedirectedFrom): string {
  const bare = hostKey(from.host);
  const own = /:(\d+)$/.exec(from.host)?.[1];
  const usual = scheme === "https" ? 443 : 80;
  switch (port) {
    case "fromScheme":
      return bare;
    case "fromRequest":
      return own === undefined ? bare : `${bare}:${own}`;
    case undefined: {
      if (own === undefined || asked === undefined || asked === from.scheme) return from.host;
      // Who came to an unusual port came without a load balancer, which would have one for https too.
      return scheme === "https" && from.httpsPort !== undefined && from.httpsPort !== usual
        ? `${bare}:${from.httpsPort}`
        : bare;
    }
    default:
      return port === usual ? bare : `${bare}:${port}`;
  }
}

/** The whole path is replaced; a query stays unless the new path brings one. */
function pathAndQuery(uri: string | undefined, target: string): string {
  if (uri === undefined) return target;
  const query = target.indexOf("?");
  return uri.includes("?") || query < 0 ? uri : uri + target.slice(query);
}
