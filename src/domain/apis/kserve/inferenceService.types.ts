// InferenceService: a model, served (serving.kserve.io/v1beta1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { extend } from "../schema/embed.js";
import { any, type Infer, int32, list, map, obj, type Schema, str } from "../schema/index.js";
import { duckStatusFields } from "../serving/status.types.js";
import { AddressableSchema, TrafficSchema } from "../serving/traffic.types.js";
import { ComponentSchema, type ComponentSpec, FrameworkSchema, ModelSchema } from "./component.types.js";
import { defaultInferenceService, validateInferenceService } from "./inferenceService.admission.js";

const predictorFields = obj({
  model: ModelSchema,
  sklearn: FrameworkSchema,
  xgboost: FrameworkSchema,
  tensorflow: FrameworkSchema,
  pytorch: FrameworkSchema,
  triton: FrameworkSchema,
  onnx: FrameworkSchema,
  huggingface: FrameworkSchema,
  pmml: FrameworkSchema,
  lightgbm: FrameworkSchema,
  paddle: FrameworkSchema,
  name: str(),
  storageUris: list(obj({ uri: str(), mountPath: str() })),
  storageContainerName: str(),
  workerSpec: any(),
});
export interface PredictorSpec extends ComponentSpec, Infer<typeof predictorFields> {}

const ComponentStatusSchema = obj({
  latestReadyRevision: str(),
  latestCreatedRevision: str(),
  latestRolledoutRevision: str(),
  previousRolledoutRevision: str(),
  traffic: TrafficSchema,
  url: str(),
  restUrl: str(),
  grpcUrl: str(),
  address: AddressableSchema,
});
export interface ComponentStatus extends Infer<typeof ComponentStatusSchema> {}

const ModelStatusSchema = obj({
  transitionStatus: str({ description: "UpToDate, InProgress, BlockedByFailedLoad or InvalidSpec." }),
  states: obj({ activeModelState: str(), targetModelState: str() }),
  copies: obj({ failedCopies: int32(), totalCopies: int32() }),
  lastFailureInfo: obj({
    location: str(),
    reason: str(),
    message: str(),
    modelRevisionName: str(),
    time: str(),
    exitCode: int32(),
  }),
});
export interface ModelStatus extends Infer<typeof ModelStatusSchema> {}

const InferenceServiceSchema = resource(
  {
    spec: obj(
      {
        predictor: {
          ...extend(ComponentSchema, predictorFields),
          description: "What answers predictions.",
        } as Schema<PredictorSpec>,
        transformer: {
          ...ComponentSchema,
          description: "What prepares requests and answers.",
        } as Schema<ComponentSpec>,
        explainer: { ...ComponentSchema, description: "What explains predictions." } as Schema<ComponentSpec>,
      },
      { required: ["predictor"], description: "What is served, and how." },
    ),
    status: obj(
      {
        ...duckStatusFields(),
        url: str({ description: "Where clients outside call." }),
        address: AddressableSchema,
        components: map(ComponentStatusSchema),
        modelStatus: ModelStatusSchema,
        deploymentMode: str(),
        servingRuntimeName: str(),
        clusterServingRuntimeName: str(),
      },
      { "x-kubernetes-preserve-unknown-fields": true, description: "What is true now." },
    ),
  },
  { required: ["spec"], description: "A model, served." },
);
export interface InferenceService extends Infer<typeof InferenceServiceSchema> {}

const latest = ".status.components.predictor.traffic[?(@.latestRevision==true)]";
const previous = ".status.components.predictor.traffic[?(@.tag=='prev')]";

export const InferenceService: Kind<InferenceService> = defineKind<InferenceService>({
  group: "serving.kserve.io",
  version: "v1beta1",
  kind: "InferenceService",
  plural: "inferenceservices",
  shortNames: ["isvc"],
  description: "A model, served.",
  schema: InferenceServiceSchema,
  defaults: defaultInferenceService,
  validate: validateInferenceService,
  columns: [
    { name: "URL", type: "string", jsonPath: ".status.url" },
    { name: "Ready", type: "string", jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
    { name: "Prev", type: "integer", jsonPath: `${previous}.percent` },
    { name: "Latest", type: "integer", jsonPath: `${latest}.percent` },
    { name: "PrevRolledoutRevision", type: "string", jsonPath: `${previous}.revisionName` },
    { name: "LatestReadyRevision", type: "string", jsonPath: `${latest}.revisionName` },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    // Ours, and last, so that scripts that count columns still find theirs: the cause is readable at every level.
    { name: "Reason", type: "string", jsonPath: ".status.conditions[?(@.type=='Ready')].reason" },
  ],
});
