// Metric: which Service to ask for counts, and over what windows (autoscaling.internal.knative.dev/v1alpha1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, int64, obj, str } from "../schema/index.js";
import { duckStatusFields, readyColumns } from "../serving/status.types.js";
import { judgeMetric } from "./podAutoscaler.admission.js";

const MetricSchema = resource(
  {
    spec: obj(
      {
        stableWindow: int64({ description: "The long window, in nanoseconds." }),
        panicWindow: int64({ description: "The short window, in nanoseconds." }),
        scrapeTarget: str({ description: "The Service that is asked; empty means that nobody is." }),
      },
      { required: ["stableWindow", "panicWindow", "scrapeTarget"] },
    ),
    status: obj({ ...duckStatusFields() }),
  },
  { required: ["spec"], description: "Which counts an autoscaler looks at." },
);
export interface Metric extends Infer<typeof MetricSchema> {}

export const Metric: Kind<Metric> = defineKind<Metric>({
  group: "autoscaling.internal.knative.dev",
  version: "v1alpha1",
  kind: "Metric",
  plural: "metrics",
  categories: ["knative-internal", "autoscaling"],
  description: "Which counts an autoscaler looks at.",
  schema: MetricSchema,
  webhook: judgeMetric,
  columns: readyColumns,
});
