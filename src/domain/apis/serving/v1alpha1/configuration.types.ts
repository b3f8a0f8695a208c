// Configuration in v1alpha1: a Build, and the template of the next Revision.
import type { AdmissionContext, Kind } from "../../kind.js";
import type { FieldError } from "../../meta/fieldError.js";
import { resource } from "../../meta/meta.types.js";
import { type Infer, obj, str } from "../../schema/index.js";
import { Configuration as V1Configuration } from "../configuration.types.js";
import { duckStatusFields } from "../status.types.js";
import { viewKind } from "./kind.js";
import { settleConfiguration, settled } from "./leftovers.js";
import { ConfigurationSpecSchema } from "./template.types.js";
import { configurationErrors } from "./template.validation.js";

const ConfigurationSchema = resource(
  {
    spec: ConfigurationSpecSchema,
    status: obj({
      ...duckStatusFields(),
      latestCreatedRevisionName: str(),
      latestCreatedRevision: str({ description: "The same, while that Revision is missing." }),
      latestReadyRevisionName: str(),
    }),
  },
  { required: ["spec"], description: "The latest wish for what runs." },
);
export interface Configuration extends Infer<typeof ConfigurationSchema> {}

export const ConfigurationV1alpha1: Kind<Configuration> = viewKind(V1Configuration, {
  schema: ConfigurationSchema,
  defaults: settled(settleConfiguration),
  validate,
  columns: V1Configuration.columns as Kind<Configuration>["columns"],
});

function validate(
  { spec }: Configuration,
  { subresource }: AdmissionContext<Configuration>,
): readonly FieldError[] {
  return subresource === "status" ? [] : configurationErrors(spec, "spec");
}
