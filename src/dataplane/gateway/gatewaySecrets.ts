// The certificates that Gateways bring, from Secrets or files; the last good one where the next cannot be used.
import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  certificatePlaces,
  type ParsedGateway,
  type ParsedServer,
  type ServerTls,
} from "../../domain/apis/istio/gateway.parse.js";
import { listenerOf } from "./bind.js";
import type { CompileInput, SecretInput } from "./inputs.js";
import type { HostCertificate, RouteProblem } from "./table.js";

/** By Gateway and place of the server in it. */
export type Certificates = ReadonlyMap<string, HostCertificate>;

export function readCertificates(
  { secrets = [], readFile = () => undefined }: Pick<CompileInput, "secrets" | "readFile">,
  gateways: ReadonlyMap<string, ParsedGateway> | undefined,
  before: Certificates | undefined,
  problems: RouteProblem[],
): Certificates {
  const made = new Map<string, HostCertificate>();
  const bySecret = new Map(secrets.map((one) => [`${one.metadata?.namespace}/${one.metadata?.name}`, one]));
  for (const gateway of gateways?.values() ?? []) {
    // Inside, nothing listens with TLS.
    if (listenerOf(gateway) !== "external") continue;
    for (const [index, server] of gateway.servers.entries()) {
      if (server.tls === undefined) continue;
      const at = `${gateway.key} ${index}`;
      const kept = before?.get(at);
      const found = look(server.tls, gateway.namespace, bySecret, readFile);
      const read = found === "optional" ? found : certificate(found, server, server.tls, kept);
      if (typeof read === "object" && "cert" in read) {
        made.set(at, read);
        continue;
      }
      if (kept !== undefined) made.set(at, kept);
      if (read === "optional" && kept === undefined) continue;
      const what = read === "optional" ? "the Secret of its certificate is gone" : read.because;
      problems.push({
        object: `Gateway ${gateway.key}`,
        reason: "CertificateUnusable",
        message: `spec.servers[${index}].tls: ${what}`,
        keptPrevious: kept !== undefined,
      });
    }
  }
  return made;
}

interface Material {
  readonly from: string;
  readonly cert: string;
  readonly key: string;
}

type Found = Material | { readonly because: string };

function look(
  tls: ServerTls,
  namespace: string,
  secrets: ReadonlyMap<string, SecretInput>,
  readFile: (path: string) => string | undefined,
): Found | "optional" {
  const places = certificatePlaces(tls, namespace);
  for (const at of places.secrets) {
    const secret = secrets.get(at);
    if (secret !== undefined) return inSecret(at, secret);
  }
  const { certificateFile, keyFile } = tls;
  if (certificateFile === undefined || keyFile === undefined)
    return { because: `there is no Secret ${places.secrets.join(" and no Secret ")}` };
  const cert = readFile(certificateFile);
  const key = readFile(keyFile);
  if (cert !== undefined && key !== undefined) return { from: certificateFile, cert, key };
  if (places.optional) return "optional";
  return { because: `the file ${cert === undefined ? certificateFile : keyFile} cannot be read` };
}

function inSecret(at: string, { data = {} }: SecretInput): Found {
  const text = (name: string, other: string) => {
    const value = data[name] ?? data[other];
    return value === undefined ? undefined : Buffer.from(value, "base64").toString();
  };
  const cert = text("tls.crt", "cert");
  const key = text("tls.key", "key");
  if (cert === undefined) return { because: `Secret ${at} has no tls.crt` };
  if (key === undefined) return { because: `Secret ${at} has no tls.key` };
  return { from: `Secret ${at}`, cert, key };
}

function certificate(
  found: Found,
  server: ParsedServer,
  { minVersion, maxVersion, ciphers }: ServerTls,
  kept: HostCertificate | undefined,
): HostCertificate | { readonly because: string } {
  if ("because" in found) return found;
  const { from, cert, key } = found;
  const hosts = [...new Set(server.hosts.map((one) => one.host))];
  const made: HostCertificate = { hosts, cert, key, minVersion, maxVersion, ciphers };
  // The same to the object: nothing has to be loaded again.
  if (kept !== undefined && JSON.stringify(kept) === JSON.stringify(made)) return kept;
  const because = whyUnusable(cert, key);
  return because === undefined ? made : { because: `${from}: ${because}` };
}

function whyUnusable(cert: string, key: string): string | undefined {
  const read = <T>(what: string, run: () => T): T | string => {
    try {
      return run();
    } catch {
      // Node's own words may quote what is in the Secret.
      return `${what} is not PEM that can be read`;
    }
  };
  const x509 = read("tls.crt", () => new X509Certificate(cert));
  if (typeof x509 === "string") return x509;
  const secret = read("tls.key", () => createPrivateKey(key));
  if (typeof secret === "string") return secret;
  return x509.checkPrivateKey(secret) ? undefined : "tls.key is not the key of tls.crt";
}
