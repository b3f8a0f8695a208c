// The certificates of TLS listeners, by the name a client asks for. Swapped while connections run: a handshake takes
// what is there when it begins, and what was shaken hands on stays.
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { HostCertificate } from "./table.js";

export interface Certificates {
  /** Gives back what is wrong with some; their hosts keep what they had. */
  use(list: readonly HostCertificate[]): readonly string[];
  of(name: string): SecureContext | undefined;
  /** Shown to whoever asks for no name: the one for `*`, else the first. */
  readonly fallback: SecureContextOptions;
}

interface Made {
  readonly source: HostCertificate;
  readonly context: SecureContext;
}

export function makeCertificates(): Certificates {
  let byHost = new Map<string, Made>();
  let fallback: HostCertificate | undefined;
  return {
    use(list) {
      const before = byHost;
      const wrong: string[] = [];
      byHost = new Map();
      fallback = undefined;
      for (const source of list) {
        const made = makeOne(source, before, wrong);
        if (made === undefined) {
          for (const host of source.hosts) {
            const kept = before.get(host.toLowerCase());
            if (kept !== undefined && !byHost.has(host.toLowerCase())) byHost.set(host.toLowerCase(), kept);
          }
          continue;
        }
        fallback ??= source;
        for (const host of source.hosts)
          if (!byHost.has(host.toLowerCase())) byHost.set(host.toLowerCase(), made);
      }
      fallback = byHost.get("*")?.source ?? fallback ?? byHost.values().next().value?.source;
      return wrong;
    },
    of(name) {
      const host = name.toLowerCase();
      const dot = host.indexOf(".");
      const made = byHost.get(host) ?? byHost.get(dot < 0 ? host : `*${host.slice(dot)}`) ?? byHost.get("*");
      return made?.context;
    },
    get fallback() {
      return fallback === undefined ? {} : settingsOf(fallback);
    },
  };
}

/** Unchanged ones are taken over: making a context costs a millisecond, and a thousand hosts may share a gateway. */
function makeOne(
  source: HostCertificate,
  before: ReadonlyMap<string, Made>,
  wrong: string[],
): Made | undefined {
  for (const host of source.hosts) {
    const known = before.get(host.toLowerCase());
    if (known !== undefined && isSame(known.source, source)) return { source, context: known.context };
  }
  try {
    return { source, context: createSecureContext(settingsOf(source)) };
  } catch (error) {
    wrong.push(`the certificate for ${source.hosts.join(", ")} cannot be used: ${(error as Error).message}`);
    return undefined;
  }
}

function isSame(one: HostCertificate, other: HostCertificate): boolean {
  return (
    one.cert === other.cert &&
    one.key === other.key &&
    one.minVersion === other.minVersion &&
    one.maxVersion === other.maxVersion &&
    one.ciphers === other.ciphers &&
    one.curves === other.curves
  );
}

function settingsOf(certificate: HostCertificate): SecureContextOptions {
  const { cert, key, minVersion, maxVersion, ciphers, curves } = certificate;
  return {
    cert,
    key,
    minVersion: minVersion ?? "TLSv1.2",
    ...(maxVersion !== undefined && { maxVersion }),
    ...(ciphers !== undefined && { ciphers }),
    ...(curves !== undefined && { ecdhCurve: curves }),
  };
}
