// What this version may say, and what today's storage cannot hold (kserve.md, section 1.5).
import type { AdmissionContext } from "../../kind.js";
import { type FieldError, fieldErrors } from "../../meta/fieldError.js";
import { equalJson } from "../../schema/index.js";
import type { InferenceServiceV1alpha2, Predictor } from "./inferenceService.types.js";

const implementations = ["custom", "onnx", "tensorflow", "triton", "sklearn", "xgboost", "pytorch"] as const;

export function validateInferenceServiceV1alpha2(
  service: InferenceServiceV1alpha2,
  { old, subresource }: AdmissionContext<InferenceServiceV1alpha2>,
): readonly FieldError[] {
  if (subresource !== "") return [];
  // Today's version can say more than this one shows: whoever changes nothing here is not asked about it.
  if (old !== undefined && equalJson(old.spec, service.spec)) return [];
  const { default: usual, canary, canaryTrafficPercent = 0 } = service.spec;
  const errors = [
    ...(usual === undefined ? [] : validatePredictor(usual.predictor, "spec.default.predictor")),
    ...(canary === undefined ? [] : validatePredictor(canary.predictor, "spec.canary.predictor")),
  ];
  for (const [name, endpoint] of [["default", usual] as const, ["canary", canary] as const]) {
    for (const part of ["transformer", "explainer"] as const) {
      if (endpoint?.[part] === undefined) continue;
      errors.push(fieldErrors.forbidden(`spec.${name}.${part}`, "this release serves predictors only"));
    }
  }
  if (canary === undefined && canaryTrafficPercent > 0)
    errors.push(
      fieldErrors.invalid(
        "spec.canaryTrafficPercent",
        canaryTrafficPercent,
        "Canary must be specified when CanaryTrafficPercent > 0.",
      ),
    );
  if (canary !== undefined) errors.push(...validateCanary(service, old));
  return errors;
}

/** The default is the Revision that rolled out before the canary: it must exist first, and stay what it is. */
function validateCanary(
  service: InferenceServiceV1alpha2,
  old: InferenceServiceV1alpha2 | undefined,
): readonly FieldError[] {
  if (old === undefined)
    return [
      fieldErrors.forbidden("spec.canary", "apply the default alone first; add the canary once it is ready"),
    ];
  if (JSON.stringify(old.spec.default) === JSON.stringify(service.spec.default)) return [];
  return [
    fieldErrors.forbidden(
      "spec.default",
      "may not change while there is a canary: promote or remove the canary first",
    ),
  ];
}

function validatePredictor(predictor: Predictor, field: string): readonly FieldError[] {
  const { minReplicas = 1, maxReplicas = 0, parallelism = 0 } = predictor;
  const errors: FieldError[] = [];
  if (implementations.filter((name) => predictor[name] !== undefined).length !== 1)
    errors.push(
      fieldErrors.invalid(
        field,
        predictor,
        "Exactly one of [Custom, ONNX, Tensorflow, Triton, SKLearn, XGBoost, PyTorch] must be specified in PredictorSpec",
      ),
    );
  const refuse = (name: string, value: number, because: string) =>
    errors.push(fieldErrors.invalid(`${field}.${name}`, value, because));
  if (minReplicas < 0) refuse("minReplicas", minReplicas, "MinReplicas cannot be less than 0.");
  if (maxReplicas < 0) refuse("maxReplicas", maxReplicas, "MaxReplicas cannot be less than 0.");
  if (maxReplicas !== 0 && minReplicas > maxReplicas)
    refuse("minReplicas", minReplicas, "MinReplicas cannot be greater than MaxReplicas.");
  if (parallelism < 0) refuse("parallelism", parallelism, "Parallelism cannot be less than 0.");
  return errors;
}
