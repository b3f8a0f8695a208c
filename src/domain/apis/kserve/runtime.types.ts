// ServingRuntime and ClusterServingRuntime: how a model format is served (serving.kserve.io/v1alpha1).
import { ContainerSchema } from "../core/container.types.js";
import { LocalObjectReferenceSchema } from "../core/references.types.js";
import { AffinitySchema, TolerationSchema } from "../core/scheduling.types.js";
import { VolumeSchema } from "../core/volume.types.js";
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { embedded } from "../schema/embed.js";
import { anyObject, bool, type Infer, int32, list, map, obj, oneOfStrings, str } from "../schema/index.js";

export const ProtocolSchema = oneOfStrings(["v1", "v2", "grpc-v1", "grpc-v2"]);

const SupportedModelFormatSchema = obj(
  {
    name: str({ description: "The format, such as sklearn or onnx." }),
    version: str({ description: "The version of the format." }),
    autoSelect: bool({ description: "Whether a model that names no runtime may get this one." }),
    priority: int32({ minimum: 1, description: "Higher wins when several fit." }),
  },
  { required: ["name"] },
);

const ServingRuntimeSpecSchema = obj(
  {
    supportedModelFormats: list(SupportedModelFormatSchema),
    multiModel: bool(),
    disabled: bool(),
    protocolVersions: list(ProtocolSchema),
    containers: list(embedded(ContainerSchema)),
    workerSpec: anyObject(),
    volumes: list(embedded(VolumeSchema)),
    nodeSelector: map(str()),
    affinity: embedded(AffinitySchema),
    tolerations: list(embedded(TolerationSchema)),
    labels: map(str()),
    annotations: map(str()),
    imagePullSecrets: list(embedded(LocalObjectReferenceSchema)),
    hostIPC: bool(),
    schedulerName: str(),
    resourceClaims: list(anyObject()),
    securityContext: anyObject(),
    grpcEndpoint: str(),
    grpcDataEndpoint: str(),
    httpDataEndpoint: str(),
    replicas: int32(),
    storageHelper: obj({ disabled: bool() }),
    builtInAdapter: anyObject(),
  },
  { required: ["containers"] },
);
export interface ServingRuntimeSpec extends Infer<typeof ServingRuntimeSpecSchema> {}

const ServingRuntimeSchema = resource(
  { spec: ServingRuntimeSpecSchema, status: anyObject() },
  { required: ["spec"], description: "How models of a format are served." },
);
export interface ServingRuntime extends Infer<typeof ServingRuntimeSchema> {}

const columns = [
  { name: "Disabled", type: "boolean", jsonPath: ".spec.disabled" },
  { name: "ModelType", type: "string", jsonPath: ".spec.supportedModelFormats[*].name" },
  { name: "Containers", type: "string", jsonPath: ".spec.containers[*].name" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
] as const;

export const ServingRuntime: Kind<ServingRuntime> = defineKind<ServingRuntime>({
  group: "serving.kserve.io",
  version: "v1alpha1",
  kind: "ServingRuntime",
  plural: "servingruntimes",
  description: "How models of a format are served in one namespace.",
  schema: ServingRuntimeSchema,
  columns,
});

export interface ClusterServingRuntime extends ServingRuntime {}
export const ClusterServingRuntime: Kind<ClusterServingRuntime> = defineKind<ClusterServingRuntime>({
  group: "serving.kserve.io",
  version: "v1alpha1",
  kind: "ClusterServingRuntime",
  plural: "clusterservingruntimes",
  namespaced: false,
  description: "How models of a format are served in every namespace.",
  schema: ServingRuntimeSchema,
  columns,
});
