// What predictor, transformer and explainer share (kserve.md, section 1.2).
import { type Container, ContainerSchema } from "../core/container.types.js";
import { type PodSpec, PodSpecSchema } from "../core/pod.types.js";
import { embedded, extend } from "../schema/embed.js";
import {
  anyObject,
  bool,
  type Infer,
  int32,
  int64,
  list,
  map,
  obj,
  oneOfStrings,
  type Schema,
  str,
} from "../schema/index.js";
import { ProtocolSchema } from "./runtime.types.js";

const LoggerSchema = obj({
  url: str(),
  mode: oneOfStrings(["all", "request", "response"]),
  metadataHeaders: list(str()),
  metadataAnnotations: list(str()),
  storage: anyObject(),
});

const extensionFields = {
  minReplicas: int32({ description: "The fewest pods; 0 lets the component sleep." }),
  maxReplicas: int32({ description: "The most pods; 0 means no limit." }),
  scaleTarget: int32({ description: "What one pod should bear, in the units of scaleMetric." }),
  scaleMetric: oneOfStrings(["cpu", "memory", "concurrency", "rps"], {
    description: "What the autoscaler looks at.",
  }),
  scaleMetricType: oneOfStrings(["Utilization", "Value", "AverageValue"]),
  autoScaling: anyObject(),
  containerConcurrency: int64({
    description: "How many requests one pod may handle at once; 0 means no limit.",
  }),
  timeout: int64({ description: "Seconds that one request may take." }),
  canaryTrafficPercent: int64({ description: "Share of the traffic that the newest revision gets." }),
  logger: LoggerSchema,
  batcher: obj({ maxBatchSize: int32(), maxLatency: int32(), timeout: int32() }),
  labels: map(str()),
  annotations: map(str()),
  deploymentStrategy: anyObject(),
} as const;

const ComponentExtensionSchema = obj(extensionFields);
export interface ComponentSpec extends Partial<PodSpec>, Infer<typeof ComponentExtensionSchema> {}

export const ComponentSchema = extend(
  embedded(PodSpecSchema) as Schema<Partial<PodSpec>>,
  ComponentExtensionSchema,
) as Schema<ComponentSpec>;

const modelFields = obj({
  storageUri: str({ description: "Where the model is: file://, pvc://, https:// and others." }),
  runtimeVersion: str({ description: "Replaces the tag of the runtime's image." }),
  protocolVersion: ProtocolSchema,
  storage: obj({ key: str(), path: str(), parameters: map(str()), schemaPath: str() }),
  confidential: obj({ enabled: bool(), resourceId: str() }),
});

/** A framework block of old (`sklearn:`), and the base of `model:`. A container is inlined; its name is not set by users. */
export interface FrameworkSpec extends Partial<Container>, Infer<typeof modelFields> {}
export const FrameworkSchema = extend(
  embedded(ContainerSchema) as Schema<Partial<Container>>,
  modelFields,
) as Schema<FrameworkSpec>;

const formatFields = obj(
  {
    modelFormat: obj(
      { name: str({ description: "Such as sklearn or onnx." }), version: str() },
      { required: ["name"] },
    ),
    runtime: str({ description: "A ServingRuntime or ClusterServingRuntime by name." }),
  },
  { required: ["modelFormat"] },
);
export interface ModelSpec extends FrameworkSpec, Infer<typeof formatFields> {}
export const ModelSchema = extend(FrameworkSchema, formatFields) as Schema<ModelSpec>;
