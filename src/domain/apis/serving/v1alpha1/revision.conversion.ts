// Revision between v1alpha1 and v1.
import { equalJson } from "../../schema/index.js";
import type { Revision as V1Revision } from "../revision.types.js";
import { readForm, withForm, withoutForm } from "./form.js";
import type { Revision } from "./revision.types.js";
import { conditionsFromV1 } from "./status.js";
import { specFromV1, specToV1 } from "./template.conversion.js";

export function revisionToV1(revision: Revision, old: V1Revision | undefined): V1Revision {
  const { spec, form } = specToV1(revision.spec);
  const { status: _status, ...rest } = revision;
  return {
    ...rest,
    apiVersion: "serving.knative.dev/v1",
    metadata: withForm(revision.metadata, form),
    spec: old !== undefined && equalJson(spec, old.spec) ? old.spec : spec,
    ...(old?.status === undefined ? {} : { status: old.status }),
  };
}

export function revisionFromV1(revision: V1Revision): Revision {
  const { status, ...rest } = revision;
  return {
    ...rest,
    apiVersion: "serving.knative.dev/v1alpha1",
    metadata: withoutForm(revision.metadata),
    spec: specFromV1(revision.spec, readForm(revision)),
    ...(status === undefined ? {} : { status: statusFromV1(revision, status) }),
  };
}

function statusFromV1(
  { metadata, spec }: V1Revision,
  status: NonNullable<V1Revision["status"]>,
): NonNullable<Revision["status"]> {
  const { conditions, logUrl, containerStatuses } = status;
  const { containers } = spec;
  const main = containers.length === 1 ? containers[0] : containers.find((one) => one.ports?.length);
  const digest = containerStatuses?.find((one) => one.name === main?.name)?.imageDigest;
  return {
    ...status,
    ...(conditions === undefined ? {} : { conditions: conditionsFromV1(conditions) }),
    // The error-conditions document has both spellings: one where it explains, one in its example.
    ...(logUrl === undefined ? {} : { logsUrl: logUrl }),
    serviceName: metadata.name,
    ...(digest === undefined ? {} : { imageDigest: digest }),
  };
}
