// Admission of an InferenceService: old framework blocks become `model`, then the checks of kserve.md, section 1.4.
import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { ComponentSpec, FrameworkSpec, ModelSpec } from "./component.types.js";
import type { InferenceService, PredictorSpec } from "./inferenceService.types.js";

/** The blocks of old, in the order upstream looks at them, and the protocol each one means when none is said. */
const frameworks = [
  ["sklearn", "v1"],
  ["xgboost", "v1"],
  ["tensorflow", "v1"],
  ["pytorch", "v1"],
  ["triton", "v2"],
  ["onnx", "v2"],
  ["huggingface", "v2"],
  ["pmml", "v1"],
  ["lightgbm", "v1"],
  ["paddle", "v1"],
] as const;

type Framework = (typeof frameworks)[number][0];

const implementationNames: { readonly [name: string]: string } = {
  sklearn: "SKLearn",
  xgboost: "XGBoost",
  tensorflow: "Tensorflow",
  pytorch: "PyTorch",
  triton: "Triton",
  onnx: "ONNX",
  huggingface: "HuggingFace",
  pmml: "PMML",
  lightgbm: "LightGBM",
  paddle: "Paddle",
  model: "Model",
};

export const uriSchemes = [
  "gs://",
  "s3://",
  "pvc://",
  "file://",
  "https://",
  "http://",
  "hdfs://",
  "webhdfs://",
  "oci://",
  "oci+native://",
  "oci+fetch://",
  "hf://",
] as const;

export function defaultInferenceService(service: InferenceService): InferenceService {
  const predictor = withModel(service.spec.predictor);
  const containers = predictor.containers?.map((container, index) =>
    index === 0 && !container.name ? { ...container, name: "kserve-container" } : container,
  );
  return {
    ...service,
    spec: {
      ...service.spec,
      predictor: { ...predictor, ...(containers === undefined ? {} : { containers }) },
    },
  };
}

function withModel(predictor: PredictorSpec): PredictorSpec {
  if (predictor.model !== undefined || implementations(predictor).length !== 1) return predictor;
  const found = frameworks.find(([name]) => predictor[name] !== undefined);
  if (found === undefined) return predictor;
  const [name, protocolVersion] = found;
  const { [name]: block, ...rest } = predictor;
  const model: ModelSpec = { protocolVersion, ...(block as FrameworkSpec), modelFormat: { name } };
  return { ...rest, model };
}

function implementations(predictor: PredictorSpec): readonly string[] {
  const blocks = frameworks.map(([name]) => name).filter((name: Framework) => predictor[name] !== undefined);
  return predictor.model === undefined ? blocks : [...blocks, "model"];
}

export function validateInferenceService(
  service: InferenceService,
  context: AdmissionContext<InferenceService>,
): readonly FieldError[] {
  if (context.subresource !== "") return [];
  const { predictor, transformer, explainer } = service.spec;
  const name = service.metadata.name;
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    return [
      fieldErrors.invalid(
        "metadata.name",
        name,
        `the InferenceService "${name}" is invalid: a InferenceService name must consist of lower case alphanumeric characters or '-', and must start with alphabetical character. (e.g. "my-name" or "abc-123", regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
      ),
    ];
  }
  return [
    ...(transformer === undefined ? [] : [notYet("spec.transformer")]),
    ...(explainer === undefined ? [] : [notYet("spec.explainer")]),
    ...validatePredictor(predictor),
    ...validateComponent(predictor, "spec.predictor"),
    ...(transformer === undefined ? [] : validateComponent(transformer, "spec.transformer")),
    ...(explainer === undefined ? [] : validateComponent(explainer, "spec.explainer")),
  ];
}

function validatePredictor(predictor: PredictorSpec): readonly FieldError[] {
  const found = implementations(predictor);
  const custom = predictor.containers?.length ?? 0;
  if (found.length + (found.length === 0 && custom > 0 ? 1 : 0) !== 1) {
    const all = Object.values(implementationNames).join(", ");
    return [
      fieldErrors.invalid(
        "spec.predictor",
        predictor,
        `exactly one of [${all}] must be specified in PredictorSpec`,
      ),
    ];
  }
  const errors: FieldError[] = [];
  const { model } = predictor;
  if (model?.name)
    errors.push(
      fieldErrors.forbidden(
        "spec.predictor.model.name",
        "the 'name' field is not allowed in standard predictor",
      ),
    );
  if (model?.storageUri) errors.push(...validateUri(model.storageUri, "spec.predictor.model.storageUri"));
  if (model?.storageUri && predictor.storageUris?.length) {
    errors.push(
      fieldErrors.invalid(
        "spec.predictor.storageUris",
        predictor.storageUris,
        "Setting both StorageURI and StorageURIs is not supported.",
      ),
    );
  }
  return errors;
}

function validateUri(uri: string, field: string): readonly FieldError[] {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(uri)?.[0];
  if (scheme === undefined || uriSchemes.some((known) => uri.startsWith(known))) return [];
  return [
    fieldErrors.invalid(
      field,
      uri,
      `storageUri, must be one of: [${uriSchemes.join(", ")}] or match https://{}.blob.core.windows.net/{}/{} or be an absolute or relative local path. StorageUri [${uri}] is not supported`,
    ),
  ];
}

function validateComponent(component: ComponentSpec, field: string): readonly FieldError[] {
  const { minReplicas = 1, maxReplicas = 0, containerConcurrency = 0, canaryTrafficPercent = 0 } = component;
  const errors: FieldError[] = [];
  if (minReplicas < 0)
    errors.push(
      fieldErrors.invalid(`${field}.minReplicas`, minReplicas, "'MinReplicas' cannot be less than 0"),
    );
  if (maxReplicas < 0)
    errors.push(
      fieldErrors.invalid(`${field}.maxReplicas`, maxReplicas, "'MaxReplicas' cannot be less than 0"),
    );
  if (maxReplicas !== 0 && minReplicas > maxReplicas) {
    errors.push(
      fieldErrors.invalid(
        `${field}.minReplicas`,
        minReplicas,
        "'MinReplicas' cannot be greater than MaxReplicas",
      ),
    );
  }
  if (containerConcurrency < 0) {
    errors.push(
      fieldErrors.invalid(
        `${field}.containerConcurrency`,
        containerConcurrency,
        "parallelism cannot be less than 0",
      ),
    );
  }
  if (canaryTrafficPercent < 0 || canaryTrafficPercent > 100) {
    errors.push(
      fieldErrors.invalid(`${field}.canaryTrafficPercent`, canaryTrafficPercent, "must be between 0 and 100"),
    );
  }
  return errors;
}

// Better refused in words than accepted and not served.
function notYet(field: string): FieldError {
  return fieldErrors.forbidden(
    field,
    "this release serves predictors only; put the step into the model, or call it from the client",
  );
}
