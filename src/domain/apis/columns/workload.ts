// Columns of what is made from a pod template, and of selectors.
import type { LabelSelector } from "../meta/meta.types.js";
import { labelSelectorText } from "../selectors/index.js";
import { none } from "./common.js";

type Containers = readonly { readonly name: string; readonly image: string }[] | undefined;

export function containerNames(containers: Containers): string {
  return (containers ?? []).map((container) => container.name).join(",");
}

export function containerImages(containers: Containers): string {
  return (containers ?? []).map((container) => container.image).join(",");
}

/** A selector in a spec; empty shows as nothing. */
export function selectorText(selector: LabelSelector | undefined): string {
  return labelSelectorText(selector) || none;
}

/** Plain labels to select by, as Services have them. */
export function labelsText(labels: { readonly [key: string]: string } | undefined): string {
  return selectorText({ matchLabels: labels });
}

/** The first few, and how many were left out. */
export function firstFew(parts: readonly string[], most: number): string {
  if (parts.length <= most) return parts.join(",");
  return `${parts.slice(0, most).join(",")} + ${parts.length - most} more...`;
}
