// Which VirtualServices speak for which host on which listener. Depends on VirtualServices and Gateways alone, so it
// is kept as it is while only pods come and go.
import type { Binding, Bound, ListenerName, Parsed } from "./table.js";

export function bindHosts(
  objects: readonly Parsed[],
  suffix: string,
  gateways: ReadonlySet<string> | undefined,
): Binding {
  const missing = new Map<string, { readonly owner: Parsed; readonly gateway: string }>();
  const bind = (listener: ListenerName) => {
    const hosts = new Map<string, Bound[]>();
    for (const owner of objects) {
      const names = new Set<string>();
      for (const { name, listener: at } of owner.gateways) {
        if (at !== listener) continue;
        if (name === "mesh" || gateways === undefined || gateways.has(name)) names.add(name);
        else missing.set(`${owner.key} ${name}`, { owner, gateway: name });
      }
      if (names.size === 0) continue;
      const bound = boundBy(owner, names);
      if (bound.rules.length === 0) continue;
      for (const host of owner.hosts) {
        const full = host.includes(".") || host === "*" ? host : `${host}.${owner.namespace}${suffix}`;
        const at = hosts.get(full);
        if (at === undefined) hosts.set(full, [bound]);
        else at.push(bound);
      }
    }
    return hosts;
  };
  const hosts = { external: bind("external"), local: bind("local") };
  return {
    objects,
    hosts,
    paths: { external: pathsOf(objects, suffix, "external"), local: pathsOf(objects, suffix, "local") },
    shortForms: shortForms(hosts.local, suffix),
    missing: [...missing.values()],
  };
}

/** A match that names gateways counts only on those. */
function boundBy(owner: Parsed, names: ReadonlySet<string>): Bound {
  const rules = owner.rules.flatMap((rule) => {
    const matches = rule.matches.filter(
      ({ gateways }) => gateways.length === 0 || gateways.some((name) => names.has(name)),
    );
    if (matches.length === rule.matches.length) return [rule];
    return matches.length === 0 ? [] : [{ ...rule, matches }];
  });
  return { owner, rules };
}

/** A path opens only what the listener opens: cluster-local services stay local. */
function pathsOf(
  objects: readonly Parsed[],
  suffix: string,
  listener: ListenerName,
): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const owner of objects) {
    if (!owner.gateways.some((gateway) => gateway.listener === listener)) continue;
    for (const host of owner.hosts) {
      if (!host.endsWith(suffix)) continue;
      const [name, namespace, more] = host.slice(0, -suffix.length).split(".");
      if (name === undefined || namespace === undefined || more !== undefined) continue;
      const at = `${namespace}/${name}`;
      if (!paths.has(at)) paths.set(at, host);
    }
  }
  return paths;
}

/** Inside the mesh `name.ns` and `name.ns.svc` reach what `name.ns.svc.cluster.local` does. */
function shortForms(hosts: ReadonlyMap<string, unknown>, suffix: string): ReadonlyMap<string, string> {
  const domain = suffix.slice(".svc".length);
  const forms = new Map<string, string>();
  for (const host of hosts.keys()) {
    if (!host.endsWith(suffix)) continue;
    forms.set(host.slice(0, -domain.length), host);
    forms.set(host.slice(0, -suffix.length), host);
  }
  return forms;
}
