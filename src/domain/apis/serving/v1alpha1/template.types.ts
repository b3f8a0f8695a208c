// What a Revision runs, as v1alpha1 writes it: one `container`, a concurrency model, or the newer form beside them.
import { BuildSpecSchema } from "../../build/build.types.js";
import type { Container } from "../../core/container.types.js";
import { type Infer, obj, oneOfStrings, type Schema } from "../../schema/index.js";
import {
  TemplateMetadataSchema,
  type RevisionSpec as V1RevisionSpec,
  RevisionSpecSchema as V1RevisionSpecSchema,
} from "../template.types.js";

export interface RevisionSpec extends Omit<V1RevisionSpec, "containers"> {
  readonly container?: Container | undefined;
  readonly containers?: readonly Container[] | undefined;
  readonly concurrencyModel?: "Single" | "Multi" | undefined;
}

const { required: _required, ...v1 } = V1RevisionSpecSchema;

export const RevisionSpecSchema = {
  ...v1,
  properties: {
    ...v1.properties,
    // `containers` says the same as a list.
    container: v1.properties?.["containers"]?.items,
    concurrencyModel: oneOfStrings(["Single", "Multi"], {
      description: "One request at a time, or any number: containerConcurrency 1 or 0.",
    }),
  },
} as Schema<RevisionSpec>;

const TemplateSchema = obj({ metadata: TemplateMetadataSchema, spec: RevisionSpecSchema });
export interface Template extends Infer<typeof TemplateSchema> {}

export const ConfigurationSpecSchema = obj({
  build: BuildSpecSchema,
  revisionTemplate: { ...TemplateSchema, description: "What the next Revision runs." },
  template: { ...TemplateSchema, description: "The same under its newer name; use one of the two." },
});
export interface ConfigurationSpec extends Infer<typeof ConfigurationSpecSchema> {}
