// The keys and certificates of one home: made at the first start, used again after, renewed before they end.
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, PortError } from "../../ports/index.js";
import { isAddress, type Made, makeAuthority, openAuthority } from "./certificates.js";

export interface Pki {
  readonly ca: string;
  readonly server: Made;
  /** CN=drydock-admin, O=system:masters: who holds it may do all. */
  readonly client: Made;
  /** The administrator's bearer token. */
  readonly token: string;
  /** PEM of the key that signs ServiceAccount tokens (P-256). */
  readonly serviceAccountKey: string;
}

export interface PkiOptions {
  /** Only its owner may read it: it holds private keys. */
  readonly folder: string;
  /** Names and addresses the server is reached by, beside the usual ones. */
  readonly hosts: readonly string[];
  readonly clock: Clock;
}

const usual = [
  "localhost",
  "127.0.0.1",
  "::1",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
];
const renewMs = 30 * 86_400_000;

export function ensurePki({ folder, hosts, clock }: PkiOptions): Pki {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const nowMs = clock.now();
  const names = [...new Set([...usual, ...hosts.filter((host) => host !== "0.0.0.0" && host !== "::")])];
  const foundCa = usable(readPair(folder, "ca"), nowMs);
  // Whoever trusts an authority of ours trusts it by its certificate: with a new one, all it signed is new.
  const signed = (name: string) => foundCa && usable(readPair(folder, name), nowMs, foundCa);
  const foundServer = signed("server");
  let server = foundServer !== undefined && covers(foundServer.parsed, names) ? foundServer.made : undefined;
  let client = signed("admin")?.made;
  let ca = foundCa?.made;

  if (ca === undefined || server === undefined || client === undefined) {
    const authority = ca === undefined ? makeAuthority(nowMs) : openAuthority(ca, nowMs);
    ca ??= writePair(folder, "ca", authority);
    server ??= writePair(
      folder,
      "server",
      authority.sign({ commonName: "drydock-apiserver" }, "server", names),
    );
    client ??= writePair(
      folder,
      "admin",
      authority.sign({ commonName: "drydock-admin", organization: "system:masters" }, "client", []),
    );
  }
  return {
    ca: ca.cert,
    server,
    client,
    token: once(folder, "token", () => randomBytes(32).toString("base64url")),
    serviceAccountKey: once(folder, "sa.key", () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString(),
    ),
  };
}

interface Found {
  readonly made: Made;
  readonly parsed: X509Certificate;
}

/** What can still be used for a while, and comes from this authority. */
function usable(made: Made | undefined, nowMs: number, from?: Found): Found | undefined {
  if (made === undefined) return undefined;
  try {
    const parsed = new X509Certificate(made.cert);
    if (Date.parse(parsed.validTo) - nowMs <= renewMs) return undefined;
    // A start that was killed between two files leaves a key beside another key's certificate.
    if (!parsed.checkPrivateKey(createPrivateKey(made.key))) return undefined;
    if (from !== undefined && !parsed.verify(from.parsed.publicKey)) return undefined;
    return { made, parsed };
  } catch {
    return undefined;
  }
}

function covers(cert: X509Certificate, names: readonly string[]): boolean {
  return names.every((name) => (isAddress(name) ? cert.checkIP(name) : cert.checkHost(name)) !== undefined);
}

function readPair(folder: string, name: string): Made | undefined {
  const [cert, key] = [read(join(folder, `${name}.crt`)), read(join(folder, `${name}.key`))];
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function writePair(folder: string, name: string, { cert, key }: Made): Made {
  write(join(folder, `${name}.key`), key);
  write(join(folder, `${name}.crt`), cert);
  return { cert, key };
}

function once(folder: string, name: string, make: () => string): string {
  const path = join(folder, name);
  const found = read(path)?.trim();
  if (found !== undefined && found !== "") return found;
  const made = make();
  write(path, made.endsWith("\n") ? made : `${made}\n`);
  return made.trim();
}

function read(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new PortError(
      "InternalError",
      `cannot read ${path}: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
}

/** Whole or not at all: half a key would keep the server from ever starting again. */
function write(path: string, text: string): void {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}
