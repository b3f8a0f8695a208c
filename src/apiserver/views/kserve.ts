// serving.kubeflow.org/v1alpha2: the debug guide's InferenceService, shown from today's objects.
import type { Kind, Resource } from "../../domain/apis/kind.js";
import { InferenceService } from "../../domain/apis/kserve/inferenceService.types.js";
import { fromV1alpha2, toV1alpha2 } from "../../domain/apis/kserve/v1alpha2/convert.js";
import {
  InferenceServiceSchema,
  type InferenceServiceV1alpha2,
} from "../../domain/apis/kserve/v1alpha2/inferenceService.types.js";
import { validateInferenceServiceV1alpha2 } from "../../domain/apis/kserve/v1alpha2/inferenceService.validation.js";
import type { View } from "../registry/index.js";

const today = InferenceService as unknown as Kind;
// The hooks know today's shape only; they run on the way to storage.
const { defaults: _defaults, validate: _validate, ...named } = today;

export const inferenceServiceView: View = {
  kind: {
    ...named,
    group: "serving.kubeflow.org",
    version: "v1alpha2",
    // Short names stay with today's group, or kubectl warns of two owners.
    shortNames: [],
    description: "A model, served, with a canary beside it (KFServing).",
    schema: InferenceServiceSchema as unknown as Kind["schema"],
    validate: validateInferenceServiceV1alpha2 as unknown as NonNullable<Kind["validate"]>,
    columns: [
      { name: "URL", type: "string", jsonPath: ".status.url" },
      { name: "Ready", type: "string", jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
      { name: "Default Traffic", type: "integer", jsonPath: ".status.traffic" },
      { name: "Canary Traffic", type: "integer", jsonPath: ".status.canaryTraffic" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  of: today,
  toView: (stored) => toV1alpha2(stored as unknown as InferenceService) as unknown as Resource,
  fromView: (seen, old) =>
    fromV1alpha2(
      seen as unknown as InferenceServiceV1alpha2,
      old as unknown as InferenceService | undefined,
    ) as unknown as Resource,
};
