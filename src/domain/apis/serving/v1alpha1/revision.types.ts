// Revision in v1alpha1: one container, and the names of what serves it.
import type { AdmissionContext, Kind } from "../../kind.js";
import type { FieldError } from "../../meta/fieldError.js";
import { resource } from "../../meta/meta.types.js";
import { extend } from "../../schema/embed.js";
import { type Infer, obj, type Schema, str } from "../../schema/index.js";
import { Revision as V1Revision } from "../revision.types.js";
import { readyColumns } from "../status.types.js";
import { viewKind } from "./kind.js";
import { settled, settleRevision } from "./leftovers.js";
import { RevisionSpecSchema } from "./template.types.js";
import { revisionErrors } from "./template.validation.js";

const v1Status = V1Revision.schema.properties?.["status"] as Schema<NonNullable<V1Revision["status"]>>;

const RevisionSchema = resource(
  {
    spec: RevisionSpecSchema,
    status: extend(
      v1Status,
      obj({
        logsUrl: str({ description: "The same as logUrl." }),
        serviceName: str({ description: "The Service that this Revision's requests are sent to." }),
        imageDigest: str({ description: "What the container's image meant when the Revision was made." }),
      }),
    ),
  },
  { required: ["spec"], description: "One immutable answer to what runs." },
);
export interface Revision extends Infer<typeof RevisionSchema> {}

export const RevisionV1alpha1: Kind<Revision> = viewKind(V1Revision, {
  schema: RevisionSchema,
  defaults: settled(settleRevision),
  validate,
  // As the debug guide shows them.
  columns: [
    {
      name: "Config Name",
      type: "string",
      jsonPath: ".metadata.labels['serving\\.knative\\.dev/configuration']",
    },
    { name: "K8s Service Name", type: "string", jsonPath: ".status.serviceName" },
    {
      name: "Generation",
      type: "string",
      jsonPath: ".metadata.labels['serving\\.knative\\.dev/configurationGeneration']",
    },
    ...readyColumns,
  ],
});

function validate({ spec }: Revision, { subresource }: AdmissionContext<Revision>): readonly FieldError[] {
  return subresource === "status" ? [] : revisionErrors(spec, "spec");
}
