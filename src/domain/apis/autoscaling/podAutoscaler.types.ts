// PodAutoscaler: how many pods one Revision wants (autoscaling.internal.knative.dev/v1alpha1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, int32, int64, obj, str } from "../schema/index.js";
import { requiredByWebhook, wordForWebhook } from "../serving/askedByWebhook.js";
import { duckStatusFields, readyColumns } from "../serving/status.types.js";
import { defaultPodAutoscaler, judgePodAutoscaler } from "./podAutoscaler.admission.js";

const PodAutoscalerSchema = resource(
  {
    spec: requiredByWebhook(
      obj(
        {
          containerConcurrency: int64(),
          scaleTargetRef: requiredByWebhook(
            obj(
              { apiVersion: str(), kind: str(), name: str() },
              { required: ["apiVersion", "kind", "name"] },
            ),
          ),
          reachability: wordForWebhook(["", "Reachable", "Unreachable"]),
          protocolType: wordForWebhook(["http1", "h2c"]),
        },
        { required: ["scaleTargetRef"] },
      ),
    ),
    status: obj({
      ...duckStatusFields(),
      serviceName: str(),
      metricsServiceName: str(),
      desiredScale: int32(),
      actualScale: int32(),
    }),
  },
  { required: ["spec"], description: "How many pods one Revision wants." },
);
export interface PodAutoscaler extends Infer<typeof PodAutoscalerSchema> {}

export const PodAutoscaler: Kind<PodAutoscaler> = defineKind<PodAutoscaler>({
  group: "autoscaling.internal.knative.dev",
  version: "v1alpha1",
  kind: "PodAutoscaler",
  plural: "podautoscalers",
  shortNames: ["kpa", "pa"],
  categories: ["knative-internal", "autoscaling"],
  description: "How many pods one Revision wants.",
  schema: PodAutoscalerSchema,
  defaults: defaultPodAutoscaler,
  webhook: judgePodAutoscaler,
  columns: [
    { name: "DesiredScale", type: "integer", jsonPath: ".status.desiredScale" },
    { name: "ActualScale", type: "integer", jsonPath: ".status.actualScale" },
    ...readyColumns,
  ],
});
