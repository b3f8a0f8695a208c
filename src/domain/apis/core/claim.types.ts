// PersistentVolumeClaim (core/v1).

import { defineKind, type Kind } from "../kind.js";
import { LabelSelectorSchema, ObjectMetaSchema, resource } from "../meta/meta.types.js";
import { at, type Infer, keyed, list, map, obj, ptr, quantity, str, time } from "../schema/index.js";
import { claimColumns } from "./claim.columns.js";
import { defaultClaim } from "./claim.defaults.js";
import { validateClaim } from "./claim.validation.js";
import { TypedLocalObjectReferenceSchema, TypedObjectReferenceSchema } from "./references.types.js";

export const VolumeResourceRequirementsSchema = obj({
  limits: at(1, map(quantity())),
  requests: at(2, map(quantity())),
});

export const PersistentVolumeClaimSpecSchema = obj({
  accessModes: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
  resources: at(2, VolumeResourceRequirementsSchema),
  volumeName: at(3, str()),
  selector: at(4, LabelSelectorSchema),
  storageClassName: ptr(5, str()),
  volumeMode: at(6, str({ default: "Filesystem" })),
  dataSource: at(7, TypedLocalObjectReferenceSchema),
  dataSourceRef: at(8, TypedObjectReferenceSchema),
  volumeAttributesClassName: ptr(9, str()),
});

export const PersistentVolumeClaimTemplateSchema = obj({
  metadata: at(1, ObjectMetaSchema),
  spec: at(2, PersistentVolumeClaimSpecSchema),
});

export const PersistentVolumeClaimConditionSchema = obj({
  type: at(1, str()),
  status: at(2, str()),
  lastProbeTime: at(3, time()),
  lastTransitionTime: at(4, time()),
  reason: at(5, str()),
  message: at(6, str()),
});

export const ModifyVolumeStatusSchema = obj({
  targetVolumeAttributesClassName: at(1, str()),
  status: at(2, str()),
});

export const PersistentVolumeClaimStatusSchema = obj({
  phase: at(1, str()),
  accessModes: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
  capacity: at(3, map(quantity())),
  conditions: at(4, keyed(PersistentVolumeClaimConditionSchema, ["type"])),
  allocatedResources: at(5, map(quantity())),
  allocatedResourceStatuses: at(7, map(str())),
  currentVolumeAttributesClassName: ptr(8, str()),
  modifyVolumeStatus: at(9, ModifyVolumeStatusSchema),
});

export const PersistentVolumeClaimSchema = resource({
  spec: at(2, PersistentVolumeClaimSpecSchema),
  status: at(3, PersistentVolumeClaimStatusSchema),
});

export interface PersistentVolumeClaim extends Infer<typeof PersistentVolumeClaimSchema> {}

export const PersistentVolumeClaim: Kind<PersistentVolumeClaim> = defineKind<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  shortNames: ["pvc"],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "A wish for storage.",
  schema: PersistentVolumeClaimSchema,
  columns: claimColumns,
  defaults: defaultClaim,
  validate: validateClaim,
});
