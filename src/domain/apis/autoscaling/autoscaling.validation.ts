import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { quantityErrors } from "../quantity/index.js";
import { type HorizontalPodAutoscaler, HorizontalPodAutoscalerSchema } from "./autoscalingV2.types.js";

export function validateAutoscaler(
  hpa: HorizontalPodAutoscaler,
  context: AdmissionContext<HorizontalPodAutoscaler>,
): readonly FieldError[] {
  if (context.subresource === "status") return [];
  const { spec } = hpa;
  if (spec === undefined) return [fieldErrors.required("spec.scaleTargetRef.kind")];
  const { minReplicas = 1, maxReplicas, scaleTargetRef } = spec;
  const errors: FieldError[] = [...quantityErrors(HorizontalPodAutoscalerSchema, hpa)];
  for (const name of ["kind", "name"] as const) {
    if (scaleTargetRef[name] === "") errors.push(fieldErrors.required(`spec.scaleTargetRef.${name}`));
  }
  if (minReplicas < 1) {
    errors.push(fieldErrors.invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  }
  if (maxReplicas < 1)
    errors.push(fieldErrors.invalid("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  else if (maxReplicas < minReplicas) {
    const detail = "must be greater than or equal to `minReplicas`";
    errors.push(fieldErrors.invalid("spec.maxReplicas", maxReplicas, detail));
  }
  return errors;
}
