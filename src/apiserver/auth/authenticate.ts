// Who is asking: a client certificate of our CA, the administrator's token, or a ServiceAccount's.
import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Registry, User } from "../registry/index.js";
import type { Tokens } from "./tokens.js";

export interface Authenticator {
  /** undefined: nobody we know. */
  user(request: IncomingMessage): User | undefined;
  /** Whom a bearer token speaks for. */
  bearer(token: string): User | undefined;
}

export const masters = "system:masters";

export function makeAuthenticator(registry: Registry, tokens: Tokens, adminToken: string): Authenticator {
  const wanted = digest(adminToken);
  const byCertificate = new WeakMap<object, User | "none">();
  const admin: User = { name: "drydock-admin", groups: [masters, "system:authenticated"] };
  /** The header by which a connection has shown already that it is the administrator's. */
  const shown = new WeakMap<object, string>();

  function bearer(token: string): User | undefined {
    // Compared by digest: equal lengths, and no early end that would tell how much was right.
    if (adminToken !== "" && timingSafeEqual(digest(token), wanted)) return admin;
    const claims = tokens.read(token, registry.clock.now());
    if (claims === undefined) return undefined;
    const served = registry.served.find("", "v1", "serviceaccounts");
    const account = served && registry.get(served, claims.namespace, claims.name)?.object;
    // A token ends with its account, and does not pass to a later one of the same name.
    if (account?.metadata.uid !== claims.uid) return undefined;
    return {
      name: `system:serviceaccount:${claims.namespace}:${claims.name}`,
      uid: claims.uid,
      groups: [
        "system:serviceaccounts",
        `system:serviceaccounts:${claims.namespace}`,
        "system:authenticated",
      ],
    };
  }

  function certificate(socket: TLSSocket): User | undefined {
    const known = byCertificate.get(socket);
    if (known !== undefined) return known === "none" ? undefined : known;
    const user = socket.authorized === true ? userOf(socket) : undefined;
    byCertificate.set(socket, user ?? "none");
    return user;
  }

  return {
    bearer,
    user(request) {
      const { authorization = "" } = request.headers;
      // How long this takes tells the connection nothing but what it showed us itself.
      if (authorization !== "" && shown.get(request.socket) === authorization) return admin;
      const given = /^Bearer +(.+)$/i.exec(authorization)?.[1]?.trim();
      if (given === undefined) return certificate(request.socket as TLSSocket);
      const user = bearer(given);
      if (user === admin) shown.set(request.socket, authorization);
      return user;
    },
  };
}

function userOf(socket: TLSSocket): User | undefined {
  const { subject } = socket.getPeerCertificate();
  // One O is a string, several are a list; the types know only the first.
  const { CN, O } = (subject ?? {}) as { readonly CN?: string; readonly O?: string | readonly string[] };
  if (CN === undefined || CN === "") return undefined;
  const groups = O === undefined ? [] : typeof O === "string" ? [O] : O;
  return { name: CN, groups: [...groups, "system:authenticated"] };
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}
