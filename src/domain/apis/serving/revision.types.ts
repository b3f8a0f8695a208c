// Revision: one immutable answer to "what runs?" (serving.knative.dev/v1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { type Infer, int32, list, obj, str } from "../schema/index.js";
import { defaultRevision } from "./serving.defaults.js";
import { judgeRevision } from "./serving.validation.js";
import { duckStatusFields, readyColumns } from "./status.types.js";
import { RevisionSpecSchema } from "./template.types.js";

const ContainerDigestSchema = obj({ name: str(), imageDigest: str() });

const RevisionSchema = resource(
  {
    spec: RevisionSpecSchema,
    status: obj({
      ...duckStatusFields(),
      logUrl: str(),
      containerStatuses: list(ContainerDigestSchema),
      initContainerStatuses: list(ContainerDigestSchema),
      actualReplicas: int32(),
      desiredReplicas: int32(),
    }),
  },
  { required: ["spec"], description: "One immutable answer to what runs." },
);
export interface Revision extends Infer<typeof RevisionSchema> {}

export const Revision: Kind<Revision> = defineKind<Revision>({
  group: "serving.knative.dev",
  version: "v1",
  kind: "Revision",
  plural: "revisions",
  shortNames: ["rev"],
  categories: ["all", "knative", "serving"],
  description: "One immutable answer to what runs.",
  schema: RevisionSchema,
  defaults: defaultRevision,
  webhook: judgeRevision,
  columns: [
    {
      name: "Config Name",
      type: "string",
      jsonPath: ".metadata.labels['serving\\.knative\\.dev/configuration']",
    },
    {
      name: "Generation",
      type: "string",
      jsonPath: ".metadata.labels['serving\\.knative\\.dev/configurationGeneration']",
    },
    ...readyColumns,
    { name: "Actual Replicas", type: "integer", jsonPath: ".status.actualReplicas" },
    { name: "Desired Replicas", type: "integer", jsonPath: ".status.desiredReplicas" },
  ],
});
