// What must hold of v1alpha1's own ways to write a template; the rest is asked of the v1 object it becomes.
import { buildSpecErrors } from "../../build/build.validation.js";
import { type FieldError, fieldErrors } from "../../meta/fieldError.js";
import { concurrencyOf } from "./template.conversion.js";
import type { ConfigurationSpec, RevisionSpec } from "./template.types.js";

export function configurationErrors(spec: ConfigurationSpec, path: string): readonly FieldError[] {
  const { build, revisionTemplate, template } = spec;
  return [
    ...exactlyOne({ revisionTemplate, template }, path),
    ...(build === undefined ? [] : buildSpecErrors(build, `${path}.build`)),
    ...Object.entries({ revisionTemplate, template }).flatMap(([name, one]) =>
      one === undefined ? [] : revisionErrors(one.spec ?? {}, `${path}.${name}.spec`),
    ),
  ];
}

export function revisionErrors(spec: RevisionSpec, path: string): readonly FieldError[] {
  const { container, containers, concurrencyModel, containerConcurrency } = spec;
  return [
    ...exactlyOne({ container, containers }, path),
    ...(container !== undefined && !container.image ? [fieldErrors.required(`${path}.container.image`)] : []),
    // Beside a model, 0 is what the server filled in before there was one.
    ...(concurrencyModel === undefined ||
    !containerConcurrency ||
    containerConcurrency === concurrencyOf[concurrencyModel]
      ? []
      : [
          fieldErrors.invalid(
            `${path}.containerConcurrency`,
            containerConcurrency,
            `must be ${concurrencyOf[concurrencyModel]} where concurrencyModel is ${concurrencyModel}`,
          ),
        ]),
  ];
}

/** An error unless one of the members is there, and only one. */
export function exactlyOne(
  members: { readonly [name: string]: unknown },
  path: string,
): readonly FieldError[] {
  const given = Object.keys(members).filter((name) => members[name] !== undefined);
  if (given.length === 1) return [];
  if (given.length === 0) {
    const names = Object.keys(members).join(", ");
    return [fieldErrors.required(path, `expected exactly one, got neither: ${names}`)];
  }
  return [fieldErrors.invalid(path, {}, `expected exactly one, got both: ${given.join(", ")}`)];
}
