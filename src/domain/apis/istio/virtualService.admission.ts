// Admission of what the gateway obeys: the gateway's own reader decides, so nothing is admitted that it would refuse.
import type { AdmissionContext, WebhookAnswer } from "../kind.js";
import { equalJson } from "../schema/index.js";
import type { RouteFault } from "./routing.types.js";
import { parseVirtualService } from "./virtualService.parse.js";
import type { VirtualService } from "./virtualService.types.js";

export function judgeVirtualService(
  object: VirtualService,
  { operation, subresource, old }: AdmissionContext<VirtualService>,
): WebhookAnswer | undefined {
  if (subresource !== "" || object.metadata.deletionTimestamp !== undefined) return undefined;
  // What is there already must not keep its labels or finalizers from being changed.
  if (operation === "update" && equalJson(old?.spec, object.spec)) return undefined;
  const result = parseVirtualService(object);
  return result.outcome === "parsed" ? undefined : deniedBecause(result.faults);
}

/** As Istio's webhook says it: one fault on the line, several in a list. */
export function deniedBecause(faults: readonly RouteFault[]): WebhookAnswer {
  const lines = faults.map(({ path, what }) => `${path}: ${what}`);
  const [only = ""] = lines;
  const listed = `${lines.length} errors occurred:\n${lines.map((line) => `\t* ${line}\n`).join("")}\n`;
  return {
    webhook: "validation.istio.io",
    denied: `configuration is invalid: ${lines.length === 1 ? only : listed}`,
  };
}
