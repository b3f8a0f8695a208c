// VirtualServices, Services and Endpoints in, a route table out. A chain of VirtualServices (InferenceService ->
// local gateway -> Knative route -> revision) is walked here, once, so that a request never walks it.
import type { ParsedGateway } from "../../domain/apis/istio/gateway.parse.js";
import type {
  HeaderOperations,
  NamedMatch,
  Parsed,
  ParsedArm,
  ParsedDestination,
  ParsedMatch,
  ParsedRule,
  StringMatch,
} from "../../domain/apis/istio/routing.types.js";
import { makeSplit } from "../../domain/traffic/index.js";
import { bindHosts } from "./bind.js";
import { type ServiceResolver, serviceResolver } from "./endpoints.js";
import { type Certificates, readCertificates } from "./gatewaySecrets.js";
import { type Accumulated, accumulate, noChange, settle, settleResponse } from "./headers.js";
import type { CompileInput } from "./inputs.js";
import { chainLimit, leafLimit } from "./limits.js";
import { matchNamed, matchString } from "./match.js";
import { readSources, type Sources } from "./sources.js";
import type {
  Binding,
  Bound,
  BoundMatch,
  CompileMemory,
  Condition,
  DeadEnd,
  Extras,
  HostRoutes,
  Link,
  ListenerName,
  ListenerTable,
  LookedUp,
  Node,
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
  const sources = readSources(input, previous?.memory, problems);
  const { certificates: known } = previous?.memory ?? {};
  const certificates = readCertificates(input, sources.gateways, known, problems);
  const linker = new Linker(input, { ...sources, certificates }, problems, previous?.memory);
  const external = linker.table("external");
  const local = linker.table("local");
  linker.tellUnreachable(external, local);
  const tls = [...certificates.values()];
  return {
    table: {
      external,
      local,
      revisions: linker.revisions(),
      // The same list while nothing changed: then no listener takes it anew.
      tls: sameList(previous?.tls ?? [], tls) ? (previous?.tls ?? tls) : tls,
      memory: linker.memory(),
    },
    problems,
  };
}

type Looked = Link["looked"][number];

/** What is known on the way from a host to its ends. */
interface Way {
  readonly listener: ListenerName;
  readonly host: string;
  readonly hostSet: boolean;
  readonly change: Accumulated;
  /** What each hop does to the answer, the first hop's first. */
  readonly response: readonly HeaderOperations[];
  readonly extras: Omit<Extras, "response">;
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
  private readonly tls: boolean;
  private readonly barred: { readonly host: string; readonly listener: ListenerName }[] = [];

  constructor(
    input: CompileInput,
    private readonly sources: Sources & { readonly certificates: Certificates },
    private readonly problems: RouteProblem[],
    before: CompileMemory | undefined,
  ) {
    const { objects, gateways } = sources;
    this.tls = sources.certificates.size > 0;
    this.settings = JSON.stringify([input.domain, input.hideFromPods, gateways === undefined, this.tls]);
    const same = before?.settings === this.settings && sameMap(before.gateways, gateways ?? noGateways);
    this.before = same ? before : undefined;
    this.services = serviceResolver(input, before?.services);
    this.hidden = new Set((input.hideFromPods ?? hiddenFromPods).map((name) => name.toLowerCase()));
    this.suffix = `.svc.${(input.domain ?? "cluster.local").toLowerCase()}`;
    const bound = this.before?.binding;
    this.binding =
      bound !== undefined && sameList(bound.objects, objects)
        ? bound
        : bindHosts(objects, this.suffix, gateways);
    for (const problem of this.binding.problems) this.report(problem);
  }

