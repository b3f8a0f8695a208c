import type { ServingConfig } from "../../../domain/apis/config/index.js";
import type { Container } from "../../../domain/apis/core/container.types.js";
import type { Service } from "../../../domain/apis/core/service.types.js";
import type { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import type { InferenceService } from "../../../domain/apis/kserve/inferenceService.types.js";
import {
  autoscaling,
  gateways,
  ingressProbe,
  kserve,
  lastApplied,
  networking,
} from "../../../domain/apis/serving/keys.js";
import type { KnativeService } from "../../../domain/apis/serving/service.types.js";
import { admittedTemplate } from "../../../domain/apis/serving/template.defaults.js";
import type { RevisionSpec, RevisionTemplate } from "../../../domain/apis/serving/template.types.js";
import type { TrafficTarget } from "../../../domain/apis/serving/traffic.types.js";
import { localDomain } from "../../../domain/traffic/index.js";
import type { Unsaved } from "../../../ports/index.js";
import { externalHost, localHost, without } from "../names.js";
import type { Chosen } from "./choose.js";
import { modelSource } from "./storage.js";

export function predictorName(name: string): string {
  return `${name}-predictor`;
}

export function makePredictorService(
  service: InferenceService,
  chosen: Extract<Chosen, { outcome: "chosen" }>,
  traffic: readonly TrafficTarget[],
  config: ServingConfig,
): Unsaved<KnativeService> {
  const { name, namespace, labels, annotations } = service.metadata;
  const { predictor } = service.spec;
  const uri = predictor.model?.storageUri ?? storageUriOf(chosen.containers[0]);
  const source = modelSource(uri, predictor.imagePullSecrets?.[0]?.name);
  const own = { [kserve.inferenceService]: name, [kserve.component]: "predictor", model: name };
  const inherited = without(
    annotations,
    (key) => key === lastApplied || key === ingressProbe || key.startsWith("autoscaling.knative.dev"),
  );
  const template: RevisionTemplate = {
    metadata: {
      labels: {
        ...chosen.runtime?.spec.labels,
        ...without(labels, (key) => key === networking.visibility),
        ...predictor.labels,
        ...own,
      },
      annotations: {
        ...chosen.runtime?.spec.annotations,
        ...inherited,
        ...scaling(service),
        ...predictor.annotations,
        ...(uri ? { [kserve.sourceUri]: uri } : {}),
      },
    },
    spec: {
      ...podFields(predictor),
      ...(source.initContainers.length === 0 ? {} : { initContainers: source.initContainers }),
      ...(source.volumes.length + (predictor.volumes?.length ?? 0) === 0
        ? {}
        : { volumes: [...(predictor.volumes ?? []), ...source.volumes] }),
      containers: chosen.containers.map((container, index) =>
        index === 0 ? mounted(container, source.mounts) : container,
      ),
      ...(predictor.containerConcurrency === undefined
        ? {}
        : { containerConcurrency: predictor.containerConcurrency }),
      ...(predictor.timeout === undefined ? {} : { timeoutSeconds: predictor.timeout }),
    } as RevisionSpec,
  };
  const metadata = {
    name: predictorName(name),
    namespace,
    labels: { ...labels, [kserve.inferenceService]: name, [kserve.component]: "predictor" },
    ...(annotations?.[ingressProbe] === undefined
      ? {}
      : { annotations: { [ingressProbe]: annotations[ingressProbe] } }),
  };
  // The spec is compared whole, so it must be what admission would make of it.
  return {
    metadata,
    spec: { template: admittedTemplate(template, { config, parent: metadata }), traffic },
  };
}

/** The alias of the gateway under the InferenceService's own name. */
export function makeAlias({ metadata }: InferenceService): Unsaved<Service> {
  return {
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace,
      labels: { [kserve.inferenceService]: metadata.name },
    } as unknown as Service["metadata"],
    spec: { type: "ExternalName", externalName: gateways.localHost, sessionAffinity: "None" },
  };
}

export function makeVirtualService(service: InferenceService, domain: string): Unsaved<VirtualService> {
  const { name, namespace = "" } = service.metadata;
  const inside = localHost(name, namespace);
  const outside = externalHost(name, namespace, domain);
  const open = domain !== localDomain;
  const insideOnly = `^${quoted(`${name}.${namespace}`)}(\\.svc(\\.cluster\\.local)?)?(?::\\d{1,5})?$`;
  return {
    metadata: {
      name,
      namespace,
      labels: { [kserve.inferenceService]: name },
    } as unknown as VirtualService["metadata"],
    spec: {
      gateways: [...(open ? [gateways.external] : []), gateways.local, gateways.mesh],
      hosts: [inside, ...(open ? [outside] : [])],
      http: [
        {
          match: [
            { authority: { regex: insideOnly }, gateways: [gateways.local, gateways.mesh] },
            ...(open
              ? [
                  {
                    authority: { regex: `^${quoted(outside)}(?::\\d{1,5})?$` },
                    gateways: [gateways.external],
                  },
                ]
              : []),
          ],
          route: [
            {
              destination: { host: gateways.localHost, port: { number: 80 } },
              headers: {
                request: {
                  set: {
                    Host: localHost(predictorName(name), namespace),
                    "KServe-Isvc-Name": name,
                    "KServe-Isvc-Namespace": namespace,
                  },
                },
              },
              weight: 100,
            },
          ],
        },
      ],
    },
  };
}

function scaling({ spec }: InferenceService): { readonly [key: string]: string } {
  const { minReplicas = 1, maxReplicas = 0, scaleTarget, scaleMetric } = spec.predictor;
  return {
    [autoscaling.class]: "kpa.autoscaling.knative.dev",
    [autoscaling.minScale]: String(minReplicas),
    ...(maxReplicas > 0 ? { [autoscaling.maxScale]: String(maxReplicas) } : {}),
    ...(scaleTarget === undefined ? {} : { [autoscaling.target]: String(scaleTarget) }),
    ...(scaleMetric === undefined ? {} : { [autoscaling.metric]: scaleMetric }),
  };
}

// What of the predictor is a pod's: everything that is neither the model nor the component's own settings.
function podFields(predictor: InferenceService["spec"]["predictor"]): Partial<RevisionSpec> {
  const {
    model: _model,
    sklearn: _a,
    xgboost: _b,
    tensorflow: _c,
    pytorch: _d,
    triton: _e,
    onnx: _f,
    huggingface: _g,
    pmml: _h,
    lightgbm: _i,
    paddle: _j,
    name: _name,
    storageUris: _uris,
    storageContainerName: _container,
    workerSpec: _worker,
    minReplicas: _min,
    maxReplicas: _max,
    scaleTarget: _target,
    scaleMetric: _metric,
    scaleMetricType: _type,
    autoScaling: _scaling,
    containerConcurrency: _concurrency,
    timeout: _timeout,
    canaryTrafficPercent: _canary,
    logger: _logger,
    batcher: _batcher,
    labels: _labels,
    annotations: _annotations,
    deploymentStrategy: _strategy,
    containers: _containers,
    volumes: _volumes,
    ...pod
  } = predictor;
  return pod;
}

function mounted(container: Container, mounts: NonNullable<Container["volumeMounts"]>): Container {
  if (mounts.length === 0) return container;
  return { ...container, volumeMounts: [...(container.volumeMounts ?? []), ...mounts] };
}

/** A custom predictor says where its model is through its environment. */
function storageUriOf(container: Container | undefined): string | undefined {
  return container?.env?.find((one) => one.name === "STORAGE_URI")?.value;
}

function quoted(host: string): string {
  return host.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
