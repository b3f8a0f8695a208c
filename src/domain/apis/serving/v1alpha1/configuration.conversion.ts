// Configuration between v1alpha1 and v1.
import { equalJson } from "../../schema/index.js";
import type { Configuration as V1Configuration } from "../configuration.types.js";
import type { Configuration } from "./configuration.types.js";
import { readForm, withForm, withoutForm } from "./form.js";
import { configurationFromV1 as specFromV1, configurationToV1 as specToV1 } from "./template.conversion.js";

export function configurationToV1(
  configuration: Configuration,
  old: V1Configuration | undefined,
): V1Configuration {
  const { spec, form } = specToV1(configuration.spec);
  const { status: _status, ...rest } = configuration;
  return {
    ...rest,
    apiVersion: "serving.knative.dev/v1",
    metadata: withForm(configuration.metadata, form),
    spec: old !== undefined && equalJson(spec, old.spec) ? old.spec : spec,
    ...(old?.status === undefined ? {} : { status: old.status }),
  };
}

export function configurationFromV1(configuration: V1Configuration): Configuration {
  const { status, ...rest } = configuration;
  const created = status?.latestCreatedRevisionName;
  const ready = status?.conditions?.find((one) => one.type === "Ready");
  return {
    ...rest,
    apiVersion: "serving.knative.dev/v1alpha1",
    metadata: withoutForm(configuration.metadata),
    spec: specFromV1(configuration.spec, readForm(configuration)),
    ...(status === undefined
      ? {}
      : {
          status: {
            ...status,
            // So spelled in the error-conditions document's example of a latest Revision that was deleted.
            ...(created !== undefined && ready?.reason === "RevisionMissing"
              ? { latestCreatedRevision: created }
              : {}),
          },
        }),
  };
}
