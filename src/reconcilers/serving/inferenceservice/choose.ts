/** From the predictor as wished to the container that serves it: the runtime, merged with the user's own words. */
import type { Container } from "../../../domain/apis/core/container.types.js";
import type { InferenceService } from "../../../domain/apis/kserve/inferenceService.types.js";
import type { ServingRuntime } from "../../../domain/apis/kserve/runtime.types.js";
import { fillPlaceholders, mergeContainer, selectRuntime, withTag } from "../../../domain/runtimes/index.js";

export type Chosen =
  | {
      readonly outcome: "chosen";
      readonly containers: readonly Container[];
      readonly runtime: ServingRuntime | undefined;
      readonly servingRuntimeName: string | undefined;
      readonly clusterServingRuntimeName: string | undefined;
    }
  | { readonly outcome: "invalid"; readonly reason: string; readonly message: string };

const serverName = "kserve-container";

export function choosePredictor(
  service: InferenceService,
  inNamespace: readonly ServingRuntime[],
  inCluster: readonly ServingRuntime[],
): Chosen {
  const { predictor } = service.spec;
  const { model } = predictor;
  if (model === undefined) {
    const containers = (predictor.containers ?? []).map((container) => introduced(container, service));
    return {
      outcome: "chosen",
      containers,
      runtime: undefined,
      servingRuntimeName: undefined,
      clusterServingRuntimeName: undefined,
    };
  }

  const selection = selectRuntime(model, inNamespace, inCluster);
  if (selection.outcome === "none")
    return { outcome: "invalid", reason: selection.reason, message: selection.message };
  const { runtime, scope } = selection;
  const base = runtime.spec.containers.find((container) => container.name === serverName);
  if (base === undefined) {
    const message = `failed to find ${serverName} in ServingRuntime containers of ${runtime.metadata.name}`;
    return { outcome: "invalid", reason: "InvalidPredictorSpec", message };
  }

  const {
    modelFormat: _format,
    runtime: _runtime,
    storageUri: _uri,
    runtimeVersion,
    protocolVersion: _protocol,
    storage: _storage,
    confidential: _confidential,
    ...own
  } = model;
  const merged = mergeContainer(fillPlaceholders(base, service.metadata), own);
  const server = introduced(
    { ...merged, name: serverName, image: withTag(merged.image, runtimeVersion) },
    service,
  );
  const others = [
    ...runtime.spec.containers
      .filter((container) => container.name !== serverName)
      .map((container) => fillPlaceholders(container, service.metadata)),
    ...(predictor.containers ?? []),
  ];
  return {
    outcome: "chosen",
    containers: [server, ...others],
    runtime,
    servingRuntimeName: scope === "namespace" ? runtime.metadata.name : undefined,
    clusterServingRuntimeName: scope === "cluster" ? runtime.metadata.name : undefined,
  };
}

/** Every predictor container knows whose it is. */
function introduced(container: Container, service: InferenceService): Container {
  const name = "INFERENCE_SERVICE_NAME";
  if (container.env?.some((one) => one.name === name)) return container;
  return { ...container, env: [...(container.env ?? []), { name, value: service.metadata.name }] };
}
