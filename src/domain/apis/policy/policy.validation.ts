import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { PodDisruptionBudget } from "./policy.types.js";

export function validateDisruptionBudget(
  { spec }: PodDisruptionBudget,
  context: AdmissionContext<PodDisruptionBudget>,
): readonly FieldError[] {
  if (context.subresource === "status" || spec === undefined) return [];
  const errors: FieldError[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    errors.push(fieldErrors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
  }
  for (const name of ["minAvailable", "maxUnavailable"] as const) {
    const amount = spec[name];
    if (typeof amount === "number" && amount < 0) {
      errors.push(fieldErrors.invalid(`spec.${name}`, amount, "must be greater than or equal to 0"));
    }
    if (typeof amount === "string" && !/^(?:100|[0-9]{1,2})%$/.test(amount)) {
      errors.push(fieldErrors.invalid(`spec.${name}`, amount, "must be a valid percentage, such as 50%"));
    }
  }
  return errors;
}
