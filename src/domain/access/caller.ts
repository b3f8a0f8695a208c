// One request as policies see it.
import type { JsonObject } from "../apis/schema/index.js";

/** Who calls, as far as the request proves it. */
export interface Caller {
  /** `ISSUER/SUBJECT` of a token, or `apikey/NAMESPACE/SECRET/ENTRY`. */
  readonly requestPrincipal: string | undefined;
  readonly claims: JsonObject;
}

export const anonymous: Caller = { requestPrincipal: undefined, claims: {} };

export interface AccessRequest {
  readonly caller: Caller;
  /** The client's own address. */
  readonly ip: string;
  /** Lower case, without port. */
  readonly host: string;
  readonly method: string;
  /** Without query, normalised (`readings`). */
  readonly path: string;
  readonly port: number;
  /** The names under which what is called is known inside. */
  readonly services: readonly string[];
  /** Every value of the header, in the order they came. */
  headers(lowerName: string): readonly string[];
}

/**
 * What a path may mean to whoever reads it behind us. A policy must hold for each meaning: servers differ in whether
 * they decode before they split, and a difference between us and them would be a way around every rule.
 */
export function readings(path: string): readonly string[] {
  if (!/[%\\;]|\/\//.test(path)) return [path];
  const found = new Set<string>([path]);
  const decoded = decode(path);
  for (const one of [path, decoded]) {
    const plain = resolveDots(one.replaceAll("\\", "/").replace(/\/{2,}/g, "/"));
    found.add(plain);
    // Some servers drop what follows a semicolon from each segment.
    if (plain.includes(";")) found.add(resolveDots(plain.replace(/;[^/]*/g, "")));
  }
  return [...found];
}

function decode(path: string): string {
  return path.replace(/(?:%[0-9a-fA-F]{2})+/g, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}

function resolveDots(path: string): string {
  const segments: string[] = [];
  const parts = path.split("/");
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    if (part === "." || part === "..") {
      if (part === ".." && segments.length > 1) segments.pop();
      if (last) segments.push("");
    } else segments.push(part);
  }
  const joined = segments.join("/");
  return joined.startsWith("/") ? joined : `/${joined}`;
}
