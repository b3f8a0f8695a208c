// What the queue-proxy's TLS may be, as its environment says.
import { createSecureContext } from "node:tls";
import type { Parsed } from "../../domain/apis/config/goText.js";
import { type TlsVersion, tlsCurves, tlsSuites, tlsVersion } from "../../domain/apis/config/tlsNames.js";

export interface TlsSettings {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Undefined leaves Node's choice, as with curves. */
  readonly ciphers: string | undefined;
  /** The most wanted first. */
  readonly curves: string | undefined;
}

const prefix = "QUEUE_PROXY_TLS_";

export function readTls(env: Readonly<Record<string, string | undefined>>, wrong: string[]): TlsSettings {
  const read = <T>(name: string, parse: (text: string) => Parsed<T>): T | undefined => {
    const parsed = parse(env[prefix + name] ?? "");
    if ("value" in parsed) return parsed.value;
    wrong.push(`${prefix}${name}: ${parsed.because}`);
    return undefined;
  };
  // As upstream: both ends are Knative's own, so nobody needs the older one unless told.
  const maxVersion = read("MAX_VERSION", tlsVersion) ?? "TLSv1.3";
  const minVersion = read("MIN_VERSION", tlsVersion) ?? maxVersion;
  if (minVersion > maxVersion) wrong.push(`${prefix}MIN_VERSION is above ${prefix}MAX_VERSION`);
  const suites = read("CIPHER_SUITES", tlsSuites) ?? [];
  const wanted = read("CURVE_PREFERENCES", tlsCurves) ?? [];
  // The newest are not in every OpenSSL; with another to fall back to, both ends still meet.
  const curves = wanted.filter(isKnown);
  if (wanted.length > 0 && curves.length === 0)
    wrong.push(
      `${prefix}CURVE_PREFERENCES: this Node's OpenSSL ${process.versions.openssl} has no ${wanted.join(", ")}`,
    );
  return { minVersion, maxVersion, ciphers: joined(suites), curves: joined(curves) };
}

function joined(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : names.join(":");
}

function isKnown(ecdhCurve: string): boolean {
  try {
    createSecureContext({ ecdhCurve });
    return true;
  } catch {
    return false;
  }
}
