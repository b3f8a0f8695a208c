// What the queue-proxy's TLS may be: Go's names, as Knative's ConfigMap has them, in OpenSSL's words.

export interface TlsSettings {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** As OpenSSL names them; undefined leaves Node's choice. */
  readonly ciphers: string | undefined;
  /** The most wanted first; undefined leaves Node's choice. */
  readonly curves: string | undefined;
}

type TlsVersion = "TLSv1.2" | "TLSv1.3";

const versions: { readonly [name: string]: TlsVersion } = { "1.2": "TLSv1.2", "1.3": "TLSv1.3" };

const suites: { readonly [name: string]: string } = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_AES_128_GCM_SHA256: "TLS_AES_128_GCM_SHA256",
  TLS_AES_256_GCM_SHA384: "TLS_AES_256_GCM_SHA384",
  TLS_CHACHA20_POLY1305_SHA256: "TLS_CHACHA20_POLY1305_SHA256",
};

const curves: { readonly [name: string]: string } = {
  X25519: "X25519",
  CurveP256: "P-256",
  CurveP384: "P-384",
  CurveP521: "P-521",
};

const ofTls13 = Object.keys(suites).filter((name) => !name.includes("_WITH_"));

type Env = Readonly<Record<string, string | undefined>>;

export function readTls(env: Env, wrong: string[]): TlsSettings {
  const one = (name: string, usual: TlsVersion): TlsVersion => {
    const text = env[name] ?? "";
    const found = versions[text];
    if (text !== "" && found === undefined)
      wrong.push(`${name} is ${JSON.stringify(text)}, which is no TLS version: it must be 1.2 or 1.3`);
    return found ?? usual;
  };
  const listed = (name: string, known: { readonly [name: string]: string }, what: string) => {
    const asked = (env[name] ?? "")
      .split(",")
      .map((text) => text.trim())
      .filter((text) => text !== "");
    for (const text of asked)
      if (!Object.hasOwn(known, text))
        wrong.push(
          `${name} names ${JSON.stringify(text)}, which is no ${what} known here: ${Object.keys(known).join(", ")}`,
        );
    return asked.length === 0 ? undefined : asked.map((text) => known[text] ?? "").join(":");
  };
  // As upstream: both ends are Knative's own, so nobody needs the older one unless told.
  const maxVersion = one(names.max, "TLSv1.3");
  const minVersion = one(names.min, maxVersion);
  if (minVersion > maxVersion) wrong.push(`${names.min} is above ${names.max}`);
  const ciphers = listed(names.ciphers, suites, "cipher suite");
  return {
    minVersion,
    maxVersion,
    // As in Go, what is chosen for TLS 1.2 takes nothing from TLS 1.3; Node would take all of it.
    ciphers: ciphers === undefined ? undefined : [...new Set([...ciphers.split(":"), ...ofTls13])].join(":"),
    curves: listed(names.curves, curves, "curve"),
  };
}

const names = {
  min: "QUEUE_PROXY_TLS_MIN_VERSION",
  max: "QUEUE_PROXY_TLS_MAX_VERSION",
  ciphers: "QUEUE_PROXY_TLS_CIPHER_SUITES",
  curves: "QUEUE_PROXY_TLS_CURVE_PREFERENCES",
};
