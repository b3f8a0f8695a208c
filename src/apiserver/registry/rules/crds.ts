// CustomResourceDefinitions: names taken or not, conditions said at once, instances gone before the definition is.
import { type CustomResourceDefinition, kindsOfCrd } from "../../../domain/apis/crd/index.js";
import type { Resource } from "../../../domain/apis/kind.js";
import { type FieldError, fieldErrors } from "../../../domain/apis/meta/fieldError.js";
import type { SchemaCompiler } from "../../../domain/apis/schema/index.js";
import { invalid } from "../../status.js";
import { reshaped, type ServedTable } from "../served.js";
import type { Rule } from "./rule.js";

export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";
const crdKind = { group: "apiextensions.k8s.io", kind: "CustomResourceDefinition" };

type Crd = CustomResourceDefinition & Resource;
type Conditions = NonNullable<NonNullable<Crd["status"]>["conditions"]>;

export function crdRule(table: ServedTable): Rule {
  return {
    admit(object, { old, subresource }, state) {
      if (subresource === "status") return object;
      const crd = withNames(object as Crd);
      refuseMistakes(crd, old as Crd | undefined);
      const finalizers = crd.metadata.finalizers ?? [];
      const metadata =
        old === undefined && !finalizers.includes(cleanupFinalizer)
          ? { ...crd.metadata, finalizers: [...finalizers, cleanupFinalizer] }
          : crd.metadata;
      return { ...crd, metadata, status: judged(crd, table, state.nowIso()) } as Resource;
    },
    deleting(object, state) {
      const crd = object as Crd;
      const terminating = {
        type: "Terminating",
        status: "True",
        lastTransitionTime: state.nowIso(),
        reason: "InstanceDeletionPending",
        message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
      };
      const others = (crd.status?.conditions ?? []).filter((one) => one.type !== "Terminating");
      return { ...crd, status: { ...crd.status, conditions: [...others, terminating] } } as Resource;
    },
  };
}

/** Makes the API serve what a stored definition says, or stop serving it. */
export function followCrd(
  table: ServedTable,
  object: Resource,
  gone: boolean,
  compiler: SchemaCompiler,
): void {
  const crd = object as Crd;
  const { group, names } = crd.spec;
  const accepted = isAccepted(crd);
  if (accepted || gone) table.withdraw(group, names.plural);
  if (gone || !accepted) return;
  const kinds = kindsOfCrd(crd);
  const storage = kinds.find((kind) => kind.storage) ?? kinds[0];
  if (storage === undefined) return;
  for (const kind of kinds) {
    const deprecation = kind.deprecationWarning;
    table.serve(
      kind,
      kind === storage ? { deprecation } : { view: reshaped(kind, storage, compiler), deprecation },
    );
  }
}

export function isAccepted(crd: Crd): boolean {
  return crd.status?.conditions?.some((one) => one.type === "Established" && one.status === "True") === true;
}

function withNames(crd: Crd): Crd {
  const { names } = crd.spec;
  const singular = names.singular || names.kind.toLowerCase();
  const listKind = names.listKind || `${names.kind}List`;
  return { ...crd, spec: { ...crd.spec, names: { ...names, singular, listKind } } };
}

function refuseMistakes(crd: Crd, old: Crd | undefined): void {
  const { spec, metadata } = crd;
  const errors: FieldError[] = [];
  const name = `${spec.names.plural}.${spec.group}`;
  if (metadata.name !== name) {
    errors.push(
      fieldErrors.invalid("metadata.name", metadata.name, `must be spec.names.plural+"."+spec.group`),
    );
  }
  if (spec.versions.filter((version) => version.storage).length !== 1) {
    errors.push(
      fieldErrors.invalid(
        "spec.versions",
        spec.versions,
        "must have exactly one version marked as storage version",
      ),
    );
  }
  spec.versions.forEach((version, i) => {
    if (version.schema?.openAPIV3Schema === undefined) {
      errors.push(fieldErrors.required(`spec.versions[${i}].schema.openAPIV3Schema`, "schemas are required"));
    }
  });
  if (old !== undefined && old.spec.scope !== spec.scope) {
    errors.push(fieldErrors.invalid("spec.scope", spec.scope, "field is immutable"));
  }
  if (errors.length > 0) throw invalid(crdKind, metadata.name, errors);
}

function judged(crd: Crd, table: ServedTable, nowIso: string): NonNullable<Crd["status"]> {
  const { spec } = crd;
  const clash = clashOf(crd, table);
  const names =
    clash === undefined
      ? { status: "True", reason: "NoConflicts", message: "no conflicts found" }
      : { status: "False", ...clash };
  const established =
    clash === undefined
      ? { status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" }
      : { status: "False", reason: "NotAccepted", message: "not all names are accepted" };
  const before = crd.status?.conditions ?? [];
  const storage = spec.versions.find((version) => version.storage)?.name;
  const stored = crd.status?.storedVersions ?? [];
  const rest = before.filter((one) => one.type !== "NamesAccepted" && one.type !== "Established");
  return {
    ...crd.status,
    conditions: [
      since(before, { type: "NamesAccepted", ...names }, nowIso),
      since(before, { type: "Established", ...established }, nowIso),
      ...rest,
    ],
    acceptedNames: clash === undefined ? spec.names : { plural: "", kind: "" },
    storedVersions: storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
  };
}

/** A condition that says what it said before keeps the time it first said so. */
function since(
  before: Conditions,
  condition: {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  },
  nowIso: string,
): Conditions[number] {
  const was = before.find((one) => one.type === condition.type);
  const kept = was !== undefined && was.status === condition.status ? was.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: kept ?? nowIso };
}

function clashOf(
  crd: Crd,
  table: ServedTable,
): { readonly reason: string; readonly message: string } | undefined {
  const { group, names } = crd.spec;
  for (const { kind } of table.all()) {
    if (kind.group !== group) continue;
    const ours = kind.plural === names.plural;
    if (ours && kind.flavour === "custom" && kind.kind === names.kind) continue;
    if (ours) return { reason: "PluralConflict", message: `"${names.plural}" is already in use` };
    if (kind.kind === names.kind)
      return { reason: "KindConflict", message: `"${names.kind}" is already in use` };
    const listKind = names.listKind ?? "";
    if (`${kind.kind}List` === listKind)
      return { reason: "ListKindConflict", message: `"${listKind}" is already in use` };
  }
  return undefined;
}
