// ServiceAccount tokens: JWTs signed with the home's own key, so they verify offline.
import { createPrivateKey, createPublicKey, randomUUID, sign, verify } from "node:crypto";

export const issuer = "https://kubernetes.default.svc.cluster.local";

export interface ServiceAccountClaims {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface Tokens {
  issue(
    account: ServiceAccountClaims,
    audiences: readonly string[],
    lifeSeconds: number,
    nowMs: number,
  ): string;
  /** Who a token speaks for; undefined when it was not signed here, has ended, or is meant for others. */
  read(token: string, nowMs: number, audience?: string): ServiceAccountClaims | undefined;
  /** The public half, as /openid/v1/jwks shows it. */
  jwks(): object;
}

/** `keyPem` is a P-256 private key. */
export function makeTokens(keyPem: string): Tokens {
  const privateKey = createPrivateKey(keyPem);
  const publicKey = createPublicKey(privateKey);
  const jwk = publicKey.export({ format: "jwk" });
  const keyId = Buffer.from(`${jwk.x}${jwk.y}`).toString("base64url").slice(0, 24);

  return {
    issue({ namespace, name, uid }, audiences, lifeSeconds, nowMs) {
      const now = Math.floor(nowMs / 1000);
      const head = encode({ alg: "ES256", kid: keyId });
      const claims = encode({
        aud: audiences,
        exp: now + lifeSeconds,
        iat: now,
        iss: issuer,
        jti: randomUUID(),
        "kubernetes.io": { namespace, serviceaccount: { name, uid } },
        nbf: now,
        sub: `system:serviceaccount:${namespace}:${name}`,
      });
      const signature = sign("sha256", Buffer.from(`${head}.${claims}`), {
        key: privateKey,
        dsaEncoding: "ieee-p1363",
      });
      return `${head}.${claims}.${signature.toString("base64url")}`;
    },

    read(token, nowMs, audience = issuer) {
      const [head, claims, signature, ...more] = token.split(".");
      if (head === undefined || claims === undefined || signature === undefined || more.length > 0)
        return undefined;
      try {
        // Only our own algorithm: a token must not choose how it is judged.
        if ((decode(head) as { readonly alg?: string }).alg !== "ES256") return undefined;
        const signed = Buffer.from(`${head}.${claims}`);
        const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
        if (!verify("sha256", signed, key, Buffer.from(signature, "base64url"))) return undefined;
        const { exp, nbf, iss, aud, ...rest } = decode(claims) as {
          readonly exp: number;
          readonly nbf: number;
          readonly iss: string;
          readonly aud: readonly string[];
          readonly "kubernetes.io": {
            readonly namespace: string;
            readonly serviceaccount: { name: string; uid: string };
          };
        };
        const now = nowMs / 1000;
        if (iss !== issuer || now >= exp || now < nbf - 60 || !aud.includes(audience)) return undefined;
        const { namespace, serviceaccount } = rest["kubernetes.io"];
        return { namespace, ...serviceaccount };
      } catch {
        return undefined;
      }
    },

    jwks: () => ({
      keys: [{ use: "sig", kty: "EC", kid: keyId, crv: "P-256", alg: "ES256", x: jwk.x, y: jwk.y }],
    }),
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(part: string): unknown {
  return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
}
