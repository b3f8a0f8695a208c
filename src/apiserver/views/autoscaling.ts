// autoscaling/v1: the autoscaler as it was when CPU was all there was.
import { autoscalerFromV1, autoscalerToV1 } from "../../domain/apis/autoscaling/autoscaling.conversion.js";
import {
  HorizontalPodAutoscalerSchema,
  type HorizontalPodAutoscaler as V1,
} from "../../domain/apis/autoscaling/autoscalingV1.types.js";
import { HorizontalPodAutoscaler as V2 } from "../../domain/apis/autoscaling/autoscalingV2.types.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import type { View } from "../registry/index.js";

const v2 = V2 as unknown as Kind;
// The hooks know the newer shape only; they run on the way to storage.
const { defaults: _defaults, validate: _validate, ...named } = v2;

export const autoscalerView: View = {
  kind: { ...named, version: "v1", schema: HorizontalPodAutoscalerSchema as Kind["schema"], columns: [] },
  of: v2,
  toView: (stored) => autoscalerToV1(stored as unknown as V2) as unknown as Resource,
  fromView: (seen, old) =>
    autoscalerFromV1(seen as unknown as V1, old as unknown as V2 | undefined) as unknown as Resource,
};
