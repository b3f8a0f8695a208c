// Configuration: the latest wish; each change of it makes a Revision (serving.knative.dev/v1).
import { BuildSpecSchema } from "../build/build.types.js";
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, obj, str } from "../schema/index.js";
import { defaultConfiguration } from "./serving.defaults.js";
import { judgeConfiguration } from "./serving.validation.js";
import { duckStatusFields, readyColumns } from "./status.types.js";
import { RevisionTemplateSchema } from "./template.types.js";

const ConfigurationSchema = resource(
  {
    spec: obj({ template: RevisionTemplateSchema, build: BuildSpecSchema }),
    status: obj({ ...duckStatusFields(), latestCreatedRevisionName: str(), latestReadyRevisionName: str() }),
  },
  { required: ["spec"], description: "The latest wish for what runs." },
);
export interface Configuration extends Infer<typeof ConfigurationSchema> {}

export const Configuration: Kind<Configuration> = defineKind<Configuration>({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Configuration",
  plural: "configurations",
  shortNames: ["config", "cfg"],
  categories: ["all", "knative", "serving"],
  description: "The latest wish for what runs; each change makes a Revision.",
  schema: ConfigurationSchema,
  defaults: defaultConfiguration,
  webhook: judgeConfiguration,
  columns: [
    { name: "LatestCreated", type: "string", jsonPath: ".status.latestCreatedRevisionName" },
    { name: "LatestReady", type: "string", jsonPath: ".status.latestReadyRevisionName" },
    ...readyColumns,
  ],
});
