// VirtualServices, Services and Endpoints in, a route table out. A chain of VirtualServices (InferenceService ->
// local gateway -> Knative route -> revision) is walked here, once, so that a request never walks it.
import { makeSplit } from "../../domain/traffic/index.js";
import { bindHosts } from "./bind.js";
import { type ServiceResolver, serviceResolver } from "./endpoints.js";
import { type Accumulated, accumulate, noChange, settle } from "./headers.js";
import type { CompileInput } from "./inputs.js";
import { chainLimit, leafLimit } from "./limits.js";
import { matchString } from "./match.js";
import { keyOf, parseVirtualService } from "./parse.js";
import type {
  Binding,
  Bound,
  CompileMemory,
  Condition,
  DeadEnd,
  HostRoutes,
  Link,
  ListenerName,
  ListenerTable,
  LookedUp,
  Node,
  Parsed,
  ParsedArm,
  ParsedMatch,
  ParsedRule,
  Resolved,
  Revision,
  RouteProblem,
  RouteTable,
  Rule,
} from "./table.js";

export interface Compiled {
  readonly table: RouteTable;
  readonly problems: readonly RouteProblem[];
}

/** Objects that do not compile keep what they had in `previous`; everything else is as `input` says. */
export function compileRoutes(input: CompileInput, previous?: RouteTable): Compiled {
  const problems: RouteProblem[] = [];
  const parsed = parseAll(input, previous, problems);
  const inForce = [...parsed.values()].sort(byAge);
  const linker = new Linker(input, inForce, problems, previous?.memory);
  const external = linker.table("external");
  const local = linker.table("local");
  linker.tellUnreachable(external, local);
  return {
    table: { external, local, revisions: linker.revisions(), memory: linker.memory(parsed) },
    problems,
  };
}

function parseAll(input: CompileInput, previous: RouteTable | undefined, problems: RouteProblem[]) {
  const parsed = new Map<string, Parsed>();
  for (const object of input.virtualServices) {
    const key = keyOf(object);
    const before = previous?.memory.parsed.get(key);
    if (before !== undefined && before.source === object) {
      parsed.set(key, before);
      continue;
    }
    const result = parseVirtualService(object);
    if (result.outcome === "parsed") {
      parsed.set(key, result.parsed);
      continue;
    }
    if (before !== undefined) parsed.set(key, before);
    const { reason, message } = result;
    problems.push({ object: `VirtualService ${key}`, reason, message, keptPrevious: before !== undefined });
  }
  return parsed;
}

