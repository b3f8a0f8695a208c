// Names of TLS versions, cipher suites and curves as Go spells them in Knative's settings, and what OpenSSL calls them.
import type { Parsed } from "./goText.js";

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

interface Names<T extends string> {
  readonly [name: string]: T;
}

const versions: Names<TlsVersion> = { "1.2": "TLSv1.2", "1.3": "TLSv1.3" };

/** Those that Go counts as safe. */
const suites: Names<string> = {
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

const curves: Names<string> = {
  X25519MLKEM768: "X25519MLKEM768",
  X25519: "X25519",
  CurveP256: "P-256",
  CurveP384: "P-384",
  CurveP521: "P-521",
};

/** Undefined where nothing is said. */
export function tlsVersion(text: string): Parsed<TlsVersion | undefined> {
  if (text === "") return { value: undefined };
  const value = Object.hasOwn(versions, text) ? versions[text] : undefined;
  return value === undefined
    ? {
        because: `${JSON.stringify(text)} is no TLS version: it must be ${Object.keys(versions).join(" or ")}`,
      }
    : { value };
}

export function tlsSuites(text: string): Parsed<readonly string[]> {
  const found = listed(text, suites, "cipher suite");
  if ("because" in found || found.value.length === 0) return found;
  // As in Go, what is chosen for TLS 1.2 takes nothing from TLS 1.3; OpenSSL would be left with none of its suites.
  const newest = Object.keys(suites).filter((name) => !name.includes("_WITH_"));
  return { value: [...new Set([...found.value, ...newest])] };
}

export function tlsCurves(text: string): Parsed<readonly string[]> {
  return listed(text, curves, "curve");
}

function listed(text: string, known: Names<string>, what: string): Parsed<readonly string[]> {
  const names = text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const strange = names.find((one) => !Object.hasOwn(known, one));
  return strange === undefined
    ? { value: names.map((one) => known[one] ?? "") }
    : { because: `${JSON.stringify(strange)} is no ${what} known here: ${Object.keys(known).join(", ")}` };
}
