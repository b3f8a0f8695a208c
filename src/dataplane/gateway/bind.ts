// Which VirtualServices speak for which host on which listener. Depends on VirtualServices and Gateways alone, so it
// is kept as it is while only pods come and go.

import { admittedHost, type ParsedGateway } from "../../domain/apis/istio/gateway.parse.js";
import type { Parsed } from "../../domain/apis/istio/routing.types.js";
import { gatewayLabels } from "../../domain/apis/istio/scope.js";
import type { Binding, Bound, BoundMatch, BoundRule, ListenerName, RouteProblem } from "./table.js";

export type Gateways = ReadonlyMap<string, ParsedGateway> | undefined;

export function bindHosts(objects: readonly Parsed[], suffix: string, gateways: Gateways): Binding {
  const problems: RouteProblem[] = [];
  const hosts = { external: new Map<string, Bound[]>(), local: new Map<string, Bound[]>() };
  const opened = openedBy(gateways);
  for (const owner of objects) {
    const entries = admitted(owner, suffix, opened, problems);
    for (const listener of ["external", "local"] as const) {
      for (const [host, entry] of entries[listener]) {
        const bound = boundBy(owner, entry);
        if (bound.rules.length === 0) continue;
        const at = hosts[listener].get(host);
        if (at === undefined) hosts[listener].set(host, [bound]);
        else at.push(bound);
      }
    }
  }
  return {
    objects,
    hosts,
    paths: { external: pathsOf(hosts.external, suffix), local: pathsOf(hosts.local, suffix) },
    shortForms: shortForms(hosts.local, suffix),
    problems,
  };
}

/** One port of a Gateway as far as routes are concerned. */
interface Opening {
  readonly port: number;
  readonly secure: boolean | undefined;
  readonly httpsRedirect: boolean;
  readonly hosts: ParsedGateway["servers"][number]["hosts"];
}

interface Opened {
  readonly listener: ListenerName;
  readonly openings: readonly Opening[];
}

const everything: readonly Opening[] = [
  { port: 80, secure: undefined, httpsRedirect: false, hosts: [{ namespace: undefined, host: "*" }] },
];

/** Inside, there is no TLS: whatever is bound to the mesh is served on the local listener. */
const mesh: Opened = { listener: "local", openings: everything };

function openedBy(gateways: Gateways): (key: string) => Opened | string {
  const known = new Map<string, Opened | string>();
  return (key) => {
    if (key === "mesh") return mesh;
    if (gateways === undefined) return { listener: listenerByName(key), openings: everything };
    let opened = known.get(key);
    if (opened === undefined) {
      opened = open(key, gateways.get(key));
      known.set(key, opened);
    }
    return opened;
  };
}

function open(key: string, gateway: ParsedGateway | undefined): Opened | string {
  if (gateway === undefined) return `there is no Gateway ${key}`;
  const listener = listenerOf(gateway);
  if (listener === undefined) {
    const labels = Object.entries(gateway.selector).map(([name, value]) => `${name}=${value}`);
    return `Gateway ${key} selects ${labels.join(",")}, which is neither the external nor the local gateway here`;
  }
  const openings = gateway.servers.map(({ port, tls, httpsRedirect, hosts }) => ({
    port,
    secure: tls !== undefined,
    httpsRedirect,
    hosts,
  }));
  return { listener, openings };
}

/** By custom the local ones say so in their name. */
function listenerByName(key: string): ListenerName {
  return /(?:^|[-/])local(?:-|$)/.test(key.slice(key.indexOf("/") + 1)) ? "local" : "external";
}

/** Knative's local Gateway selects the pods of the external one, on another port: there the name decides. */
export function listenerOf({ key, selector }: ParsedGateway): ListenerName | undefined {
  const fits = (listener: ListenerName) =>
    Object.entries(selector).every(
      ([label, value]) => gatewayLabels[listener][label]?.includes(value) ?? false,
    );
  if (fits("local") && !fits("external")) return "local";
  return fits("external") ? listenerByName(key) : undefined;
}

interface Entry {
  readonly through: Map<string, readonly Opening[]>;
}