  memory(): CompileMemory {
    const { settings, binding, services, links, sources } = this;
    const { parsed, whole, gateways = noGateways, certificates } = sources;
    return { settings, binding, parsed, whole, gateways, certificates, services: services.known, links };
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
      response: [],
      extras: noExtras,
      timeoutMs: undefined,
      chain: [host],
      visited: [at],
      leaves: { count: 0 },
    };
    const rules = this.rules(bounds, way);
    if (bounds.some(({ httpsRedirect }) => httpsRedirect)) rules.unshift(toHttps);
    this.making = undefined;
    const routes = rules.length === 0 ? undefined : { host, rules, hash: firstHash(rules) };
    return { routes, ...making };
  }

  /** Decides what can be decided with the host and the headers set on the way; what is left waits for the request. */
  private rules(bounds: readonly Bound[], way: Way): Rule[] {
    const made: Rule[] = [];
    for (const [index, bound] of bounds.entries()) {
      for (const { rule, matches } of bound.rules) {
        const when = conditions(matches, way, this.tls && way.listener === "external");
        if (when === "never") continue;
        made.push({ when, rewrite: rule.rewrite, to: this.end(bound.owner, rule, way) });
        // Nothing after a rule that always holds can be reached.
        if (when.length === 0) {
          this.tellHidden(bound, bounds.slice(index + 1), way.host);
          return made;
        }
      }
    }
    return made;
  }

  /** Two authors of one host: the younger must learn that the older takes everything. */
  private tellHidden(first: Bound, others: readonly Bound[], host: string): void {
    for (const { owner, through } of others) {
      const shared = through.find((key) => first.through.includes(key));
      if (shared === undefined || owner.key === first.owner.key) continue;
      this.tell(
        owner,
        "HostConflict",
        `VirtualService ${first.owner.key}, which is older, takes every request for host ${host} at ${shared}: no rule here is reached`,
      );
    }
  }

  private end(owner: Parsed, rule: ParsedRule, before: Way): Node {
    const hop = step(before, rule);
    const way = { ...hop, extras: this.extras(owner, rule, hop) };
    switch (rule.then.kind) {
      case "redirect":
        return { kind: "redirect", redirect: rule.then, extras: settled(way) };
      case "direct": {
        const { status, body, encoding } = rule.then;
        const lines = status >= 400 ? "x-drydock-reason: DirectResponse\r\n" : "";
        return { kind: "direct", status, body: Buffer.from(body, encoding), lines, extras: settled(way) };
      }
      case "delegate":
        return this.nowhere(way, `${rule.at} delegates to ${rule.then.to}, which is not there`);
      case "route":
        return this.split(owner, rule.then.arms, way);
    }
  }

  private extras(owner: Parsed, rule: ParsedRule, way: Way): Way["extras"] {
    const { fault, cors, retry, mirrors } = rule;
    if (fault === undefined && cors === undefined && retry === undefined && mirrors.length === 0)
      return owner.repeatsAnything ? { ...way.extras, repeatsAnything: true } : way.extras;
    const { extras } = way;
    return {
      faults: fault === undefined ? extras.faults : [...extras.faults, fault],
      // The first hop is the one that browsers talk to, the last one knows the pod best.
      cors: extras.cors ?? cors,
      retry: retry ?? extras.retry,
      repeatsAnything: extras.repeatsAnything || owner.repeatsAnything,
      mirrors: [
        ...extras.mirrors,
        ...mirrors.map(({ destination, share }) => ({
          share,
          // A copy gets no copies, and nobody waits for its answer.
          to: this.lead(owner, destination, { ...way, extras: noExtras, response: [] }),
        })),
      ],
    };
  }

  private split(owner: Parsed, arms: readonly ParsedArm[], way: Way): Node {
    const ends = arms.flatMap((arm) =>
      arm.weight > 0 ? [{ weight: arm.weight, to: this.lead(owner, arm, withHeaders(way, arm)) }] : [],
    );
    const only = ends.length === 1 ? ends[0] : undefined;
    if (only !== undefined) return only.to;
    const split = makeSplit(ends);
    if (split === undefined)
      return { kind: "deadEnd", status: 503, reason: "NoService", message: "the route has no weight" };
    return { kind: "split", split };
  }

  private lead(owner: Parsed, to: ParsedDestination, way: Way): Node {
    const host = this.fullName(to.host, owner.namespace);
    const gateway = this.gatewayOf(host);
    if (gateway !== undefined) return this.enter(owner, gateway, way);
    const service = this.serviceOf(host);
    if (service === undefined) return this.nowhere(way, `${to.host} is not a Service of this cluster`);
    const resolved = this.services.resolve(service.namespace, service.name, to.port);
    this.making?.services.push({ ...service, port: to.port, resolved });
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
      extras: settled(way),
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
        const tests = rules.flatMap(({ matches }) => matches.map(describeAuthority)).join(", ");
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

function sameMap(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

function tooWide({ chain }: Way): DeadEnd {
  const message = `${chain[0]} fans out to more than ${leafLimit} ends`;
  return { kind: "deadEnd", status: 508, reason: "RouteLoop", message };
}

/** What a rule says of its own: the name it gives the host first, then its headers, as they may name another. */
function step(before: Way, rule: ParsedRule): Way {
  const { authority } = rule;
  const way =
    authority === undefined
      ? before
      : {
          ...before,
          host: authority.toLowerCase(),
          hostSet: true,
          change: accumulate(before.change, { set: [["Host", authority]], add: [], remove: [] }),
        };
  const timeouts = [way.timeoutMs, rule.timeoutMs].filter((ms) => ms !== undefined);
  return {
    ...withHeaders(way, rule),
    // The innermost cannot outlast the outermost, whose connection it lives on.
    timeoutMs: timeouts.length === 0 ? undefined : Math.min(...timeouts),
  };
}

function withHeaders(way: Way, { request, response }: Pick<ParsedRule, "request" | "response">): Way {
  const host = request.set.find(([name]) => name.toLowerCase() === "host")?.[1];
  return {
    ...way,
    change: accumulate(way.change, request),
    response: touches(response) ? [...way.response, response] : way.response,
    ...(host === undefined ? {} : { host: host.toLowerCase(), hostSet: true }),
  };
}

function touches({ set, add, remove }: HeaderOperations): boolean {
  return set.length + add.length + remove.length > 0;
}

const noExtras: Way["extras"] = {
  faults: [],
  cors: undefined,
  retry: undefined,
  repeatsAnything: false,
  mirrors: [],
};

const noGateways: ReadonlyMap<string, ParsedGateway> = new Map();

/** Nothing at all for a plain request. */
function settled({ extras, response }: Way): Extras | undefined {
  const retry = extras.retry?.attempts === 0 ? undefined : extras.retry;
  const { faults, cors, mirrors } = extras;
  if (
    faults.length === 0 &&
    cors === undefined &&
    retry === undefined &&
    mirrors.length === 0 &&
    response.length === 0
  )
    return undefined;
  return { ...extras, retry, response: response.length === 0 ? undefined : settleResponse(response) };
}

const toHttps: Rule = {
  when: [{ ...anything(), secure: false }],
  rewrite: undefined,
  to: {
    kind: "redirect",
    redirect: {
      kind: "redirect",
      scheme: "https",
      authority: undefined,
      port: undefined,
      uri: undefined,
      code: 301,
    },
    extras: undefined,
  },
};

function anything(): Condition {
  return {
    authority: undefined,
    uri: undefined,
    method: undefined,
    secure: undefined,
    headers: [],
    withoutHeaders: [],
    queryParams: [],
  };
}

/** Empty means always. A wildcard host is not known yet, so its authority stays a question for the request. */
function conditions(matches: readonly BoundMatch[], way: Way, tls: boolean): readonly Condition[] | "never" {
  const left: Condition[] = [];
  for (const { match, secure } of matches) {
    const overTls = securely(match?.scheme, secure, tls);
    if (overTls === "never") continue;
    const one = match === undefined ? { ...anything(), secure: overTls } : condition(match, overTls, way);
    if (one === undefined) continue;
    if (isAlways(one)) return [];
    left.push(one);
  }
  return left.length === 0 ? "never" : left;
}

/** Where nothing listens with TLS, every request comes without. */
function securely(
  scheme: StringMatch | undefined,
  secure: boolean | undefined,
  tls: boolean,
): boolean | undefined | "never" {
  const ways = [false, true].filter(
    (over) =>
      (tls || !over) &&
      (secure === undefined || secure === over) &&
      (scheme === undefined || matchString(scheme, over ? "https" : "http")),
  );
  if (ways.length === 0) return "never";
  return ways.length === 2 || !tls ? undefined : ways[0];
}

function condition(match: ParsedMatch, secure: boolean | undefined, way: Way): Condition | undefined {
  const known = !way.host.startsWith("*");
  if (known && match.authority !== undefined && !matchString(match.authority, way.host)) return undefined;
  const headers: NamedMatch[] = [];
  for (const test of match.headers) {
    const set = way.change.set.get(test.name)?.[1];
    if (set === undefined && !way.change.remove.has(test.name)) headers.push(test);
    else if (!matchNamed(test, set)) return undefined;
  }
  const withoutHeaders: NamedMatch[] = [];
  for (const test of match.withoutHeaders) {
    const set = way.change.set.get(test.name)?.[1];
    if (set === undefined && !way.change.remove.has(test.name)) withoutHeaders.push(test);
    else if (matchNamed(test, set)) return undefined;
  }
  const { uri, method, queryParams } = match;
  const anyPath = uri?.kind === "prefix" && (uri.value === "" || uri.value === "/");
  return {
    authority: known ? undefined : match.authority,
    uri: anyPath ? undefined : uri,
    method,
    secure,
    headers,
    withoutHeaders,
    queryParams,
  };
}

function isAlways(one: Condition): boolean {
  const { authority, uri, method, secure, headers, withoutHeaders, queryParams } = one;
  const tests = headers.length + withoutHeaders.length + queryParams.length;
  return (
    tests === 0 &&
    authority === undefined &&
    uri === undefined &&
    method === undefined &&
    secure === undefined
  );
}

function reaches(table: ListenerTable, host: string): boolean {
  if (host === "*") return table.any !== undefined;
  return table.exact.has(host) || table.wildcards.has(host.slice(1));
}

function describeAuthority({ match }: BoundMatch): string {
  const test = match?.authority;
  if (test === undefined) return "any authority";
  switch (test.kind) {
    case "regex":
      return `authority regex ${test.regex.source}`;
    case "oneOf":
      return `authority regex ${test.source}`;
    default:
      return `authority ${test.kind} ${test.value}`;
  }
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
