import { isObject, setMember } from "../schema/value.js";
import type { CrdSpec, CustomResourceDefinition } from "./crd.types.js";

export function defaultCrd(crd: CustomResourceDefinition): CustomResourceDefinition {
  const versions = crd.spec.versions.map((version) =>
    version.schema === undefined ? version : { ...version, schema: withoutNulls(version.schema) },
  );
  return { ...crd, spec: { ...crd.spec, names: defaultNames(crd.spec.names), versions } };
}

/** In a schema null says what absence says, except where it is a value. */
function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T;
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === null && !valued.has(name)) continue;
    setMember(kept, name, valued.has(name) ? member : withoutNulls(member));
  }
  return kept as T;
}

const valued: ReadonlySet<string> = new Set(["default", "enum", "example"]);

function defaultNames(names: CrdSpec["names"]): CrdSpec["names"] {
  return {
    ...names,
    singular: names.singular || names.kind.toLowerCase(),
    listKind: names.listKind || `${names.kind}List`,
  };
}
