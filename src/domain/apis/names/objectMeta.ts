// What must hold of every object's metadata, whatever its kind (kubernetes-api.md, sections 7 and 8).
import type { Kind, Resource } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { ObjectMeta, OwnerReference } from "../meta/meta.types.js";
import { labelKeyProblems, labelValueProblems, namePrefixProblems, nameProblems } from "./names.js";

const annotationsLimitBytes = 256 * 1024;

/** `old` is the object before, on updates. */
export function validateObjectMeta(
  kind: Pick<Kind, "group" | "namespaced" | "nameRule" | "flavour">,
  object: Resource,
  old: Resource | undefined,
): readonly FieldError[] {
  const meta = object.metadata;
  return [
    ...nameErrors(kind, meta),
    ...namespaceErrors(kind, meta),
    ...labelErrors("metadata.labels", meta.labels),
    ...annotationErrors("metadata.annotations", meta.annotations),
    ...ownerErrors(meta.ownerReferences ?? []),
    ...finalizerErrors(kind, meta.finalizers ?? []),
    ...(old === undefined ? [] : changeErrors(meta, old.metadata)),
  ];
}

function nameErrors(kind: Pick<Kind, "nameRule">, meta: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [];
  const base = meta.generateName ?? "";
  if (base !== "") {
    const problems = namePrefixProblems(kind.nameRule, base);
    errors.push(...problems.map((problem) => fieldErrors.invalid("metadata.generateName", base, problem)));
  }
  const name: string | undefined = meta.name;
  if (name === undefined || name === "") {
    errors.push(fieldErrors.required("metadata.name", "name or generateName is required"));
  } else {
    const problems = nameProblems(kind.nameRule, name);
    errors.push(...problems.map((problem) => fieldErrors.invalid("metadata.name", name, problem)));
  }
  return errors;
}

function namespaceErrors(kind: Pick<Kind, "namespaced">, meta: ObjectMeta): readonly FieldError[] {
  const namespace = meta.namespace ?? "";
  if (!kind.namespaced) {
    return namespace === "" ? [] : [fieldErrors.forbidden("metadata.namespace", "not allowed on this type")];
  }
  if (namespace === "") return [fieldErrors.required("metadata.namespace")];
  const problems = nameProblems("label", namespace);
  return problems.map((problem) => fieldErrors.invalid("metadata.namespace", namespace, problem));
}

type Strings = { readonly [key: string]: string } | undefined;

export function labelErrors(field: string, labels: Strings): readonly FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...labelKeyProblems(key).map((problem) => fieldErrors.invalid(field, key, problem)),
    ...labelValueProblems(value).map((problem) => fieldErrors.invalid(field, value, problem)),
  ]);
}

export function annotationErrors(field: string, annotations: Strings): readonly FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    // Upper case is allowed in the domain of annotations, and only there.
    const problems = labelKeyProblems(key.toLowerCase());
    errors.push(...problems.map((problem) => fieldErrors.invalid(field, key, problem)));
    size += key.length + value.length;
  }
  if (size > annotationsLimitBytes) errors.push(fieldErrors.tooLong(field, annotationsLimitBytes));
  return errors;
}

function ownerErrors(owners: readonly OwnerReference[]): readonly FieldError[] {
  const errors: FieldError[] = [];
  const field = "metadata.ownerReferences";
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    for (const name of ["apiVersion", "kind", "name", "uid"] as const) {
      const empty = (owner[name] ?? "") === "";
      const detail = name === "apiVersion" ? "version must not be empty" : "must not be empty";
      if (empty) errors.push(fieldErrors.invalid(`${field}.${name}`, "", detail));
    }
    if (owner.controller !== true) continue;
    if (controller !== undefined) {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller.name} and ${owner.name}`;
      errors.push(fieldErrors.invalid(field, owners, detail));
    }
    controller = owner;
  }
  return errors;
}

const standardFinalizers: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** Definitions are held by a finalizer without a domain, the server's own: of built-in kinds they alone may have such. */
function finalizerErrors(
  { group, flavour }: Pick<Kind, "group" | "flavour">,
  finalizers: readonly string[],
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const field = "metadata.finalizers";
  for (const finalizer of finalizers) {
    const problems = labelKeyProblems(finalizer);
    errors.push(...problems.map((problem) => fieldErrors.invalid(field, finalizer, problem)));
    const bare = !finalizer.includes("/") && !standardFinalizers.has(finalizer);
    if (flavour === "builtin" && group !== "apiextensions.k8s.io" && problems.length === 0 && bare) {
      const detail = "name is neither a standard finalizer name nor is it fully qualified";
      errors.push(fieldErrors.invalid(field, finalizer, detail));
    }
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    const detail = "finalizer orphan and foregroundDeletion cannot be both set";
    errors.push(fieldErrors.invalid(field, finalizers, detail));
  }
  return errors;
}

const immutable = ["name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;

function changeErrors(meta: ObjectMeta, old: ObjectMeta): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const name of immutable) {
    if ((meta[name] ?? "") !== (old[name] ?? "")) {
      errors.push(fieldErrors.invalid(`metadata.${name}`, meta[name], "field is immutable"));
    }
  }
  if (old.deletionTimestamp !== undefined) {
    const before = new Set(old.finalizers);
    const added = (meta.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
    if (added.length > 0) {
      const shown = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`;
      errors.push(fieldErrors.forbidden("metadata.finalizers", detail));
    }
  }
  return errors;
}
