import type { AdmissionContext } from "../kind.js";
import { canonicalQuantities } from "../quantity/index.js";
import { type PersistentVolumeClaim, PersistentVolumeClaimSchema } from "./claim.types.js";

export function defaultClaim(
  given: PersistentVolumeClaim,
  context: AdmissionContext<PersistentVolumeClaim>,
): PersistentVolumeClaim {
  const { value: claim } = canonicalQuantities(PersistentVolumeClaimSchema, given);
  if (context.operation === "update") return claim;
  return { ...claim, status: { ...claim.status, phase: claim.status?.phase ?? "Pending" } };
}
