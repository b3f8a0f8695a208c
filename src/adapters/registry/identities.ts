// Who we may be to a registry: which credentials are meant for a repository, the closest first.
import type { RegistryCredentials } from "../../ports/index.js";
import { maxCredentials } from "./limits.js";

/** `undefined` is nobody in particular. */
export type Identity = RegistryCredentials | undefined;

export function identitiesFor(
  host: string,
  repository: string,
  given: readonly RegistryCredentials[],
): readonly RegistryCredentials[] {
  const meant = given.filter(({ registry }) => isMeant(registry, host, repository));
  // Stable: of two that are as close, the one that was named first.
  const closest = [...meant].sort((a, b) => pathOf(b.registry).length - pathOf(a.registry).length);
  const seen = new Set<string>();
  const distinct = closest.filter(({ registry: _registry, ...who }) => {
    const text = JSON.stringify(who);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
  return distinct.slice(0, maxCredentials);
}

/** As Kubernetes matches: `host`, `*.host`, `host:port`, each with the beginning of a repository's name or without. */
function isMeant(key: string, host: string, repository: string): boolean {
  const path = pathOf(key);
  if (path !== "" && repository !== path && !repository.startsWith(`${path}/`)) return false;
  const wanted = labels(key.slice(0, path === "" ? key.length : key.length - path.length - 1));
  const actual = labels(host);
  return (
    wanted.length === actual.length &&
    wanted.every((label, at) => label === actual[at] || (label === "*" && at < actual.length))
  );
}

function pathOf(key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? "" : key.slice(slash + 1);
}

/** The port is one of the labels: it must be the same. */
function labels(host: string): readonly string[] {
  return host.toLowerCase().split(/[.:]/);
}
