import type { ServingConfig } from "../../../domain/apis/config/index.js";
import type { Revision } from "../../../domain/apis/serving/revision.types.js";
import type { Settings } from "../deps.js";

/**
 * Where the logs of this Revision are read: as config-observability says, else the API's own `log` of the Revision,
 * which needs no logging stack. Undefined where there is neither.
 */
export function logUrlOf(
  { metadata }: Revision,
  { observability }: ServingConfig,
  { apiUrl }: Settings,
): string | undefined {
  if (observability.revisionUrlTemplate !== "")
    return observability.revisionUrlTemplate.replace(/\$\{REVISION_UID\}/g, metadata.uid ?? "");
  if (apiUrl === undefined) return undefined;
  return `${apiUrl}/apis/serving.knative.dev/v1/namespaces/${metadata.namespace}/revisions/${metadata.name}/log`;
}
