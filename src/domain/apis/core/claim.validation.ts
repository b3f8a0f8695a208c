import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { quantityErrors } from "../quantity/index.js";
import { equalJson } from "../schema/index.js";
import { type PersistentVolumeClaim, PersistentVolumeClaimSchema } from "./claim.types.js";
import { supported } from "./container.validation.js";

type Spec = NonNullable<PersistentVolumeClaim["spec"]>;

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

export function validateClaim(
  claim: PersistentVolumeClaim,
  context: AdmissionContext<PersistentVolumeClaim>,
): readonly FieldError[] {
  if (context.subresource === "status") return [];
  const spec = claim.spec ?? {};
  const modes = spec.accessModes ?? [];
  return [
    ...quantityErrors(PersistentVolumeClaimSchema, claim),
    ...(modes.length === 0
      ? [fieldErrors.required("spec.accessModes", "at least 1 access mode is required")]
      : modes.flatMap((mode) => supported("spec.accessModes", mode, accessModes))),
    ...(spec.resources?.requests?.["storage"] === undefined
      ? [fieldErrors.required("spec.resources[storage]")]
      : []),
    ...changeErrors(spec, context.old?.spec),
  ];
}

/** A claim may grow, and be bound; nothing else of its wish may change. */
function changeErrors(spec: Spec, old: Spec | undefined): readonly FieldError[] {
  if (old === undefined) return [];
  const rest = (
    { resources: _size, volumeAttributesClassName: _class, ...others }: Spec,
    bound: string | undefined,
  ) => ({
    ...others,
    volumeName: (old.volumeName ?? "") === "" ? "" : bound,
  });
  if (equalJson(rest(spec, spec.volumeName), rest(old, old.volumeName))) return [];
  const detail =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
  return [fieldErrors.forbidden("spec", detail)];
}
