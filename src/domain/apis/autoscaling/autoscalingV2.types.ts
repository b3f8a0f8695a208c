// HorizontalPodAutoscaler (autoscaling/v2).

import { defineKind, type Kind } from "../kind.js";
import { LabelSelectorSchema, resource } from "../meta/meta.types.js";
import { at, type Infer, int32, int64, keyed, list, obj, ptr, quantity, str, time } from "../schema/index.js";
import { hpaColumns } from "./autoscaling.columns.js";
import { defaultAutoscaler } from "./autoscaling.defaults.js";
import { validateAutoscaler } from "./autoscaling.validation.js";

export const MetricTargetSchema = obj({
  type: at(1, str()),
  value: at(2, quantity()),
  averageValue: at(3, quantity()),
  averageUtilization: ptr(4, int32()),
});

export const ContainerResourceMetricSourceSchema = obj({
  name: at(1, str()),
  target: at(2, MetricTargetSchema),
  container: at(3, str()),
});

export const MetricValueStatusSchema = obj({
  value: at(1, quantity()),
  averageValue: at(2, quantity()),
  averageUtilization: ptr(3, int32()),
});

export const ContainerResourceMetricStatusSchema = obj({
  name: at(1, str()),
  current: at(2, MetricValueStatusSchema),
  container: at(3, str()),
});

export const CrossVersionObjectReferenceSchema = obj(
  {
    kind: at(1, str()),
    name: at(2, str()),
    apiVersion: at(3, str()),
  },
  { required: ["kind", "name"] },
);

export const MetricIdentifierSchema = obj({
  name: at(1, str()),
  selector: at(2, LabelSelectorSchema),
});

export const ExternalMetricSourceSchema = obj({
  metric: at(1, MetricIdentifierSchema),
  target: at(2, MetricTargetSchema),
});

export const ExternalMetricStatusSchema = obj({
  metric: at(1, MetricIdentifierSchema),
  current: at(2, MetricValueStatusSchema),
});

export const HPAScalingPolicySchema = obj({
  type: at(1, str()),
  value: at(2, int32()),
  periodSeconds: at(3, int32()),
});

export const HPAScalingRulesSchema = obj({
  selectPolicy: at(1, str()),
  policies: at(2, list(HPAScalingPolicySchema, { "x-kubernetes-list-type": "atomic" })),
  stabilizationWindowSeconds: ptr(3, int32()),
});

export const ObjectMetricSourceSchema = obj({
  describedObject: at(1, CrossVersionObjectReferenceSchema),
  target: at(2, MetricTargetSchema),
  metric: at(3, MetricIdentifierSchema),
});

export const PodsMetricSourceSchema = obj({
  metric: at(1, MetricIdentifierSchema),
  target: at(2, MetricTargetSchema),
});

export const ResourceMetricSourceSchema = obj({
  name: at(1, str()),
  target: at(2, MetricTargetSchema),
});

export const MetricSpecSchema = obj({
  type: at(1, str()),
  object: at(2, ObjectMetricSourceSchema),
  pods: at(3, PodsMetricSourceSchema),
  resource: at(4, ResourceMetricSourceSchema),
  external: at(5, ExternalMetricSourceSchema),
  containerResource: at(7, ContainerResourceMetricSourceSchema),
});

export const HorizontalPodAutoscalerBehaviorSchema = obj({
  scaleUp: at(1, HPAScalingRulesSchema),
  scaleDown: at(2, HPAScalingRulesSchema),
});

export const HorizontalPodAutoscalerSpecSchema = obj(
  {
    scaleTargetRef: at(1, CrossVersionObjectReferenceSchema),
    minReplicas: ptr(2, int32({ default: 1 })),
    maxReplicas: at(3, int32()),
    metrics: at(4, list(MetricSpecSchema, { "x-kubernetes-list-type": "atomic" })),
    behavior: at(5, HorizontalPodAutoscalerBehaviorSchema),
  },
  { required: ["scaleTargetRef", "maxReplicas"] },
);

export const ObjectMetricStatusSchema = obj({
  metric: at(1, MetricIdentifierSchema),
  current: at(2, MetricValueStatusSchema),
  describedObject: at(3, CrossVersionObjectReferenceSchema),
});

export const PodsMetricStatusSchema = obj({
  metric: at(1, MetricIdentifierSchema),
  current: at(2, MetricValueStatusSchema),
});

export const ResourceMetricStatusSchema = obj({
  name: at(1, str()),
  current: at(2, MetricValueStatusSchema),
});

export const MetricStatusSchema = obj({
  type: at(1, str()),
  object: at(2, ObjectMetricStatusSchema),
  pods: at(3, PodsMetricStatusSchema),
  resource: at(4, ResourceMetricStatusSchema),
  external: at(5, ExternalMetricStatusSchema),
  containerResource: at(7, ContainerResourceMetricStatusSchema),
});

export const HorizontalPodAutoscalerConditionSchema = obj({
  type: at(1, str()),
  status: at(2, str()),
  lastTransitionTime: at(3, time()),
  reason: at(4, str()),
  message: at(5, str()),
});

export const HorizontalPodAutoscalerStatusSchema = obj({
  observedGeneration: ptr(1, int64()),
  lastScaleTime: at(2, time()),
  currentReplicas: at(3, int32()),
  desiredReplicas: at(4, int32()),
  currentMetrics: at(5, list(MetricStatusSchema, { "x-kubernetes-list-type": "atomic" })),
  conditions: at(6, keyed(HorizontalPodAutoscalerConditionSchema, ["type"])),
});

export const HorizontalPodAutoscalerSchema = resource({
  spec: at(2, HorizontalPodAutoscalerSpecSchema),
  status: at(3, HorizontalPodAutoscalerStatusSchema),
});

export interface HorizontalPodAutoscaler extends Infer<typeof HorizontalPodAutoscalerSchema> {}

export const HorizontalPodAutoscaler: Kind<HorizontalPodAutoscaler> = defineKind<HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  namespaced: true,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "Scales a workload by its metrics.",
  schema: HorizontalPodAutoscalerSchema,
  columns: hpaColumns,
  defaults: defaultAutoscaler,
  validate: validateAutoscaler,
});
