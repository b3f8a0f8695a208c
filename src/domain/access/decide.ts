// Istio's order: what DENY matches is refused; then, where there is any ALLOW, one of them must match.
import type { AccessRequest } from "./caller.js";
import type { Policy } from "./policy.js";

export type Decision =
  | { readonly allowed: true; readonly audited: readonly string[] }
  | { readonly allowed: false; readonly by: string; readonly because: string };

export function decideAccess(policies: readonly Policy[], request: AccessRequest): Decision {
  const denying = policies.find(({ action, matches }) => action === "DENY" && matches(request));
  if (denying !== undefined)
    return { allowed: false, by: denying.name, because: "a rule of it denies this request" };
  const allowing = policies.filter(({ action }) => action === "ALLOW");
  const [first] = allowing;
  if (first !== undefined && !allowing.some(({ matches }) => matches(request))) {
    const more = allowing.length > 1 ? ` and ${allowing.length - 1} more` : "";
    return { allowed: false, by: `${first.name}${more}`, because: "no rule allows this request" };
  }
  const audited = policies.filter(({ action, matches }) => action === "AUDIT" && matches(request));
  return { allowed: true, audited: audited.map(({ name }) => name) };
}
