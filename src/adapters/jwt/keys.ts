// The keys of issuers: given, or fetched within bounds, kept, and fetched anew when one is missing.
import type { JSONWebKeySet } from "jose";
import type { Clock, Log, TokenRule } from "../../ports/index.js";
import { askAgainMs, documentBytes, fetchWithinMs, keySetsKept, keysFreshMs } from "./limits.js";

export class KeysUnavailable extends Error {}

export interface KeySource {
  /** `anew`: a key was missing, so the issuer is asked again, unless it was a moment ago. */
  keysOf(rule: TokenRule, anew: boolean): Promise<JSONWebKeySet>;
}

interface Kept {
  keys: JSONWebKeySet | undefined;
  fetchedMs: number;
  /** When the issuer was last asked, whatever came of it. */
  askedMs: number;
  asking: Promise<void> | undefined;
}

export function keySource(clock: Clock, log: Log): KeySource {
  const kept = new Map<string, Kept>();

  function keptOf(key: string): Kept {
    const found = kept.get(key);
    if (found !== undefined) return found;
    const fresh: Kept = {
      keys: undefined,
      fetchedMs: 0,
      askedMs: Number.NEGATIVE_INFINITY,
      asking: undefined,
    };
    kept.set(key, fresh);
    for (const oldest of kept.keys()) {
      if (kept.size <= keySetsKept) break;
      kept.delete(oldest);
    }
    return fresh;
  }

  return {
    async keysOf(rule, anew) {
      if (rule.jwks !== undefined) return JSON.parse(rule.jwks) as JSONWebKeySet;
      const uri = rule.jwksUri ?? `${rule.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
      const one = keptOf(`${rule.insecure} ${rule.jwksUri === undefined} ${uri}`);
      const nowMs = clock.now();
      const stale = one.keys === undefined || nowMs - one.fetchedMs > keysFreshMs;
      if ((anew || stale) && one.asking === undefined && nowMs - one.askedMs >= askAgainMs) {
        one.askedMs = nowMs;
        one.asking = ask(rule, uri)
          .then(
            (keys) => {
              one.keys = keys;
              one.fetchedMs = clock.now();
            },
            (error: unknown) => {
              // Whoever calls must not learn where keys come from; whoever runs the gateway must.
              const cause =
                error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
              log.error("the keys of an issuer could not be fetched", {
                issuer: rule.issuer,
                error: `${error instanceof Error ? error.message : String(error)}${cause}`,
                served: one.keys === undefined ? "none of its tokens" : "by its earlier keys",
              });
            },
          )
          .finally(() => {
            one.asking = undefined;
          });
      }
      // Keys that are merely old serve while new ones are on their way.
      if (one.asking !== undefined && (anew || one.keys === undefined)) await one.asking;
      if (one.keys === undefined) throw new KeysUnavailable();
      return one.keys;
    },
  };
}

async function ask(rule: TokenRule, uri: string): Promise<JSONWebKeySet> {
  if (rule.jwksUri !== undefined) return keySetIn(await fetchJson(uri, rule.insecure));
  const { jwks_uri: found } = (await fetchJson(uri, rule.insecure)) as { jwks_uri?: unknown };
  if (typeof found !== "string") throw new Error(`${uri} names no jwks_uri`);
  return keySetIn(await fetchJson(found, rule.insecure));
}

function keySetIn(document: unknown): JSONWebKeySet {
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new Error("the answer is no JSON Web Key Set");
  return document as JSONWebKeySet;
}

async function fetchJson(uri: string, insecure: boolean): Promise<unknown> {
  const url = new URL(uri);
  if (url.protocol !== "https:" && !insecure && !isLoopback(url.hostname))
    throw new Error(`${uri}: keys come over https, or from this machine`);
  // A redirect could lead to anywhere, and out of https.
  const answer = await fetch(url, { signal: AbortSignal.timeout(fetchWithinMs), redirect: "error" });
  if (!answer.ok) throw new Error(`${uri} answered ${answer.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > documentBytes) throw new Error(`${uri} has more than ${documentBytes} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

function isLoopback(host: string): boolean {
  return (
    host === "localhost" ||
    host === "[::1]" ||
    host.endsWith(".localhost") ||
    /^127(\.\d{1,3}){3}$/.test(host)
  );
}
