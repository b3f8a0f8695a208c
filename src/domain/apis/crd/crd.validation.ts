// What must hold of a definition before it may define anything (kubernetes-api.md, section 15).
import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { labelProblems, nameProblems } from "../names/index.js";
import type { SchemaNode } from "../schema/index.js";
import type { CrdSpec, CrdVersion, CustomResourceDefinition } from "./crd.types.js";
import { misfitsOf } from "./schemaShape.js";

export function validateCrd(
  crd: CustomResourceDefinition,
  context: AdmissionContext<CustomResourceDefinition>,
): readonly FieldError[] {
  if (context.subresource === "status") return [];
  const { spec, metadata } = crd;
  const errors: FieldError[] = [];
  if (metadata.name !== `${spec.names.plural}.${spec.group}`) {
    errors.push(
      fieldErrors.invalid("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group'),
    );
  }
  errors.push(...nameErrors(spec), ...versionsErrors(spec.versions));
  for (const [index, version] of spec.versions.entries()) {
    errors.push(...versionErrors(version, `spec.versions[${index}]`));
  }
  if (context.old !== undefined) errors.push(...changeErrors(crd, context.old));
  return errors;
}

function nameErrors({ group, names }: CrdSpec): readonly FieldError[] {
  const errors: FieldError[] = [];
  const invalid = (field: string, value: string, problems: readonly string[]) =>
    errors.push(...problems.map((problem) => fieldErrors.invalid(field, value, problem)));
  invalid("spec.group", group, nameProblems("subdomain", group));
  if (!group.includes(".")) invalid("spec.group", group, ["should be a domain with at least one dot"]);
  invalid("spec.names.plural", names.plural, nameProblems("dns1035", names.plural));
  invalid("spec.names.kind", names.kind, nameProblems("dns1035", names.kind.toLowerCase()));
  for (const [index, short] of (names.shortNames ?? []).entries()) {
    invalid(`spec.names.shortNames[${index}]`, short, nameProblems("dns1035", short));
  }
  return errors;
}

function versionsErrors(versions: readonly CrdVersion[]): readonly FieldError[] {
  const errors: FieldError[] = [];
  const stored = versions.filter((version) => version.storage).length;
  if (stored !== 1) {
    errors.push(
      fieldErrors.invalid(
        "spec.versions",
        versions,
        "must have exactly one version marked as storage version",
      ),
    );
  }
  const names = versions.map((version) => version.name);
  for (const [index, name] of names.entries()) {
    const field = `spec.versions[${index}].name`;
    errors.push(...labelProblems(name).map((problem) => fieldErrors.invalid(field, name, problem)));
    if (names.indexOf(name) < index) errors.push(fieldErrors.duplicate(field, name));
  }
  return errors;
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];

function versionErrors(version: CrdVersion, path: string): readonly FieldError[] {
  const schema = version.schema?.openAPIV3Schema as SchemaNode | undefined;
  const place = `${path}.schema.openAPIV3Schema`;
  const errors: FieldError[] = [];
  if (schema === undefined) errors.push(fieldErrors.required(place, "schemas are required"));
  else {
    const misfits = misfitsOf(schema, place);
    errors.push(...misfits);
    if (misfits.length === 0) structureErrors(schema, place, "at the root", errors);
  }
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const field = `${path}.additionalPrinterColumns[${index}]`;
    if (!columnTypes.includes(column.type)) {
      errors.push(
        fieldErrors.invalid(`${field}.type`, column.type, `must be one of ${columnTypes.join(",")}`),
      );
    }
    if (!column.jsonPath.startsWith(".")) {
      errors.push(
        fieldErrors.invalid(
          `${field}.jsonPath`,
          column.jsonPath,
          "must be a simple json path starting with .",
        ),
      );
    }
  }
  return errors;
}

/** Every node says what it is: only then can values be pruned and defaulted. */
function structureErrors(node: SchemaNode, path: string, where: string, errors: FieldError[]): void {
  const open =
    node["x-kubernetes-int-or-string"] === true || node["x-kubernetes-preserve-unknown-fields"] === true;
  if ((node.type ?? "") === "" && !open) {
    errors.push(fieldErrors.required(`${path}.type`, `must not be empty ${where}`));
  }
  if (where === "at the root" && node.type !== undefined && node.type !== "object") {
    errors.push(fieldErrors.invalid(`${path}.type`, node.type, "must be object at the root"));
  }
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    structureErrors(property, `${path}.properties[${name}]`, "for specified object fields", errors);
  }
  if (typeof node.additionalProperties === "object") {
    structureErrors(
      node.additionalProperties,
      `${path}.additionalProperties`,
      "for specified object fields",
      errors,
    );
  }
  if (node.type === "array" && node.items === undefined) {
    errors.push(fieldErrors.required(`${path}.items`, "must be specified"));
  }
  if (node.items !== undefined)
    structureErrors(node.items, `${path}.items`, "for specified array items", errors);
  const keys = node["x-kubernetes-list-map-keys"] ?? [];
  if (node["x-kubernetes-list-type"] === "map" && keys.length === 0) {
    errors.push(
      fieldErrors.required(
        `${path}.x-kubernetes-list-map-keys`,
        "must not be empty if x-kubernetes-list-type is map",
      ),
    );
  }
}

function changeErrors(crd: CustomResourceDefinition, old: CustomResourceDefinition): readonly FieldError[] {
  const fixed: readonly (readonly [string, string, string])[] = [
    ["spec.group", crd.spec.group, old.spec.group],
    ["spec.scope", crd.spec.scope, old.spec.scope],
    ["spec.names.plural", crd.spec.names.plural, old.spec.names.plural],
    ["spec.names.kind", crd.spec.names.kind, old.spec.names.kind],
  ];
  const errors = fixed.flatMap(([field, now, before]) =>
    now === before ? [] : [fieldErrors.invalid(field, now, "field is immutable")],
  );
  const names = crd.spec.versions.map((version) => version.name);
  for (const [index, stored] of (old.status?.storedVersions ?? []).entries()) {
    if (!names.includes(stored)) {
      errors.push(
        fieldErrors.invalid(`status.storedVersions[${index}]`, stored, "must appear in spec.versions"),
      );
    }
  }
  return errors;
}
