// Makes certificates. The library is loaded only here, and only when there is something to make.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

export interface Made {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Made {
  readonly sign: (subject: string, use: "server" | "client", names: readonly AltName[]) => Promise<Made>;
}

export interface AltName {
  readonly type: "dns" | "ip";
  readonly value: string;
}

const dayMs = 86_400_000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const serverAuth = "1.3.6.1.5.5.7.3.1";
const clientAuth = "1.3.6.1.5.5.7.3.2";

export async function makeAuthority(nowMs: number): Promise<Authority> {
  const keys = await keyPair();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=drydock-ca",
    keys,
    ...lifetime(nowMs, 3650),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return authority(cert, keys.privateKey, await pem(keys.privateKey), nowMs);
}

/** An authority made in an earlier life. */
export async function openAuthority({ cert, key }: Made, nowMs: number): Promise<Authority> {
  const der = x509.PemConverter.decode(key)[0] as ArrayBuffer;
  const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  return authority(new x509.X509Certificate(cert), privateKey, key, nowMs);
}

function authority(
  cert: x509.X509Certificate,
  signingKey: Awaited<ReturnType<typeof keyPair>>["privateKey"],
  key: string,
  nowMs: number,
): Authority {
  return {
    cert: cert.toString("pem") + "\n",
    key,
    async sign(subject, use, names) {
      const keys = await keyPair();
      const made = await x509.X509CertificateGenerator.create({
        subject,
        issuer: cert.subject,
        publicKey: keys.publicKey,
        signingKey,
        ...lifetime(nowMs, 365),
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([use === "server" ? serverAuth : clientAuth]),
          await x509.AuthorityKeyIdentifierExtension.create(cert.publicKey),
          ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
        ],
      });
      return { cert: made.toString("pem") + "\n", key: await pem(keys.privateKey) };
    },
  };
}

// A little in the past, since the clocks of two machines never quite agree.
function lifetime(nowMs: number, days: number) {
  return { notBefore: new Date(nowMs - 3_600_000), notAfter: new Date(nowMs + days * dayMs) };
}

function keyPair() {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function pem(key: Awaited<ReturnType<typeof keyPair>>["privateKey"]): Promise<string> {
  const der = await crypto.subtle.exportKey("pkcs8", key);
  return x509.PemConverter.encode(der, "PRIVATE KEY") + "\n";
}
