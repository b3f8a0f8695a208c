// kubectl --as: someone who may speak for others does.
import type { IncomingHttpHeaders } from "node:http";
import type { Authorizer } from "../auth/authorize.js";
import type { User } from "../registry/index.js";
import { forbidden, refusal } from "../status.js";

export function impersonated(
  user: User,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
  authorizer: Authorizer,
): User {
  const name = headers["impersonate-user"];
  const groups = headers["impersonate-group"] === undefined ? [] : valuesOf(raw, "impersonate-group");
  if (name === undefined || name === "") {
    if (groups.length === 0) return user;
    throw refusal("InternalError", "Internal error occurred: requested groups without impersonating a user");
  }
  const may = (group: string, resource: string, what: string) => {
    const deed = { verb: "impersonate", group, resource, name: what, namespace: "", path: "" };
    if (authorizer.allows(user, deed)) return;
    throw forbidden(
      { group, plural: resource },
      what,
      `User ${JSON.stringify(user.name)} cannot impersonate resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} at the cluster scope`,
    );
  };
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(name));
  may("", account === null ? "users" : "serviceaccounts", String(name));
  for (const group of groups) may("", "groups", group);
  const own =
    account === null || groups.length > 0
      ? groups
      : ["system:serviceaccounts", `system:serviceaccounts:${account[1]}`];
  const known = name === "system:anonymous" ? "system:unauthenticated" : "system:authenticated";
  return { name: String(name), groups: own.includes(known) ? own : [...own, known] };
}

/** Node joins repeated headers of most names with a comma, which a group's name may hold. */
function valuesOf(raw: readonly string[], name: string): readonly string[] {
  const found: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.toLowerCase() === name) found.push(raw[i + 1] as string);
  }
  return found;
}
