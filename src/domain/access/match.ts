// The values of a policy, compiled to tests on a request once, when the policy changes.
import { inBlock, parseIp, parseIpBlock } from "../apis/istio/ipBlock.js";
import { isPathTemplate, matchesTemplate } from "../apis/istio/pathTemplate.js";
import type { Json, JsonObject } from "../apis/schema/index.js";
import type { AccessRequest } from "./caller.js";

export type Test = (request: AccessRequest) => boolean;

/** Exact, `prefix*`, `*suffix`, or `*` for anything that is there at all. */
function textMatcher(pattern: string): (value: string) => boolean {
  if (pattern === "*") return (value) => value !== "";
  if (pattern.startsWith("*")) {
    const suffix = pattern.slice(1);
    return (value) => value.endsWith(suffix);
  }
  if (pattern.endsWith("*")) {
    const prefix = pattern.slice(0, -1);
    return (value) => value.startsWith(prefix);
  }
  return (value) => value === pattern;
}

function anyText(patterns: readonly string[]): (value: string | undefined) => boolean {
  const tests = patterns.map(textMatcher);
  return (value) => value !== undefined && tests.some((test) => test(value));
}

function anyPath(patterns: readonly string[]): (path: string) => boolean {
  const tests = patterns.map((pattern) =>
    isPathTemplate(pattern) ? (path: string) => matchesTemplate(pattern, path) : textMatcher(pattern),
  );
  return (path) => tests.some((test) => test(path));
}

function anyBlock(patterns: readonly string[]): (address: string) => boolean {
  const blocks = patterns.flatMap((pattern) => parseIpBlock(pattern) ?? []);
  return (address) => {
    const bytes = parseIp(address);
    return bytes !== undefined && blocks.some((block) => inBlock(block, bytes));
  };
}

/** All tests must hold; those of values nobody gave are left out. */
export function all(tests: readonly (Test | undefined)[]): Test {
  const given = tests.filter((test) => test !== undefined);
  return (request) => given.every((test) => test(request));
}

/** One must hold. Nothing given asks nothing. */
export function some(tests: readonly Test[] | undefined): Test | undefined {
  return tests && ((request) => tests.some((test) => test(request)));
}

type Given = readonly string[] | undefined;

function one(values: Given, make: (values: readonly string[]) => Test): Test | undefined {
  return values && make(values);
}

function none(values: Given, make: (values: readonly string[]) => Test): Test | undefined {
  if (values === undefined) return undefined;
  const test = make(values);
  return (request) => !test(request);
}

/** A list of values and the list of those that must not be. */
export function both(
  values: Given,
  not: Given,
  make: (values: readonly string[]) => Test,
): readonly (Test | undefined)[] {
  return [one(values, make), none(not, make)];
}

export const tests = {
  requestPrincipal: (patterns: readonly string[]): Test => {
    const fits = anyText(patterns);
    return ({ caller }) => fits(caller.requestPrincipal);
  },
  /** Nothing here proves which workload calls: there is no mutual TLS between processes of one machine. */
  peer: (_patterns: readonly string[]): Test => {
    return () => false;
  },
  ip: (patterns: readonly string[]): Test => {
    const fits = anyBlock(patterns);
    return ({ ip }) => fits(ip);
  },
  host: (patterns: readonly string[]): Test => {
    const fits = anyText(patterns.map((pattern) => pattern.toLowerCase()));
    return ({ host }) => fits(host);
  },
  service: (patterns: readonly string[]): Test => {
    const fits = anyText(patterns.map((pattern) => pattern.toLowerCase()));
    return ({ services }) => services.some(fits);
  },
  port: (patterns: readonly string[]): Test => {
    const ports = new Set(patterns.map(Number));
    return ({ port }) => ports.has(port);
  },
  method: (patterns: readonly string[]): Test => {
    const fits = anyText(patterns);
    return ({ method }) => fits(method);
  },
  path: (patterns: readonly string[]): Test => {
    const fits = anyPath(patterns);
    return ({ path }) => fits(path);
  },
  header:
    (name: string) =>
    (patterns: readonly string[]): Test => {
      const lower = name.toLowerCase();
      const fits = anyText(patterns);
      return ({ headers }) => {
        const values = headers(lower);
        // As proxies join them; and one by one, as a pod may read only the first or the last.
        return values.some(fits) || (values.length > 1 && fits(values.join(",")));
      };
    },
  claim:
    (path: readonly string[]) =>
    (patterns: readonly string[]): Test => {
      const fits = anyText(patterns);
      return ({ caller }) => claimValues(caller.claims, path).some(fits);
    },
};

/** A claim is a text, a list of them, or several in one text, separated by spaces (as `scope` is). */
function claimValues(claims: JsonObject, path: readonly string[]): readonly string[] {
  let value: Json | undefined = claims;
  for (const key of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
    value = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
  }
  if (typeof value === "string") return value.includes(" ") ? [value, ...value.split(" ")] : [value];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
