// A label selector written as YAML, as config-network has one for namespaces.
import { labelKeyProblems, labelValueProblems } from "../names/index.js";
import type { Reading } from "./settings.js";
import { parseYaml, type Yaml } from "./yaml.js";

/** Only looked at, not used yet: a bad one is refused all the same. */
export function namespaceSelection(source: string, key: string): Reading<string> {
  const parsed = parseYaml(source);
  const problem = "because" in parsed ? parsed.because : problemOf(parsed.value);
  return problem === undefined
    ? { value: source }
    : { fault: `failed to parse ${JSON.stringify(key)}: ${problem}` };
}

function problemOf(given: Yaml): string | undefined {
  if (given === null || given === "") return undefined;
  if (!isMap(given)) return "expected a label selector";
  for (const [field, value] of Object.entries(given)) {
    if (field === "matchLabels") {
      if (value === null) continue;
      if (!isMap(value)) return "matchLabels: expected a map of labels";
      for (const [label, text] of Object.entries(value)) {
        if (typeof text !== "string") return `matchLabels: the value of ${label} is not a text, quote it`;
        const [bad] = [...labelKeyProblems(label), ...labelValueProblems(text)];
        if (bad !== undefined) return `matchLabels: ${label}: ${bad}`;
      }
    } else if (field === "matchExpressions") {
      // Upstream's own comment shows one expression where a list belongs; kubectl would refuse it, and so do we.
      if (!Array.isArray(value)) return "matchExpressions: expected a list";
      for (const one of value as readonly Yaml[]) {
        const bad = expressionProblem(one);
        if (bad !== undefined) return `matchExpressions: ${bad}`;
      }
    } else {
      return `unknown field ${JSON.stringify(field)}, expected matchLabels or matchExpressions`;
    }
  }
  return undefined;
}

function expressionProblem(given: Yaml): string | undefined {
  if (!isMap(given)) return "expected key, operator and values";
  const { key, operator, values } = given as { key?: Yaml; operator?: Yaml; values?: Yaml };
  if (typeof key !== "string") return "key is missing";
  if (operator === "Exists" || operator === "DoesNotExist") {
    return Array.isArray(values) && values.length > 0 ? `${operator} takes no values` : undefined;
  }
  if (operator !== "In" && operator !== "NotIn") {
    return `${JSON.stringify(operator ?? "")} is not a valid label selector operator`;
  }
  return Array.isArray(values) && values.length > 0 && values.every((one) => typeof one === "string")
    ? undefined
    : `${operator} needs a list of values`;
}

function isMap(value: Yaml): value is { readonly [key: string]: Yaml } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
