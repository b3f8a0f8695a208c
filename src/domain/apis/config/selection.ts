// `selector: {label: value}`: how config-domain and runtime-class-name say which objects an entry is for.
import type { Parsed } from "./goText.js";
import type { Yaml } from "./yaml.js";

export interface Selection {
  readonly selector: { readonly [label: string]: string };
  readonly type: string;
}

/** Nothing at all selects everything. */
export function labelSelection(given: Yaml): Parsed<Selection> {
  if (given === null || given === "") return { value: { selector: {}, type: "" } };
  if (!isMap(given)) return { because: "expected a map with a selector" };
  const unknown = Object.keys(given).find((key) => key !== "selector" && key !== "type");
  if (unknown !== undefined) {
    return { because: `unknown field ${JSON.stringify(unknown)}, expected selector or type` };
  }
  const { selector = null, type = null } = given as { readonly selector?: Yaml; readonly type?: Yaml };
  if (type !== null && typeof type !== "string") return { because: "expected type to be a text" };
  if (selector === null) return { value: { selector: {}, type: type ?? "" } };
  if (!isMap(selector)) return { because: "expected selector to be a map of labels" };
  const odd = Object.entries(selector).find(([, value]) => typeof value !== "string");
  if (odd !== undefined) return { because: `selector: the value of ${odd[0]} is not a text, quote it` };
  return { value: { selector: selector as { readonly [label: string]: string }, type: type ?? "" } };
}

function isMap(value: Yaml): value is { readonly [key: string]: Yaml } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
