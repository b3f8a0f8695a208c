// Service: the whole of a workload under one name (serving.knative.dev/v1).
import { BuildSpecSchema } from "../build/build.types.js";
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, obj, str } from "../schema/index.js";
import { defaultKnativeService } from "./serving.defaults.js";
import { judgeKnativeService } from "./serving.validation.js";
import { duckStatusFields, readyColumns } from "./status.types.js";
import { RevisionTemplateSchema } from "./template.types.js";
import { AddressableSchema, TrafficSchema } from "./traffic.types.js";

const KnativeServiceSchema = resource(
  {
    spec: obj(
      { template: RevisionTemplateSchema, traffic: TrafficSchema, build: BuildSpecSchema },
      { description: "What to run, and how traffic is shared among what ran." },
    ),
    status: obj({
      ...duckStatusFields(),
      url: str(),
      address: AddressableSchema,
      traffic: TrafficSchema,
      latestCreatedRevisionName: str(),
      latestReadyRevisionName: str(),
    }),
  },
  { required: ["spec"], description: "A workload that is routed, versioned and scaled." },
);
export interface KnativeService extends Infer<typeof KnativeServiceSchema> {}

export const KnativeService: Kind<KnativeService> = defineKind<KnativeService>({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["kservice", "ksvc"],
  categories: ["all", "knative", "serving"],
  description: "A workload that is routed, versioned and scaled.",
  schema: KnativeServiceSchema,
  defaults: defaultKnativeService,
  webhook: judgeKnativeService,
  columns: [
    { name: "URL", type: "string", jsonPath: ".status.url" },
    { name: "LatestCreated", type: "string", jsonPath: ".status.latestCreatedRevisionName" },
    { name: "LatestReady", type: "string", jsonPath: ".status.latestReadyRevisionName" },
    ...readyColumns,
  ],
});
