// What the guard says to whom it does not let pass; in the words of Envoy, which clients know.
import type { Answer } from "./answers.js";
import type { Required } from "./guardScope.js";
import { headerOf, type Incoming } from "./incoming.js";

/** Names the policy, for people and for the prober. */
const policyHeader = "x-drydock-policy";

export function accessDenied(by: string, because: string): Answer {
  return {
    status: 403,
    reason: "AccessDenied",
    message: `RBAC: access denied: ${because} (${by})`,
    headers: [policyHeader, by],
  };
}

export function badCredentials(incoming: Incoming, status: 401 | 403, because: string, by: string): Answer {
  const challenge = `Bearer realm="${realmOf(incoming)}", error="invalid_token"`;
  return {
    status,
    reason: "BadCredentials",
    message: `${because} (${by})`,
    headers: [policyHeader, by, ...(status === 401 ? ["www-authenticate", challenge] : [])],
  };
}

export function credentialsMissing(incoming: Incoming, { name, loginUrl }: Required): Answer {
  const reason = "CredentialsMissing";
  if (loginUrl !== undefined && canBeSentElsewhere(incoming)) {
    const back = encodeURIComponent(`${incoming.scheme}://${incoming.host}${incoming.target}`);
    const location = loginUrl.replaceAll("{url}", back);
    return {
      status: 302,
      reason,
      message: `log in at ${location} (${name})`,
      headers: ["location", location, policyHeader, name],
    };
  }
  return {
    status: 401,
    reason,
    message: `Jwt is missing (${name})`,
    headers: ["www-authenticate", `Bearer realm="${realmOf(incoming)}"`, policyHeader, name],
  };
}

/** Browsers ask for a page; who does not say what it takes may be one. Programs say that they take anything. */
function canBeSentElsewhere(incoming: Incoming): boolean {
  if (incoming.method !== "GET" && incoming.method !== "HEAD") return false;
  const accept = headerOf(incoming, "accept");
  return accept === undefined || accept.includes("text/html");
}

function realmOf({ scheme, host, target }: Incoming): string {
  const [path = ""] = target.split("?");
  return `${scheme}://${host}${path}`.replace(/[^\x21\x23-\x5b\x5d-\x7e]/g, "");
}
