// HorizontalPodAutoscaler and Scale (autoscaling/v1).

import { resource } from "../meta/meta.types.js";
import { at, type Infer, int32, int64, obj, ptr, str, time } from "../schema/index.js";

export const CrossVersionObjectReferenceSchema = obj(
  {
    kind: at(1, str()),
    name: at(2, str()),
    apiVersion: at(3, str()),
  },
  { required: ["kind", "name"] },
);

export const HorizontalPodAutoscalerSpecSchema = obj(
  {
    scaleTargetRef: at(1, CrossVersionObjectReferenceSchema),
    minReplicas: ptr(2, int32({ default: 1 })),
    maxReplicas: at(3, int32()),
    targetCPUUtilizationPercentage: ptr(4, int32()),
  },
  { required: ["scaleTargetRef", "maxReplicas"] },
);

export const HorizontalPodAutoscalerStatusSchema = obj({
  observedGeneration: ptr(1, int64()),
  lastScaleTime: at(2, time()),
  currentReplicas: at(3, int32()),
  desiredReplicas: at(4, int32()),
  currentCPUUtilizationPercentage: ptr(5, int32()),
});

export const HorizontalPodAutoscalerSchema = resource({
  spec: at(2, HorizontalPodAutoscalerSpecSchema),
  status: at(3, HorizontalPodAutoscalerStatusSchema),
});

export interface HorizontalPodAutoscaler extends Infer<typeof HorizontalPodAutoscalerSchema> {}

export const ScaleSpecSchema = obj({
  replicas: at(1, int32()),
});

export const ScaleStatusSchema = obj({
  replicas: at(1, int32()),
  selector: at(2, str()),
});

export const ScaleSchema = resource({
  spec: at(2, ScaleSpecSchema),
  status: at(3, ScaleStatusSchema),
});

export interface Scale extends Infer<typeof ScaleSchema> {}
