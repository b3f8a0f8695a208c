import { createHash } from "node:crypto";

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

export function externalUrl(host: string, port: number): string {
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}

/** Labels or annotations without those of the given keys. */
export function without(
  map: { readonly [key: string]: string } | undefined,
  dropped: (key: string) => boolean,
): { readonly [key: string]: string } {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !dropped(key)));
}
