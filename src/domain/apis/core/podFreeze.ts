// What of a running pod may still be changed: nearly nothing.
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { equalJson } from "../schema/index.js";
import type { PodSpec } from "./pod.types.js";

const rule =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

export function podFreezeErrors(spec: PodSpec, old: PodSpec): readonly FieldError[] {
  for (const field of ["containers", "initContainers"] as const) {
    if ((spec[field] ?? []).length !== (old[field] ?? []).length) {
      return [fieldErrors.forbidden(`spec.${field}`, "pod updates may not add or remove containers")];
    }
  }
  const errors = deadlineErrors(spec.activeDeadlineSeconds, old.activeDeadlineSeconds);
  return equalJson(frozen(spec, old), frozen(old, old))
    ? errors
    : [...errors, fieldErrors.forbidden("spec", rule)];
}

function deadlineErrors(now: number | undefined, before: number | undefined): readonly FieldError[] {
  if (before === undefined || now === before) return [];
  const field = "spec.activeDeadlineSeconds";
  if (now === undefined) {
    return [fieldErrors.invalid(field, now, "must not update from a positive integer to nil value")];
  }
  return now < before
    ? []
    : [fieldErrors.invalid(field, now, "must be less than or equal to previous value")];
}

/** The spec with what may change made equal; what is left must not differ. */
function frozen(spec: PodSpec, old: PodSpec): object {
  const imageless = (containers: PodSpec["containers"] | undefined) =>
    containers?.map(({ image: _image, ...rest }) => rest);
  const { activeDeadlineSeconds: _deadline, terminationGracePeriodSeconds: grace, ...rest } = spec;
  const kept = (old.tolerations ?? []).every((one) =>
    spec.tolerations?.some((other) => equalJson(one, other)),
  );
  return {
    ...rest,
    containers: imageless(spec.containers),
    initContainers: imageless(spec.initContainers),
    tolerations: kept ? old.tolerations : spec.tolerations,
    grace:
      (old.terminationGracePeriodSeconds ?? 0) < 0 && grace === 1 ? old.terminationGracePeriodSeconds : grace,
    // Debug containers come through their own door, and a pod gets its node once.
    ephemeralContainers: undefined,
    nodeName: (old.nodeName ?? "") === "" ? undefined : spec.nodeName,
  };
}
