import type { AdmissionContext } from "../kind.js";
import { canonicalQuantities } from "../quantity/index.js";
import { type HorizontalPodAutoscaler, HorizontalPodAutoscalerSchema } from "./autoscalingV2.types.js";

type Spec = NonNullable<HorizontalPodAutoscaler["spec"]>;
type Behavior = NonNullable<Spec["behavior"]>;

export function defaultAutoscaler(
  given: HorizontalPodAutoscaler,
  context: AdmissionContext<HorizontalPodAutoscaler>,
): HorizontalPodAutoscaler {
  const { value: hpa } = canonicalQuantities(HorizontalPodAutoscalerSchema, given);
  if (hpa.spec === undefined || context.subresource === "status") return hpa;
  const { metrics, behavior } = hpa.spec;
  return {
    ...hpa,
    spec: {
      ...hpa.spec,
      metrics: metrics === undefined || metrics.length === 0 ? [fourFifths] : metrics,
      ...(behavior === undefined ? {} : { behavior: defaultBehavior(behavior) }),
    },
    status: { desiredReplicas: 0, ...hpa.status },
  };
}

const fourFifths = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
} as const;

function defaultBehavior({ scaleUp, scaleDown }: Behavior): Behavior {
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: "Max",
      policies: [
        { type: "Pods", value: 4, periodSeconds: 15 },
        { type: "Percent", value: 100, periodSeconds: 15 },
      ],
      ...scaleUp,
    },
    scaleDown: {
      selectPolicy: "Max",
      policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
      ...scaleDown,
    },
  };
}