function admitted(
  owner: Parsed,
  suffix: string,
  opened: (key: string) => Opened | string,
  problems: RouteProblem[],
): Readonly<Record<ListenerName, ReadonlyMap<string, Entry>>> {
  const entries = { external: new Map<string, Entry>(), local: new Map<string, Entry>() };
  if (owner.hosts.length === 0) return entries;
  const tell = (reason: RouteProblem["reason"], message: string) =>
    problems.push({ object: `VirtualService ${owner.key}`, reason, message, keptPrevious: false });
  for (const key of owner.gateways) {
    const at = opened(key);
    if (typeof at === "string") {
      tell("GatewayMissing", at);
      continue;
    }
    for (const written of owner.hosts) {
      const host = fullHost(written, owner.namespace, suffix);
      const found = narrowed(host, owner.namespace, at.openings);
      if (found.size === 0) {
        const hosts = at.openings.flatMap((one) => one.hosts.map((each) => each.host));
        tell(
          "HostNotAdmitted",
          `Gateway ${key} does not admit host ${host} of namespace ${owner.namespace}, only ${[...new Set(hosts)].join(", ")}`,
        );
      }
      for (const [name, openings] of found) {
        let entry = entries[at.listener].get(name);
        if (entry === undefined) {
          entry = { through: new Map() };
          entries[at.listener].set(name, entry);
        }
        entry.through.set(key, openings);
      }
    }
  }
  return entries;
}

function fullHost(host: string, namespace: string, suffix: string): string {
  return host.includes(".") || host === "*" ? host : `${host}.${namespace}${suffix}`;
}

/** The host, or what narrower ones the openings admit of it, each with the openings that do. */
function narrowed(
  host: string,
  namespace: string,
  openings: readonly Opening[],
): ReadonlyMap<string, readonly Opening[]> {
  const found = new Map<string, Opening[]>();
  for (const opening of openings) {
    for (const one of opening.hosts) {
      if (one.namespace !== undefined && one.namespace !== namespace) continue;
      const name = admittedHost(one.host, host);
      if (name === undefined) continue;
      const at = found.get(name);
      if (at === undefined) found.set(name, [opening]);
      else if (!at.includes(opening)) at.push(opening);
    }
  }
  return found;
}

/** A match that names gateways counts only on those; one that names a port only where that is open. */
function boundBy(owner: Parsed, { through }: Entry): Bound {
  const keys = [...through.keys()];
  const rules = owner.rules.flatMap((rule): BoundRule[] => {
    const matches: BoundMatch[] =
      rule.matches.length === 0
        ? reached(through, keys, undefined).map((secure) => ({ match: undefined, secure }))
        : rule.matches.flatMap((match) => {
            const named =
              match.gateways.length === 0 ? keys : match.gateways.filter((key) => through.has(key));
            return reached(through, named, match.port).map((secure) => ({ match, secure }));
          });
    return matches.length === 0 ? [] : [{ rule, matches }];
  });
  const httpsRedirect = [...through.values()].some((openings) => openings.some((one) => one.httpsRedirect));
  return { owner, rules, through: keys, httpsRedirect };
}

/** Over TLS, without, or either way; nothing at all where no such port is open. */
function reached(
  through: Entry["through"],
  keys: readonly string[],
  port: number | undefined,
): readonly (boolean | undefined)[] {
  const openings = keys.flatMap((key) => through.get(key) ?? []);
  const open = port === undefined ? openings : openings.filter((one) => one.port === port);
  if (open.length === 0) return [];
  const ways = new Set(open.map((one) => one.secure));
  return ways.has(undefined) || ways.size > 1 ? [undefined] : [...ways];
}

/** A path opens only what the listener opens: cluster-local services stay local. */
function pathsOf(hosts: ReadonlyMap<string, readonly Bound[]>, suffix: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const bounds of hosts.values()) {
    for (const { owner } of bounds) {
      for (const host of owner.hosts) {
        if (!host.endsWith(suffix)) continue;
        const [name, namespace, more] = host.slice(0, -suffix.length).split(".");
        if (name === undefined || namespace === undefined || more !== undefined) continue;
        const at = `${namespace}/${name}`;
        if (!paths.has(at)) paths.set(at, host);
      }
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
