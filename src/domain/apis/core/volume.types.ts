// What a volume can be made of, and how it is mounted (core/v1).
import {
  at,
  bool,
  embeddable,
  type Infer,
  inline,
  int32,
  int64,
  list,
  map,
  obj,
  ptr,
  quantity,
  str,
} from "../schema/index.js";
import { PersistentVolumeClaimTemplateSchema } from "./claim.types.js";
import {
  LocalObjectReferenceMessage,
  LocalObjectReferenceSchema,
  ObjectFieldSelectorSchema,
  ResourceFieldSelectorSchema,
} from "./references.types.js";

export const HostPathVolumeSourceSchema = obj(
  {
    path: at(1, str()),
    type: at(2, str()),
  },
  { required: ["path"] },
);

export const EmptyDirVolumeSourceSchema = obj({
  medium: at(1, str()),
  sizeLimit: at(2, quantity()),
});

export const KeyToPathSchema = obj(
  {
    key: at(1, str()),
    path: at(2, str()),
    mode: ptr(3, int32()),
  },
  { required: ["key", "path"] },
);

export interface KeyToPath extends Infer<typeof KeyToPathSchema> {}

export const SecretVolumeSourceSchema = obj({
  secretName: at(1, str()),
  items: at(2, list(KeyToPathSchema, { "x-kubernetes-list-type": "atomic" })),
  defaultMode: ptr(3, int32({ default: 420 })),
  optional: ptr(4, bool()),
});

export interface SecretVolumeSource extends Infer<typeof SecretVolumeSourceSchema> {}

export const NFSVolumeSourceSchema = obj({
  server: at(1, str()),
  path: at(2, str()),
  readOnly: at(3, bool()),
});

export const PersistentVolumeClaimVolumeSourceSchema = obj(
  {
    claimName: at(1, str()),
    readOnly: at(2, bool()),
  },
  { required: ["claimName"] },
);

export const DownwardAPIVolumeFileSchema = obj(
  {
    path: at(1, str()),
    fieldRef: at(2, ObjectFieldSelectorSchema),
    resourceFieldRef: at(3, ResourceFieldSelectorSchema),
    mode: ptr(4, int32()),
  },
  { required: ["path"] },
);

export interface DownwardAPIVolumeFile extends Infer<typeof DownwardAPIVolumeFileSchema> {}

export const DownwardAPIVolumeSourceSchema = obj({
  items: at(1, list(DownwardAPIVolumeFileSchema, { "x-kubernetes-list-type": "atomic" })),
  defaultMode: ptr(2, int32({ default: 420 })),
});

export const ConfigMapVolumeSourceSchema = obj({
  ...inline(1, LocalObjectReferenceMessage),
  items: at(2, list(KeyToPathSchema, { "x-kubernetes-list-type": "atomic" })),
  defaultMode: ptr(3, int32({ default: 420 })),
  optional: ptr(4, bool()),
});

export interface ConfigMapVolumeSource extends Infer<typeof ConfigMapVolumeSourceSchema> {}

export const SecretProjectionSchema = obj({
  ...inline(1, LocalObjectReferenceMessage),
  items: at(2, list(KeyToPathSchema, { "x-kubernetes-list-type": "atomic" })),
  optional: ptr(4, bool()),
});

export const DownwardAPIProjectionSchema = obj({
  items: at(1, list(DownwardAPIVolumeFileSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const ConfigMapProjectionSchema = obj({
  ...inline(1, LocalObjectReferenceMessage),
  items: at(2, list(KeyToPathSchema, { "x-kubernetes-list-type": "atomic" })),
  optional: ptr(4, bool()),
});

export const ServiceAccountTokenProjectionSchema = obj({
  audience: at(1, str()),
  expirationSeconds: ptr(2, int64({ default: 3600 })),
  path: at(3, str()),
});

export const VolumeProjectionSchema = obj({
  secret: at(1, SecretProjectionSchema),
  downwardAPI: at(2, DownwardAPIProjectionSchema),
  configMap: at(3, ConfigMapProjectionSchema),
  serviceAccountToken: at(4, ServiceAccountTokenProjectionSchema),
});

export const ProjectedVolumeSourceSchema = obj({
  sources: at(1, list(VolumeProjectionSchema, { "x-kubernetes-list-type": "atomic" })),
  defaultMode: ptr(2, int32({ default: 420 })),
});

export interface ProjectedVolumeSource extends Infer<typeof ProjectedVolumeSourceSchema> {}

export const CSIVolumeSourceSchema = obj({
  driver: at(1, str()),
  readOnly: ptr(2, bool()),
  fsType: ptr(3, str()),
  volumeAttributes: at(4, map(str())),
  nodePublishSecretRef: at(5, LocalObjectReferenceSchema),
});

export const EphemeralVolumeSourceSchema = obj({
  volumeClaimTemplate: at(1, PersistentVolumeClaimTemplateSchema),
});

export const ImageVolumeSourceSchema = obj({
  reference: at(1, str()),
  pullPolicy: at(2, str()),
});

export const VolumeSourceMessage = embeddable({
  hostPath: at(1, HostPathVolumeSourceSchema),
  emptyDir: at(2, EmptyDirVolumeSourceSchema),
  secret: at(6, SecretVolumeSourceSchema),
  nfs: at(7, NFSVolumeSourceSchema),
  persistentVolumeClaim: at(10, PersistentVolumeClaimVolumeSourceSchema),
  downwardAPI: at(16, DownwardAPIVolumeSourceSchema),
  configMap: at(19, ConfigMapVolumeSourceSchema),
  projected: at(26, ProjectedVolumeSourceSchema),
  csi: at(28, CSIVolumeSourceSchema),
  ephemeral: at(29, EphemeralVolumeSourceSchema),
  image: at(30, ImageVolumeSourceSchema),
});

export const VolumeSchema = obj(
  {
    name: at(1, str()),
    ...inline(2, VolumeSourceMessage),
  },
  { required: ["name"] },
);

export interface Volume extends Infer<typeof VolumeSchema> {}

export const VolumeMountSchema = obj(
  {
    name: at(1, str()),
    readOnly: at(2, bool()),
    mountPath: at(3, str()),
    subPath: at(4, str()),
    mountPropagation: at(5, str()),
    subPathExpr: at(6, str()),
    recursiveReadOnly: at(7, str()),
  },
  { required: ["name", "mountPath"] },
);

export interface VolumeMount extends Infer<typeof VolumeMountSchema> {}

export const VolumeDeviceSchema = obj({
  name: at(1, str()),
  devicePath: at(2, str()),
});
