// InferenceService as KFServing had it: `default` and `canary` side by side (serving.kubeflow.org/v1alpha2; kserve.md, section 1.5).
import { type Container, ContainerSchema } from "../../core/container.types.js";
import { resource } from "../../meta/meta.types.js";
import { embedded } from "../../schema/embed.js";
import { anyObject, type Infer, int32, int64, map, obj, type Schema, str } from "../../schema/index.js";
import { duckStatusFields } from "../../serving/status.types.js";
import { AddressableSchema } from "../../serving/traffic.types.js";

const frameworkFields = {
  storageUri: str({ description: "Where the model is." }),
  runtimeVersion: str({ description: "Replaces the tag of the runtime's image." }),
  resources: anyObject(),
} as const;

const FrameworkSchema = obj(frameworkFields);
export interface Framework extends Infer<typeof FrameworkSchema> {}

const CustomSchema = obj({ container: embedded(ContainerSchema) as Schema<Partial<Container>> });

const PredictorSchema = obj({
  serviceAccountName: str(),
  minReplicas: int32({ description: "The fewest pods; 0 lets the predictor sleep." }),
  maxReplicas: int32({ description: "The most pods; 0 means no limit." }),
  parallelism: int32({ description: "How many requests one pod may handle at once." }),
  logger: obj({ url: str(), mode: str() }),
  batcher: obj({ maxBatchSize: int32(), maxLatency: int32(), timeout: int32() }),
  custom: CustomSchema,
  sklearn: FrameworkSchema,
  xgboost: obj({ ...frameworkFields, nthread: int32() }),
  pytorch: obj({ ...frameworkFields, modelClassName: str() }),
  tensorflow: FrameworkSchema,
  onnx: FrameworkSchema,
  triton: FrameworkSchema,
});
export interface Predictor extends Infer<typeof PredictorSchema> {}

const EndpointSchema = obj(
  { predictor: PredictorSchema, transformer: anyObject(), explainer: anyObject() },
  { required: ["predictor"] },
);

export const InferenceServiceSchema = resource(
  {
    spec: obj(
      {
        default: { ...EndpointSchema, description: "What is served." },
        canary: { ...EndpointSchema, description: "What is tried beside it." },
        canaryTrafficPercent: int64({
          minimum: 0,
          maximum: 100,
          description: "Share of the traffic that the canary gets.",
        }),
      },
      { required: ["default"] },
    ),
    status: obj({
      ...duckStatusFields(),
      url: str(),
      address: AddressableSchema,
      traffic: int64({ description: "Share of the traffic that the default has." }),
      canaryTraffic: int64({ description: "Share of the traffic that the canary has." }),
      default: map(obj({ name: str(), host: str() })),
      canary: map(obj({ name: str(), host: str() })),
    }),
  },
  { required: ["spec"], description: "A model, served, with a canary beside it." },
);
export interface InferenceServiceV1alpha2 extends Infer<typeof InferenceServiceSchema> {}
