import type { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { lastApplied, serving } from "../../../domain/apis/serving/keys.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import type { KnativeService } from "../../../domain/apis/serving/service.types.js";
import type { Unsaved } from "../../../ports/index.js";
import { without } from "../names.js";

export function makeConfiguration(service: KnativeService): Unsaved<Configuration> {
  const { name, namespace, uid, labels, annotations } = service.metadata;
  return {
    metadata: {
      name,
      namespace,
      labels: { ...labels, [serving.service]: name, [serving.serviceUid]: uid ?? "" },
      annotations: {
        ...without(annotations, (key) => key === lastApplied || key === serving.rolloutDuration),
        [serving.routes]: name,
      },
    },
    spec: { template: service.spec.template },
  };
}

export function makeRoute(service: KnativeService): Unsaved<Route> {
  const { name, namespace, labels, annotations } = service.metadata;
  return {
    metadata: {
      name,
      namespace,
      labels: { ...labels, [serving.service]: name },
      annotations: without(annotations, (key) => key === lastApplied),
    },
    spec: {
      traffic: (service.spec.traffic ?? []).map((target) =>
        target.revisionName ? target : { ...target, configurationName: name },
      ),
    },
  };
}
