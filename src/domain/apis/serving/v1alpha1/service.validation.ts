import type { AdmissionContext } from "../../kind.js";
import { type FieldError, fieldErrors } from "../../meta/fieldError.js";
import type { Service, ServiceSpec } from "./service.types.js";
import { configurationErrors, exactlyOne } from "./template.validation.js";
import { targetErrors } from "./traffic.js";

export function validateService(
  { spec }: Service,
  { subresource }: AdmissionContext<Service>,
): readonly FieldError[] {
  if (subresource === "status") return [];
  const { runLatest, pinned, release, manual, revisionTemplate, template, traffic, build } = spec;
  const inline = revisionTemplate ?? template ?? traffic ?? build;
  const mode = exactlyOne({ runLatest, pinned, release, manual, template: inline }, "spec");
  if (mode.length > 0) return mode;
  return [
    ...Object.entries({ runLatest, pinned, release }).flatMap(([name, one]) =>
      one === undefined ? [] : configurationErrors(one.configuration ?? {}, `spec.${name}.configuration`),
    ),
    ...(pinned === undefined || pinned.revisionName
      ? []
      : [fieldErrors.required("spec.pinned.revisionName")]),
    ...releaseErrors(release),
    ...(inline === undefined ? [] : configurationErrors({ revisionTemplate, template, build }, "spec")),
    ...targetErrors(traffic ?? [], "spec.traffic"),
  ];
}

function releaseErrors(release: ServiceSpec["release"]): readonly FieldError[] {
  if (release === undefined) return [];
  const { revisions = [], rolloutPercent: percent = 0 } = release;
  const path = "spec.release";
  return [
    ...(revisions.length === 0 ? [fieldErrors.required(`${path}.revisions`)] : []),
    ...(revisions.length > 2 ? [fieldErrors.tooMany(`${path}.revisions`, revisions.length, 2)] : []),
    ...revisions.flatMap((name, index) =>
      name === "" ? [fieldErrors.required(`${path}.revisions[${index}]`)] : [],
    ),
    ...(percent < 0 || percent > 99
      ? [fieldErrors.invalid(`${path}.rolloutPercent`, percent, "expected 0 <= value <= 99")]
      : []),
    ...(percent !== 0 && revisions.length < 2
      ? [fieldErrors.invalid(`${path}.rolloutPercent`, percent, "may only be set for two revisions")]
      : []),
  ];
}
