// What the words after a verb mean: `isvc`, `pods web-1 web-2`, `pods,svc`, `isvc/iris pod/web-1`.
import { findType, findTypes, type ResourceType } from "./api/discovery.js";
import { usageError } from "./errors.js";

export interface Target {
  readonly type: ResourceType;
  /** Empty means all of them. */
  readonly names: readonly string[];
}

export function targetsOf(types: readonly ResourceType[], words: readonly string[]): readonly Target[] {
  const [first, ...names] = words;
  if (first === undefined) {
    throw usageError("you must say which kind, such as `inferenceservices` or `isvc/NAME`.");
  }
  if (words.some((word) => word.includes("/"))) return words.map((word) => slashed(types, word));
  return first
    .split(",")
    .filter((word) => word !== "")
    .flatMap((word) => findTypes(types, word))
    .map((type) => ({ type, names }));
}

function slashed(types: readonly ResourceType[], word: string): Target {
  const [kind, name, ...more] = word.split("/");
  if (!kind || !name || more.length > 0) {
    throw usageError(`"${word}" must be KIND/NAME, and so must all words beside it.`);
  }
  return { type: findType(types, kind), names: [name] };
}

export interface Scope {
  readonly namespace?: string | undefined;
  readonly allNamespaces?: boolean | undefined;
}

export const defaultNamespace = "default";

export function namespaceOf({ namespace }: Pick<Scope, "namespace">): string {
  return namespace || defaultNamespace;
}
