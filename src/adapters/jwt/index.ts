// The TokenVerifier port on jose, which is loaded with the first token: a gateway without policies pays nothing for it.
import type * as Jose from "jose";
import type { JsonObject } from "../../domain/apis/schema/index.js";
import type { Clock, Log, TokenRule, TokenVerifier, Verified } from "../../ports/index.js";
import { KeysUnavailable, keySource } from "./keys.js";
import { longestTokenBytes, tokenBytes, tokensKept, trustedMs } from "./limits.js";

/** Signatures of key pairs only: a shared secret in a published key set would let every reader sign. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** As Envoy allows between the clocks of issuer and gateway. */
const clockSkewSeconds = 60;

interface Remembered {
  readonly verified: Extract<Verified, { outcome: "verified" }>;
  readonly untilMs: number;
}

export function jwtVerifier(clock: Clock, log: Log): TokenVerifier {
  const keys = keySource(clock, log);
  const remembered = new Map<string, Remembered>();

  function remember(token: string, verified: Remembered["verified"]): void {
    if (token.length > tokenBytes) return;
    const { exp } = verified.claims as { exp?: unknown };
    const nowMs = clock.now();
    const untilMs = Math.min(
      typeof exp === "number" ? exp * 1000 : Number.POSITIVE_INFINITY,
      nowMs + trustedMs,
    );
    remembered.set(token, { verified, untilMs });
    for (const oldest of remembered.keys()) {
      if (remembered.size <= tokensKept) break;
      remembered.delete(oldest);
    }
  }

  return {
    known(token, rules) {
      const found = remembered.get(token);
      if (found === undefined) return undefined;
      if (clock.now() >= found.untilMs) {
        remembered.delete(token);
        return undefined;
      }
      const { rule } = found.verified;
      return rules.some((one) => isSame(one, rule)) ? found.verified : undefined;
    },

    async verify(token, rules) {
      const jose = await import("jose");
      if (token.length > longestTokenBytes) return refused("Jwt is too long");
      if (token.split(".").length !== 3)
        return refused("Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections");
      let issuer: unknown;
      try {
        issuer = jose.decodeJwt(token).iss;
      } catch {
        return refused("Jwt payload is an invalid JSON");
      }
      const matching = rules.filter((rule) => rule.issuer === issuer);
      if (matching.length === 0) return refused("Jwt issuer is not configured");
      let last: Verified = refused("Jwt verification fails");
      for (const rule of matching) {
        last = await check(jose, token, rule);
        if (last.outcome === "verified") {
          remember(token, last);
          return last;
        }
      }
      return last;
    },
  };

  async function check(jose: typeof Jose, token: string, rule: TokenRule): Promise<Verified> {
    for (const anew of [false, true]) {
      try {
        const set = jose.createLocalJWKSet(await keys.keysOf(rule, anew));
        const { payload } = await jose.jwtVerify(token, set, {
          issuer: rule.issuer,
          algorithms,
          clockTolerance: clockSkewSeconds,
          currentDate: new Date(clock.now()),
          ...(rule.audiences.length === 0 ? {} : { audience: [...rule.audiences] }),
        });
        return { outcome: "verified", claims: payload as JsonObject, rule };
      } catch (error) {
        // It may be signed with a key that its issuer has only now begun to use.
        const { code } = error as { code?: string };
        if (code === "ERR_JWKS_NO_MATCHING_KEY" && !anew && rule.jwks === undefined) continue;
        return whyNot(error, code);
      }
    }
    return refused("Jwt verification fails");
  }
}

function whyNot(error: unknown, code: string | undefined): Verified {
  if (error instanceof KeysUnavailable) return refused("Jwks remote fetch is failed");
  switch (code) {
    case "ERR_JWT_EXPIRED":
      return refused("Jwt is expired");
    case "ERR_JWT_CLAIM_VALIDATION_FAILED": {
      const { claim } = error as { claim?: string };
      if (claim === "aud")
        return { outcome: "refused", status: 403, because: "Audiences in Jwt are not allowed" };
      return refused(claim === "nbf" ? "Jwt not yet valid" : `Jwt verification fails: ${claim} is wrong`);
    }
    case "ERR_JWKS_NO_MATCHING_KEY":
      return refused("Jwks doesn't have key to match kid or alg from Jwt");
    case "ERR_JWKS_MULTIPLE_MATCHING_KEYS":
      return refused("Jwt verification fails: it names no kid, and several keys would fit");
    default:
      return refused("Jwt verification fails");
  }
}

function refused(because: string): Verified {
  return { outcome: "refused", status: 401, because };
}

function isSame(one: TokenRule, other: TokenRule): boolean {
  return (
    one === other ||
    (one.issuer === other.issuer &&
      one.jwks === other.jwks &&
      one.jwksUri === other.jwksUri &&
      one.insecure === other.insecure &&
      one.audiences.join(" ") === other.audiences.join(" "))
  );
}
