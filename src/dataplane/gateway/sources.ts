// The first look at what changed: each object read once and kept; the last good version of one that cannot be read.
import { delegatedRules } from "../../domain/apis/istio/delegate.js";
import { type ParsedGateway, parseGateway } from "../../domain/apis/istio/gateway.parse.js";
import type { Parsed, RouteFault } from "../../domain/apis/istio/routing.types.js";
import { parseVirtualService, virtualServiceKey } from "../../domain/apis/istio/virtualService.parse.js";
import type { CompileInput } from "./inputs.js";
import type { CompileMemory, RouteProblem, Whole } from "./table.js";

export interface Sources {
  readonly parsed: ReadonlyMap<string, Parsed>;
  readonly whole: ReadonlyMap<string, Whole>;
  /** Those in force, the oldest first. */
  readonly objects: readonly Parsed[];
  readonly gateways: ReadonlyMap<string, ParsedGateway> | undefined;
}

export function readSources(
  input: CompileInput,
  before: CompileMemory | undefined,
  problems: RouteProblem[],
): Sources {
  const parsed = readAll(
    input.virtualServices,
    (object) => virtualServiceKey(object),
    (object) => parseVirtualService(object),
    { kind: "VirtualService", before: before?.parsed, problems },
  );
  const gateways =
    input.gateways &&
    readAll(
      input.gateways,
      ({ metadata }) => `${metadata?.namespace ?? "default"}/${metadata?.name ?? ""}`,
      (object) => parseGateway(object),
      { kind: "Gateway", before: before?.gateways, problems },
    );
  const whole = completeAll(parsed, before?.whole, problems);
  const objects = [...parsed.values()].map((one) => whole.get(one.key)?.whole ?? one).sort(byAge);
  return { parsed, whole, objects, gateways };
}

type Result<P> =
  | { readonly outcome: "parsed"; readonly parsed: P }
  | { readonly outcome: "rejected"; readonly faults: readonly RouteFault[] };

function readAll<I, P extends { readonly source: I }>(
  objects: readonly I[],
  keyOf: (object: I) => string,
  read: (object: I) => Result<P>,
  {
    kind,
    before,
    problems,
  }: {
    readonly kind: string;
    readonly before: ReadonlyMap<string, P> | undefined;
    readonly problems: RouteProblem[];
  },
): ReadonlyMap<string, P> {
  const made = new Map<string, P>();
  for (const object of objects) {
    const key = keyOf(object);
    const kept = before?.get(key);
    if (kept !== undefined && kept.source === object) {
      made.set(key, kept);
      continue;
    }
    const result = read(object);
    if (result.outcome === "parsed") {
      made.set(key, result.parsed);
      continue;
    }
    if (kept !== undefined) made.set(key, kept);
    problems.push(told(`${kind} ${key}`, result.faults, kept !== undefined));
  }
  return made;
}

function told(object: string, faults: readonly RouteFault[], keptPrevious: boolean): RouteProblem {
  const message = faults.map(({ path, what }) => `${path}: ${what}`).join("; ");
  return { object, reason: faults[0]?.reason ?? "InvalidField", message, keptPrevious };
}

/** Puts the rules of delegates in place. */
function completeAll(
  parsed: ReadonlyMap<string, Parsed>,
  before: ReadonlyMap<string, Whole> | undefined,
  problems: RouteProblem[],
): ReadonlyMap<string, Whole> {
  const made = new Map<string, Whole>();
  for (const one of parsed.values()) {
    const to = one.rules.flatMap(({ then }) => (then.kind === "delegate" ? [then.to] : []));
    if (to.length === 0) continue;
    const from = [one, ...to.map((key) => parsed.get(key))];
    const kept = before?.get(one.key);
    const same = kept?.from.length === from.length && kept.from.every((each, index) => each === from[index]);
    const whole = same && kept !== undefined ? kept : complete(one, from, parsed);
    problems.push(...whole.problems);
    made.set(one.key, whole);
  }
  return made;
}

function complete(one: Parsed, from: Whole["from"], parsed: ReadonlyMap<string, Parsed>): Whole {
  const problems: RouteProblem[] = [];
  const object = `VirtualService ${one.key}`;
  const missing = (at: string, message: string) =>
    problems.push({
      object,
      reason: "DelegateMissing",
      message: `${at}.delegate: ${message}`,
      keptPrevious: false,
    });
  const rules = one.rules.flatMap((rule) => {
    if (rule.then.kind !== "delegate") return [rule];
    const to = parsed.get(rule.then.to);
    if (to === undefined) missing(rule.at, `there is no VirtualService ${rule.then.to}`);
    else if (to.hosts.length > 0)
      missing(rule.at, `VirtualService ${to.key} has hosts of its own, so nobody can delegate to it`);
    else {
      const { rules: inside, faults } = delegatedRules(one, rule, to);
      if (faults.length > 0) problems.push(told(object, faults, false));
      else if (inside.length === 0)
        missing(rule.at, `no rule of VirtualService ${to.key} is within what this one matches`);
      return inside;
    }
    return [];
  });
  return { from, whole: { ...one, rules }, problems };
}

/** Where two claim one host the older goes first, as in Istio; the name decides among equals. */
function byAge(one: Parsed, other: Parsed): number {
  return compare(one.createdAt, other.createdAt) || compare(one.key, other.key);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
