// From listener, host, path and verb to a destination. Runs on every request: map look-ups, and the few tests
// the compiler could not decide beforehand.

import type { NamedMatch, Rewrite, StringMatch } from "../../domain/apis/istio/routing.types.js";
import { chooseArm } from "../../domain/traffic/index.js";
import type {
  Condition,
  DeadEnd,
  Destination,
  Direct,
  HostRoutes,
  ListenerTable,
  Node,
  Redirected,
  Rule,
} from "./table.js";

export interface Asked {
  readonly host: string;
  readonly method: string;
  /** Path and query, beginning with a slash. */
  readonly target: string;
  /** Came over TLS. */
  readonly secure: boolean;
  header(lowerName: string): string | undefined;
}

export type Matched =
  | { readonly kind: "forward"; readonly destination: Destination; readonly target: string }
  | { readonly kind: "redirect"; readonly redirected: Redirected; readonly target: string }
  | Direct
  | DeadEnd
  | { readonly kind: "noRule" };

/** The host as a key: lower case, without port. The common case is already one. */
export function hostKey(host: string): string {
  let end = host.length;
  if (host.charCodeAt(0) === 0x5b) {
    const close = host.indexOf("]");
    if (close > 0) end = close + 1;
  } else {
    const colon = host.indexOf(":");
    if (colon >= 0) end = colon;
  }
  // A trailing dot makes the name absolute and means the same host.
  if (end > 1 && host.charCodeAt(end - 1) === 0x2e) end -= 1;
  return (end === host.length ? host : host.slice(0, end)).toLowerCase();
}

export function findHost(table: ListenerTable, host: string): HostRoutes | undefined {
  const asIs = table.exact.get(host);
  if (asIs !== undefined) return asIs;
  const key = hostKey(host);
  const exact = table.exact.get(key);
  if (exact !== undefined) return exact;
  if (table.wildcards.size > 0) {
    for (let dot = key.indexOf("."); dot >= 0; dot = key.indexOf(".", dot + 1)) {
      const found = table.wildcards.get(key.slice(dot));
      if (found !== undefined) return found;
    }
  }
  return table.any;
}

export function matchRoute(routes: HostRoutes, asked: Asked, random: () => number): Matched {
  const rule = firstRule(routes.rules, asked, asked.target);
  return rule === undefined ? noRule : follow(rule, asked, asked.target, random);
}

/** Where a request goes whose rules were passed already: a copy's way. */
export function matchNode(to: Node, asked: Asked, random: () => number): Matched {
  return follow({ when: [], rewrite: undefined, to }, asked, asked.target, random);
}

const noRule: Matched = { kind: "noRule" };

function follow(first: Rule, asked: Asked, from: string, random: () => number): Matched {
  let target = from;
  let rule: Rule | undefined = first;
  for (;;) {
    if (rule === undefined) return noRule;
    if (rule.rewrite !== undefined) target = rewriteTarget(rule.rewrite, target);
    let node = rule.to;
    while (node.kind === "split") node = chooseArm(node.split, random).to;
    switch (node.kind) {
      case "forward":
        return { kind: "forward", destination: node, target };
      case "redirect":
        return { kind: "redirect", redirected: node, target };
      case "direct":
      case "deadEnd":
        return node;
      case "rules":
        rule = firstRule(node.rules, asked, target);
    }
  }
}

/** Somewhere a request for this host may end: whose policies a probe of it meets. */
export function firstDestination({ rules }: Pick<HostRoutes, "rules">): Destination | undefined {
  for (const { to } of rules) {
    const found = endOf(to);
    if (found !== undefined) return found;
  }
  return undefined;
}

function endOf(node: Node): Destination | undefined {
  switch (node.kind) {
    case "forward":
      return node;
    case "rules":
      return firstDestination(node);
    case "split": {
      const [arm] = node.split.arms;
      return arm && endOf(arm.to);
    }
    default:
      return undefined;
  }
}

function firstRule(rules: readonly Rule[], asked: Asked, target: string): Rule | undefined {
  for (const rule of rules) {
    if (rule.when.length === 0) return rule;
    for (const condition of rule.when) if (holds(condition, asked, target)) return rule;
  }
  return undefined;
}

function holds(condition: Condition, asked: Asked, target: string): boolean {
  if (condition.secure !== undefined && condition.secure !== asked.secure) return false;
  if (condition.uri !== undefined && !matchString(condition.uri, pathOf(target))) return false;
  if (condition.method !== undefined && !matchString(condition.method, asked.method)) return false;
  if (condition.authority !== undefined && !matchString(condition.authority, hostKey(asked.host)))
    return false;
  for (const test of condition.headers) if (!matchNamed(test, asked.header(test.name))) return false;
  for (const test of condition.withoutHeaders) if (matchNamed(test, asked.header(test.name))) return false;
  return condition.queryParams.length === 0 || holdsQuery(condition.queryParams, target);
}

export function matchNamed({ match }: NamedMatch, value: string | undefined): boolean {
  return value !== undefined && (match === undefined || matchString(match, value));
}

/** Of a parameter given twice the first counts, as in Envoy. */
function holdsQuery(tests: readonly NamedMatch[], target: string): boolean {
  const at = target.indexOf("?");
  const query = new URLSearchParams(at < 0 ? "" : target.slice(at + 1));
  return tests.every((test) => matchNamed(test, query.get(test.name) ?? undefined));
}

export function matchString(match: StringMatch, value: string): boolean {
  switch (match.kind) {
    case "exact":
      return match.value === (match.ignoreCase ? value.toLowerCase() : value);
    case "prefix":
      return (match.ignoreCase ? value.toLowerCase() : value).startsWith(match.value);
    case "oneOf":
      return match.values.has(value);
    case "regex":
      return match.regex.matches(value);
  }
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

function rewriteTarget(rewrite: Rewrite, target: string): string {
  const path = pathOf(target);
  const query = target.slice(path.length);
  return rooted(rewritePath(rewrite, path)) + query;
}

function rewritePath(rewrite: Rewrite, path: string): string {
  switch (rewrite.kind) {
    case "prefix": {
      const begins = (rewrite.ignoreCase ? path.toLowerCase() : path).startsWith(rewrite.from);
      return begins ? rewrite.to + path.slice(rewrite.from.length) : path;
    }
    case "whole":
      return rewrite.to;
    case "regex":
      return rewrite.replace(path);
  }
}

function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
