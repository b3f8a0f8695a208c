// What becomes of a rule that hands over to another VirtualService: each of the other's rules, within what the rule
// itself admits. Where the two contradict each other the pair is left out, as in Istio.
import { gather } from "./reading.js";
import type { Parsed, ParsedRule, RouteFault } from "./routing.types.js";
import { readRule } from "./virtualService.parse.js";
import type { HttpMatch, HttpRoute, StringMatchInput } from "./virtualService.types.js";

type Named = { readonly [name: string]: StringMatchInput } | undefined;

export interface Delegated {
  readonly rules: readonly ParsedRule[];
  readonly faults: readonly RouteFault[];
}

/** The rules that stand for one that delegates. */
export function delegatedRules(owner: Parsed, rule: ParsedRule, to: Parsed): Delegated {
  const faults: RouteFault[] = [];
  const inside = (to.source.spec?.http ?? []).map((one) => qualified(one, to.namespace));
  const rules = gather(mergeDelegate(rule.source, inside), faults, (one) =>
    readRule(one, rule.at, owner.namespace, false),
  ).flat();
  return { rules, faults };
}

/** Short names mean Services of the namespace they are written in. */
function qualified(rule: HttpRoute, namespace: string): HttpRoute {
  const name = <T extends { readonly host: string }>(destination: T): T =>
    destination.host.includes(".")
      ? destination
      : { ...destination, host: `${destination.host}.${namespace}` };
  const { route, mirror, mirrors } = rule;
  return {
    ...rule,
    ...(route && { route: route.map((arm) => ({ ...arm, destination: name(arm.destination) })) }),
    ...(mirror && { mirror: name(mirror) }),
    ...(mirrors && {
      mirrors: mirrors.map((one) => ({
        ...one,
        ...(one.destination && { destination: name(one.destination) }),
      })),
    }),
  };
}

function mergeDelegate(root: HttpRoute, rules: readonly HttpRoute[]): readonly HttpRoute[] {
  return rules.flatMap((rule) => {
    const match = mergeMatches(root.match ?? [], rule.match ?? []);
    if (match === undefined) return [];
    const { delegate: _delegate, ...outer } = root;
    const name = [root.name, rule.name].filter((one) => one).join("-");
    // What the delegate says for itself stands; the rest is the root's.
    return [{ ...outer, ...said(rule), ...(name === "" ? {} : { name }), match }];
  });
}

function said<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** Every pair that can hold together; undefined when none can. No matches at all means always. */
function mergeMatches(
  roots: readonly HttpMatch[],
  leaves: readonly HttpMatch[],
): readonly HttpMatch[] | undefined {
  if (roots.length === 0) return leaves;
  if (leaves.length === 0) return roots;
  const merged = roots.flatMap((root) =>
    leaves.filter((leaf) => !contradict(root, leaf)).map((leaf) => mergeMatch(root, leaf)),
  );
  return merged.length === 0 ? undefined : merged;
}

function mergeMatch(root: HttpMatch, leaf: HttpMatch): HttpMatch {
  const named = (field: "headers" | "withoutHeaders" | "queryParams") => {
    const both = { ...root[field], ...leaf[field] };
    return Object.keys(both).length === 0 ? {} : { [field]: both };
  };
  return {
    ...root,
    ...said(leaf),
    ...named("headers"),
    ...named("withoutHeaders"),
    ...named("queryParams"),
    // A delegate is nobody's at a gateway by itself.
    ...(root.gateways === undefined ? {} : { gateways: root.gateways }),
  };
}

function contradict(root: HttpMatch, leaf: HttpMatch): boolean {
  const folds = (root.ignoreUriCase === true) !== (leaf.ignoreUriCase === true);
  return (
    (folds && root.uri !== undefined && leaf.uri !== undefined) ||
    outside(root.uri, leaf.uri) ||
    outside(root.scheme, leaf.scheme) ||
    outside(root.method, leaf.method) ||
    outside(root.authority, leaf.authority) ||
    outsideAny(root.headers, leaf.headers) ||
    outsideAny(root.withoutHeaders, leaf.withoutHeaders) ||
    outsideAny(root.queryParams, leaf.queryParams) ||
    (Boolean(root.port) && Boolean(leaf.port) && root.port !== leaf.port)
  );
}

function outsideAny(root: Named, leaf: Named): boolean {
  return Object.entries(leaf ?? {}).some(([name, test]) => outside(root?.[name], test));
}

/** Whether the leaf admits something that the root does not. Nobody can tell that of two expressions. */
function outside(root: StringMatchInput | undefined, leaf: StringMatchInput | undefined): boolean {
  if (root === undefined || leaf === undefined) return false;
  if (root.regex !== undefined || leaf.regex !== undefined) return true;
  if (root.exact !== undefined) return leaf.exact !== root.exact;
  if (root.prefix !== undefined) return !(leaf.exact ?? leaf.prefix ?? "").startsWith(root.prefix);
  return false;
}
