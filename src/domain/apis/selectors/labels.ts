// Label selectors: the text of a query, and the object in a spec (kubernetes-api.md, section 16).
import type { LabelSelector } from "../meta/meta.types.js";
import { parseRequirements, type Requirement } from "./labelParser.js";

export type Labels = { readonly [key: string]: string };

export interface LabelMatcher {
  readonly ok: true;
  /** True for the selector that selects everything. */
  readonly everything: boolean;
  readonly matches: (labels: Labels | undefined) => boolean;
  /** The selector in its canonical spelling. */
  readonly text: string;
}

export type ParsedLabelSelector = LabelMatcher | { readonly ok: false; readonly message: string };

export function parseLabelSelector(text: string): ParsedLabelSelector {
  const parsed = parseRequirements(text);
  if (typeof parsed === "string") return { ok: false, message: parsed };
  return {
    ok: true,
    everything: parsed.length === 0,
    matches: (labels) => parsed.every((requirement) => satisfies(requirement, labels)),
    text: parsed.map(requirementText).join(","),
  };
}

/** No selector selects nothing; an empty one selects everything. */
export function labelSelectorMatches(
  selector: LabelSelector | undefined,
  labels: Labels | undefined,
): boolean {
  if (selector === undefined) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labelValue(labels, key) !== value) return false;
  }
  return expressions(selector).every((requirement) => satisfies(requirement, labels));
}

/** What `-l` would have to say to select the same. */
export function labelSelectorText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return "";
  const equal = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: "=", values: [value] }),
  );
  return [...equal, ...expressions(selector)].sort(byKey).map(requirementText).join(",");
}

function expressions(selector: LabelSelector): readonly Requirement[] {
  return (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({
    key,
    operator: operators[operator] ?? "in",
    values: [...values].sort(),
  }));
}

const operators: { readonly [name: string]: Requirement["operator"] } = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

function byKey(a: Requirement, b: Requirement): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function labelValue(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function satisfies({ key, operator, values }: Requirement, labels: Labels | undefined): boolean {
  const value = labelValue(labels, key);
  switch (operator) {
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case "=":
    case "==":
    case "in":
      return value !== undefined && values.includes(value);
    case "!=":
    case "notin":
      return value === undefined || !values.includes(value);
    case ">":
    case "<": {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
      const [have, bound] = [BigInt(value.replace(/^\+/, "")), BigInt((values[0] ?? "0").replace(/^\+/, ""))];
      return operator === ">" ? have > bound : have < bound;
    }
  }
}

function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${values.join(",")})`;
    default:
      return `${key}${operator}${values[0] ?? ""}`;
  }
}