/** Where two claim one host the older goes first, as in Istio; the name decides among equals. */
function byAge(one: Parsed, other: Parsed): number {
  return compare(one.createdAt, other.createdAt) || compare(one.key, other.key);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

type Looked = Link["looked"][number];

/** What is known on the way from a host to its ends. */
interface Way {
  readonly listener: ListenerName;
  readonly host: string;
  readonly hostSet: boolean;
  readonly change: Accumulated;
  readonly timeoutMs: number | undefined;
  readonly chain: readonly string[];
  /** Listener and host of every step: the same host on the other listener is not yet a loop. */
  readonly visited: readonly string[];
  /** Counts ends over the whole host, to keep nested splits from multiplying. */
  readonly leaves: { count: number };
}

const localGateways = new Set(["knative-local-gateway", "cluster-local-gateway"]);
const ingressGateways = new Set(["istio-ingressgateway", "knative-ingress-gateway"]);

/** They steer a request between hops, and upstream too takes them off before user code sees it. */
const hiddenFromPods = [
  "K-Network-Hash",
  "K-Proxy-Request",
  "Knative-Serving-Revision",
  "Knative-Serving-Namespace",
];

class Linker {
  private readonly services: ServiceResolver;
  private readonly settings: string;
  private readonly links = new Map<string, Link>();
  private readonly before: CompileMemory | undefined;
  /** The link in the making. */
  private making: { looked: Looked[]; services: LookedUp[]; told: RouteProblem[] } | undefined;
  private readonly suffix: string;
  private readonly binding: Binding;
  private readonly told = new Set<string>();
  private readonly hidden: ReadonlySet<string>;
  private readonly barred: { readonly host: string; readonly listener: ListenerName }[] = [];

  constructor(
    input: CompileInput,
    objects: readonly Parsed[],
    private readonly problems: RouteProblem[],
    before: CompileMemory | undefined,
  ) {
    const gateways = input.gateways && new Set(input.gateways.map((gateway) => gateway.metadata?.name ?? ""));
    this.settings = JSON.stringify([input.domain, input.hideFromPods, gateways && [...gateways].sort()]);
    this.before = before?.settings === this.settings ? before : undefined;
    this.services = serviceResolver(input, before?.services);
    this.hidden = new Set((input.hideFromPods ?? hiddenFromPods).map((name) => name.toLowerCase()));
    this.suffix = `.svc.${(input.domain ?? "cluster.local").toLowerCase()}`;
    const bound = this.before?.binding;
    this.binding =
      bound !== undefined && sameList(bound.objects, objects)
        ? bound
        : bindHosts(objects, this.suffix, gateways);
    for (const { owner, gateway } of this.binding.missing)
      this.tell(owner, "GatewayMissing", `there is no Gateway named ${gateway}`);
  }

  memory(parsed: ReadonlyMap<string, Parsed>): CompileMemory {
    const { settings, binding, services, links } = this;
    return { settings, binding, parsed, services: services.known, links };
  }

  revisions(): Revision[] {
    const revisions: Revision[] = [];
    for (const { resolved } of this.services.known.values())
      if (resolved.kind === "pods") revisions.push(resolved.revision);
    return revisions;
  }

  table(listener: ListenerName): ListenerTable {
    const exact = new Map<string, HostRoutes>();
    const wildcards = new Map<string, HostRoutes>();
    let any: HostRoutes | undefined;
    const names: string[] = [];
    for (const host of this.binding.hosts[listener].keys()) {
      const routes = this.routes(listener, host);
      if (routes === undefined) continue;
      names.push(host);
      if (host === "*") any = routes;
      else if (host.startsWith("*")) wildcards.set(host.slice(1), routes);
      else exact.set(host, routes);
    }
    const byPath = new Map<string, HostRoutes>();
    for (const [path, host] of this.binding.paths[listener]) {
      const routes = this.routes("local", host) ?? this.routes(listener, host);
      if (routes !== undefined) byPath.set(path, routes);
    }
    if (listener === "local") {
      for (const [short, host] of this.binding.shortForms) {
        const routes = exact.get(host);
        // Where an author wrote the same name, that one stands.
        if (routes !== undefined && !exact.has(short)) exact.set(short, routes);
      }
    }
    return { exact, wildcards, any, names: names.sort(), byPath };
  }

  private routes(listener: ListenerName, host: string): HostRoutes | undefined {
    const at = `${listener} ${host}`;
    let link = this.links.get(at);
    if (link === undefined) {
      const earlier = this.before?.links.get(at);
      if (earlier !== undefined && this.holds(earlier)) {
        link = earlier;
        for (const problem of link.told) this.report(problem);
      } else link = this.link(listener, host, at);
      this.links.set(at, link);
      if (link.routes === undefined) this.barred.push({ host, listener });
    }
    return link.routes;
  }

  /** Everything the link was made from is still what it was. */
  private holds(link: Link): boolean {
    const sameHosts = this.binding === this.before?.binding;
    for (const { listener, host, owners } of sameHosts ? [] : link.looked) {
      const now = this.lookUp(listener, host) ?? [];
      if (now.length !== owners.length || now.some(({ owner }, index) => owner !== owners[index]))
        return false;
    }
    return link.services.every(
      ({ namespace, name, port, resolved }) => this.services.resolve(namespace, name, port) === resolved,
    );
  }

  private link(listener: ListenerName, host: string, at: string): Link {
    const making = { looked: [], services: [], told: [] };
    this.making = making;
    const bounds = this.look(listener, host) ?? [];
    const way: Way = {
      listener,
      host,
      hostSet: false,
      change: noChange,
      timeoutMs: undefined,
      chain: [host],
      visited: [at],
      leaves: { count: 0 },
    };
    const rules = this.rules(bounds, way);
    this.making = undefined;
    const routes = rules.length === 0 ? undefined : { host, rules, hash: firstHash(rules) };
    return { routes, ...making };
  }

  /** Decides what can be decided with the host and the headers set on the way; what is left waits for the request. */
  private rules(bounds: readonly Bound[], way: Way): Rule[] {
    const rules: Rule[] = [];
    for (const { owner, rules: parsed } of bounds) {
      for (const rule of parsed) {
        const when = conditions(rule.matches, way);
        if (when === "never") continue;
        rules.push({ when, rewrite: rule.rewrite, to: this.end(owner, rule, way) });
        // Nothing after a rule that always holds can be reached.
        if (when.length === 0) return rules;
      }
    }
    return rules;
  }

  private end(owner: Parsed, rule: ParsedRule, way: Way): Node {
    if (rule.redirect !== undefined) return rule.redirect;
    const withAuthority =
      rule.authority === undefined
        ? way
        : {
            ...way,
            host: rule.authority.toLowerCase(),
            hostSet: true,
            change: setHost(way.change, rule.authority),
          };
    const after = step(withAuthority, rule);
    const ends = rule.arms.flatMap((arm) =>
      arm.weight > 0 ? [{ weight: arm.weight, to: this.arm(owner, arm, after) }] : [],
    );
    const only = ends.length === 1 ? ends[0] : undefined;
    if (only !== undefined) return only.to;
    const split = makeSplit(ends);
    if (split === undefined)
      return { kind: "deadEnd", status: 503, reason: "NoService", message: "the route has no weight" };
    return { kind: "split", split };
  }

  private arm(owner: Parsed, arm: ParsedArm, before: Way): Node {
    const way = step(before, { headers: arm.headers, timeoutMs: undefined });
    const host = this.fullName(arm.host, owner.namespace);
    const gateway = this.gatewayOf(host);
    if (gateway !== undefined) return this.enter(owner, gateway, way);
    const service = this.serviceOf(host);
    if (service === undefined) return this.nowhere(way, `${arm.host} is not a Service of this cluster`);
    const resolved = this.services.resolve(service.namespace, service.name, arm.port);
    this.making?.services.push({ ...service, port: arm.port, resolved });
    if (resolved.kind === "alias") {
      const aliased = this.gatewayOf(resolved.host);
      if (aliased !== undefined) return this.enter(owner, aliased, way);
    }
    return this.leaf(resolved, service.namespace, way);
  }

  private leaf(resolved: Resolved, namespace: string, way: Way): Node {
    if (resolved.kind === "nothing") return this.nowhere(way, resolved.because);
    way.leaves.count += 1;
    if (way.leaves.count > leafLimit) return tooWide(way);
    const revision =
      resolved.kind === "pods"
        ? resolved.revision
        : {
            key: `${resolved.host}:${resolved.port ?? 80}`,
            namespace,
            name: resolved.host,
            targets: [{ address: `${resolved.host}:${resolved.port ?? 80}`, pod: resolved.host }],
            notReady: 0,
            protocol: "http1" as const,
            settings: undefined,
          };
    // Knative names the revision in a header; a plain Service stands for itself.
    const named = way.change.set.get("knative-serving-revision")?.[1];
    const asWritten = way.change.set.get("host")?.[1];
    return {
      kind: "forward",
      revision: named === undefined || named === revision.name ? revision : { ...revision, name: named },
      host: way.hostSet ? (asWritten ?? way.host) : undefined,
      headers: settle(way.change, this.hidden),
      timeoutMs: way.timeoutMs,
      hash: way.change.set.get("k-network-hash")?.[1],
      chain: way.chain,
    };
  }

  /** A destination that is a gateway sends the request in again, under the Host set on the way. */
  private enter(owner: Parsed, listener: ListenerName, way: Way): Node {
    if (way.leaves.count > leafLimit) return tooWide(way);
    const host = way.host.replace(/:\d+$/, "");
    const chain = [...way.chain, host];
    const at = `${listener} ${host}`;
    if (way.visited.includes(at) || chain.length > chainLimit) {
      const what = way.visited.includes(at) ? "comes back to itself" : "is too long";
      const message = `the chain of routes ${what}: ${chain.join(" -> ")}`;
      this.tell(owner, "RouteLoop", message);
      return { kind: "deadEnd", status: 508, reason: "RouteLoop", message };
    }
    const bounds = this.look(listener, host);
    const broken = (because: string): DeadEnd => {
      const message = `${because}; the way there was ${chain.join(" -> ")}`;
      this.tell(owner, "ChainBroken", message);
      return { kind: "deadEnd", status: 404, reason: "NoRoute", message };
    };
    if (bounds === undefined)
      return broken(`no VirtualService serves host ${host} on the ${listener} gateway`);
    const rules = this.rules(bounds, { ...way, listener, host, chain, visited: [...way.visited, at] });
    const first = rules[0];
    if (first === undefined) return broken(`no rule for host ${host} on the ${listener} gateway admits it`);
    return first.when.length === 0 && first.rewrite === undefined ? first.to : { kind: "rules", host, rules };
  }

  private look(listener: ListenerName, host: string): readonly Bound[] | undefined {
    const bounds = this.lookUp(listener, host);
    this.making?.looked.push({ listener, host, owners: bounds?.map(({ owner }) => owner) ?? [] });
    return bounds;
  }

  private lookUp(listener: ListenerName, host: string): readonly Bound[] | undefined {
    const table = this.binding.hosts[listener];
    const exact = table.get(host) ?? (listener === "local" ? table.get(this.fullName(host, "")) : undefined);
    if (exact !== undefined) return exact;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const found = table.get(`*${host.slice(dot)}`);
      if (found !== undefined) return found;
    }
    return table.get("*");
  }

  private fullName(host: string, namespace: string): string {
    if (host.endsWith(this.suffix)) return host;
    if (host.endsWith(".svc")) return host.slice(0, -".svc".length) + this.suffix;
    const labels = host.split(".").length;
    if (labels === 1) return `${host}.${namespace}${this.suffix}`;
    return labels === 2 ? host + this.suffix : host;
  }

  private serviceOf(host: string): { readonly name: string; readonly namespace: string } | undefined {
    if (!host.endsWith(this.suffix)) return undefined;
    const [name, namespace, more] = host.slice(0, -this.suffix.length).split(".");
    return name !== undefined && namespace !== undefined && more === undefined
      ? { name, namespace }
      : undefined;
  }

  private gatewayOf(host: string): ListenerName | undefined {
    const name = this.serviceOf(this.fullName(host, ""))?.name;
    if (name === undefined) return undefined;
    return localGateways.has(name) ? "local" : ingressGateways.has(name) ? "external" : undefined;
  }

  private nowhere(way: Way, because: string): DeadEnd {
    const over = way.chain.length > 1 ? `; the way there was ${way.chain.join(" -> ")}` : "";
    return { kind: "deadEnd", status: 503, reason: "NoService", message: because + over };
  }

  /** A host one listener bars is usual, a host that both do is a mistake in some expression. */
  tellUnreachable(external: ListenerTable, local: ListenerTable): void {
    for (const { host, listener } of this.barred) {
      if (reaches(external, host) || reaches(local, host)) continue;
      for (const { owner, rules } of this.binding.hosts[listener].get(host) ?? []) {
        const tests = rules.flatMap((rule) => rule.matches.map(describeAuthority)).join(", ");
        const message = `host ${host} is listed for ${listener} traffic, but no rule admits it: ${tests}`;
        this.tell(owner, "UnreachableHost", message);
      }
    }
  }

  private tell(owner: Parsed, reason: RouteProblem["reason"], message: string): void {
    const problem = { object: `VirtualService ${owner.key}`, reason, message, keptPrevious: false };
    this.making?.told.push(problem);
    this.report(problem);
  }

  private report(problem: RouteProblem): void {
    const once = `${problem.object} ${problem.message}`;
    if (this.told.has(once)) return;
    this.told.add(once);
    this.problems.push(problem);
  }
}

function sameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

function tooWide({ chain }: Way): DeadEnd {
  const message = `${chain[0]} fans out to more than ${leafLimit} ends`;
  return { kind: "deadEnd", status: 508, reason: "RouteLoop", message };
}

function step(way: Way, layer: Pick<ParsedRule, "headers" | "timeoutMs">): Way {
  const change = accumulate(way.change, layer.headers);
  const host = layer.headers.set.find(([name]) => name.toLowerCase() === "host")?.[1];
  const timeouts = [way.timeoutMs, layer.timeoutMs].filter((ms) => ms !== undefined);
  return {
    ...way,
    change,
    // The innermost cannot outlast the outermost, whose connection it lives on.
    timeoutMs: timeouts.length === 0 ? undefined : Math.min(...timeouts),
    ...(host === undefined ? {} : { host: host.toLowerCase(), hostSet: true }),
  };
}

function setHost(change: Accumulated, host: string): Accumulated {
  return accumulate(change, { set: [["Host", host]], add: [], remove: [] });
}

/** Empty means always. A wildcard host is not known yet, so its authority stays a question for the request. */
function conditions(matches: readonly ParsedMatch[], way: Way): readonly Condition[] | "never" {
  if (matches.length === 0) return [];
  const left: Condition[] = [];
  for (const match of matches) {
    const known = !way.host.startsWith("*");
    if (known && match.authority !== undefined && !matchString(match.authority, way.host)) continue;
    const authority = known ? undefined : match.authority;
    const headers: Condition["headers"][number][] = [];
    let possible = true;
    for (const header of match.headers) {
      const set = way.change.set.get(header.name)?.[1];
      if (set === undefined && way.change.remove.has(header.name)) possible = false;
      else if (set === undefined) headers.push(header);
      else if (header.match !== undefined && !matchString(header.match, set)) possible = false;
    }
    if (!possible) continue;
    const always = match.uri?.kind === "prefix" && (match.uri.value === "" || match.uri.value === "/");
    const uri = always ? undefined : match.uri;
    if (authority === undefined && uri === undefined && match.method === undefined && headers.length === 0)
      return [];
    left.push({ authority, uri, method: match.method, headers });
  }
  return left.length === 0 ? "never" : left;
}

function reaches(table: ListenerTable, host: string): boolean {
  if (host === "*") return table.any !== undefined;
  return table.exact.has(host) || table.wildcards.has(host.slice(1));
}

function describeAuthority(match: ParsedMatch): string {
  const test = match.authority;
  if (test === undefined) return "any authority";
  return "source" in test ? `authority regex ${test.source}` : `authority ${test.kind} ${test.value}`;
}

function firstHash(rules: readonly Rule[]): string | undefined {
  for (const rule of rules) {
    const hash = hashOf(rule.to);
    if (hash !== undefined) return hash;
  }
  return undefined;
}

function hashOf(node: Node): string | undefined {
  switch (node.kind) {
    case "forward":
      return node.hash;
    case "rules":
      return firstHash(node.rules);
    case "split":
      for (const arm of node.split.arms) {
        const hash = hashOf(arm.to);
        if (hash !== undefined) return hash;
      }
      return undefined;
    default:
      return undefined;
  }
}
