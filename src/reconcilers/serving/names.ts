import { createHash } from "node:crypto";
import type { ServingConfig } from "../../domain/apis/config/index.js";
import { networking } from "../../domain/apis/serving/keys.js";
import { chooseDomain, localDomain } from "../../domain/traffic/index.js";
import type { Settings } from "./deps.js";

const longest = 63;

/** parent+suffix, shortened by a hash when it would be longer than a label may be (knative-serving.md, section 3.1). */
export function childName(parent: string, suffix: string): string {
  if (parent.length + suffix.length <= longest) return parent + suffix;
  const digest = createHash("md5").update(parent).digest("hex");
  return parent.slice(0, 31 - suffix.length) + digest + suffix;
}

/** NAME.NAMESPACE.svc.cluster.local: how the inside calls a Service or Route. */
export function localHost(name: string, namespace: string): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

export function externalHost(name: string, namespace: string, domain: string): string {
  return `${name}.${namespace}.${domain}`;
}

/** Our own port belongs to plain http; another scheme is spoken by whatever stands in front of the gateway. */
export function externalUrl(host: string, port: number, scheme = "http"): string {
  return port === 80 || scheme !== "http" ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

/**
 * What the hosts of an object with these labels end in. `svc.cluster.local` keeps it inside. Where no config-domain
 * was ever written the instance's own domain counts, or nothing on a laptop could be reached.
 */
export function domainOf(
  labels: { readonly [key: string]: string } | undefined,
  { domains }: Pick<ServingConfig, "domains">,
  { domain }: Pick<Settings, "domain">,
): string {
  if (labels?.[networking.visibility] === "cluster-local") return localDomain;
  const unwritten = domains.every((one) => one.domain === localDomain);
  return unwritten ? domain : chooseDomain(domains, labels);
}

/** Labels or annotations without those of the given keys. */
export function without(
  map: { readonly [key: string]: string } | undefined,
  dropped: (key: string) => boolean,
): { readonly [key: string]: string } {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !dropped(key)));
}
