import type { PodAutoscaler } from "../../../domain/apis/autoscaling/podAutoscaler.types.js";
import type { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { autoscaling } from "../../../domain/apis/serving/keys.js";
import type { Unsaved } from "../../../ports/index.js";
import { without } from "../names.js";

export function makeServerlessService({ metadata, spec }: PodAutoscaler): Unsaved<ServerlessService> {
  return {
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: metadata.labels,
      annotations: without(metadata.annotations, (key) => key === autoscaling.metric),
    },
    spec: {
      mode: "Serve",
      objectRef: spec.scaleTargetRef,
      protocolType: spec.protocolType ?? "http1",
      numActivators: 0,
    },
  };
}
