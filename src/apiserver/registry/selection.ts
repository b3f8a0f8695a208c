// From the selectors of a request to the objects they mean.
import type { Kind, Resource } from "../../domain/apis/kind.js";
import { parseFieldSelector, parseLabelSelector } from "../../domain/apis/selectors/index.js";
import { badRequest } from "../status.js";
import type { Selection } from "./collection.js";
import type { Served } from "./served.js";

export interface Selectors {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Throws a BadRequest in the API's words when a selector cannot be read. */
export function selectionOf(served: Served, selectors: Selectors): Selection {
  const { kind, view } = served;
  const labels = parseLabelSelector(selectors.labelSelector ?? "");
  if (!labels.ok) throw badRequest(labels.message);
  const fields = parseFieldSelector(selectors.fieldSelector ?? "", kind.fieldSelectors, kind.flavour);
  if (!fields.ok) throw badRequest(fields.message);

  const place = kind.namespaced ? (selectors.namespace ?? "") : "";
  const namespace = !kind.namespaced ? "" : place === "" ? fields.namespace : place;
  const tests: ((object: Resource) => boolean)[] = [];
  if (!labels.everything) tests.push((object) => labels.matches(object.metadata.labels));
  if (!fields.everything) {
    tests.push(view === undefined ? fields.matches : (object) => fields.matches(view.toView(object)));
  }
  const [first, second] = tests;
  return {
    namespace,
    name: fields.name,
    ...(first === undefined
      ? {}
      : { match: second === undefined ? first : (object: Resource) => first(object) && second(object) }),
  };
}

/** Whether a list is narrowed at all; how many remain after a page is then not told. */
export function isNarrowed(selectors: Selectors): boolean {
  return (selectors.labelSelector ?? "") !== "" || (selectors.fieldSelector ?? "") !== "";
}

export function listKindOf(kind: Kind): string {
  return `${kind.kind}List`;
}
