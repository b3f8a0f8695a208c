// The keys and certificates of one home: made at the first start, used again after, renewed before they end.
import { generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { type Clock, PortError } from "../../ports/index.js";
import type { AltName, Made } from "./certificates.js";

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

export async function ensurePki({ folder, hosts, clock }: PkiOptions): Promise<Pki> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const nowMs = clock.now();
  const names = [...new Set([...usual, ...hosts.filter((host) => host !== "0.0.0.0" && host !== "::")])];

  let ca = readPair(folder, "ca");
  let server = readPair(folder, "server");
  let client = readPair(folder, "admin");
  const caGood = ca !== undefined && isFresh(ca.cert, nowMs);
  if (
    !caGood ||
    server === undefined ||
    !isFresh(server.cert, nowMs) ||
    !covers(server.cert, names) ||
    !issued(ca, server)
  ) {
    server = undefined;
  }
  if (!caGood || client === undefined || !isFresh(client.cert, nowMs) || !issued(ca, client))
    client = undefined;

  if (!caGood || server === undefined || client === undefined) {
    const { makeAuthority, openAuthority } = await import("./certificates.js");
    const authority =
      caGood && ca !== undefined ? await openAuthority(ca, nowMs) : await makeAuthority(nowMs);
    if (!caGood) {
      ca = { cert: authority.cert, key: authority.key };
      writePair(folder, "ca", ca);
    }
    if (server === undefined) {
      server = await authority.sign("CN=drydock-apiserver", "server", names.map(altName));
      writePair(folder, "server", server);
    }
    if (client === undefined) {
      client = await authority.sign("CN=drydock-admin,O=system:masters", "client", []);
      writePair(folder, "admin", client);
    }
  }
  return {
    ca: (ca as Made).cert,
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

function isFresh(cert: string, nowMs: number): boolean {
  try {
    return Date.parse(new X509Certificate(cert).validTo) - nowMs > renewMs;
  } catch {
    return false;
  }
}

function covers(cert: string, names: readonly string[]): boolean {
  const parsed = new X509Certificate(cert);
  return names.every(
    (name) => (isIP(name) === 0 ? parsed.checkHost(name) : parsed.checkIP(name)) !== undefined,
  );
}

function issued(ca: Made | undefined, made: Made): boolean {
  if (ca === undefined) return false;
  return new X509Certificate(made.cert).verify(new X509Certificate(ca.cert).publicKey);
}

function altName(value: string): AltName {
  return { type: isIP(value) === 0 ? "dns" : "ip", value };
}

function readPair(folder: string, name: string): Made | undefined {
  const [cert, key] = [read(join(folder, `${name}.crt`)), read(join(folder, `${name}.key`))];
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

function writePair(folder: string, name: string, { cert, key }: Made): void {
  write(join(folder, `${name}.key`), key);
  write(join(folder, `${name}.crt`), cert);
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
