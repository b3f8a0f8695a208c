// Admission of Gateways: the data plane's own reader decides.
import type { AdmissionContext, WebhookAnswer } from "../kind.js";
import { equalJson } from "../schema/index.js";
import { parseGateway } from "./gateway.parse.js";
import type { Gateway } from "./gateway.types.js";
import { deniedBecause } from "./virtualService.admission.js";

export function judgeGateway(
  object: Gateway,
  { operation, subresource, old }: AdmissionContext<Gateway>,
): WebhookAnswer | undefined {
  if (subresource !== "" || object.metadata.deletionTimestamp !== undefined) return undefined;
  if (operation === "update" && equalJson(old?.spec, object.spec)) return undefined;
  const result = parseGateway(object);
  return result.outcome === "parsed" ? undefined : deniedBecause(result.faults);
}
