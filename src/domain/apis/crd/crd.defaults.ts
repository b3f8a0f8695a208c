import type { CrdSpec, CustomResourceDefinition } from "./crd.types.js";

export function defaultCrd(crd: CustomResourceDefinition): CustomResourceDefinition {
  return { ...crd, spec: { ...crd.spec, names: defaultNames(crd.spec.names) } };
}

function defaultNames(names: CrdSpec["names"]): CrdSpec["names"] {
  return {
    ...names,
    singular: names.singular || names.kind.toLowerCase(),
    listKind: names.listKind || `${names.kind}List`,
  };
}
