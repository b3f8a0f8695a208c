import type { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { lastApplied, serving } from "../../../domain/apis/serving/keys.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import type { KnativeService } from "../../../domain/apis/serving/service.types.js";
import type { Unsaved } from "../../../ports/index.js";
import { without } from "../names.js";

const notForConfiguration = new Set<string>([
  lastApplied,
  serving.rolloutDuration,
  "serving.knative.dev/rolloutDuration",
]);

/** Routes that are listed on the live Configuration already stay listed. */
export function makeConfiguration(
  service: KnativeService,
  live: Configuration | undefined,
): Unsaved<Configuration> {
  const { name, namespace, uid, labels, annotations } = service.metadata;
  const routes = (live?.metadata.annotations?.[serving.routes] ?? "").split(",").filter((one) => one !== "");
  return {
    metadata: {
      name,
      namespace,
      labels: { ...labels, [serving.service]: name, [serving.serviceUid]: uid ?? "" },
      annotations: {
        ...without(annotations, (key) => notForConfiguration.has(key)),
        [serving.routes]: [...new Set([...routes, name])].sort().join(","),
      },
    },
    spec: {
      template: service.spec.template,
      ...(service.spec.build === undefined ? {} : { build: service.spec.build }),
    },
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
