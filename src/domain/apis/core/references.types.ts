// References from one object to another, and selectors of nodes and fields (core/v1).
import { at, bool, embeddable, type Infer, inline, list, obj, ptr, quantity, str } from "../schema/index.js";

export const LocalObjectReferenceMessage = embeddable({
  name: at(1, str()),
});

export const LocalObjectReferenceSchema = obj(
  { ...LocalObjectReferenceMessage.fields },
  { "x-kubernetes-map-type": "atomic" },
);

export const ObjectReferenceSchema = obj(
  {
    kind: at(1, str()),
    namespace: at(2, str()),
    name: at(3, str()),
    uid: at(4, str()),
    apiVersion: at(5, str()),
    resourceVersion: at(6, str()),
    fieldPath: at(7, str()),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export interface ObjectReference extends Infer<typeof ObjectReferenceSchema> {}

export const TypedLocalObjectReferenceSchema = obj(
  {
    apiGroup: ptr(1, str()),
    kind: at(2, str()),
    name: at(3, str()),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const TypedObjectReferenceSchema = obj({
  apiGroup: ptr(1, str()),
  kind: at(2, str()),
  name: at(3, str()),
  namespace: ptr(4, str()),
});

export const ConfigMapKeySelectorSchema = obj(
  {
    ...inline(1, LocalObjectReferenceMessage),
    key: at(2, str()),
    optional: ptr(3, bool()),
  },
  { required: ["key"], "x-kubernetes-map-type": "atomic" },
);

export const SecretKeySelectorSchema = obj(
  {
    ...inline(1, LocalObjectReferenceMessage),
    key: at(2, str()),
    optional: ptr(3, bool()),
  },
  { required: ["key"], "x-kubernetes-map-type": "atomic" },
);

export const ObjectFieldSelectorSchema = obj(
  {
    apiVersion: at(1, str({ default: "v1" })),
    fieldPath: at(2, str()),
  },
  { required: ["fieldPath"], "x-kubernetes-map-type": "atomic" },
);

export const ResourceFieldSelectorSchema = obj(
  {
    containerName: at(1, str()),
    resource: at(2, str()),
    divisor: at(3, quantity()),
  },
  { required: ["resource"], "x-kubernetes-map-type": "atomic" },
);

export const NodeSelectorRequirementSchema = obj({
  key: at(1, str()),
  operator: at(2, str()),
  values: at(3, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const NodeSelectorTermSchema = obj(
  {
    matchExpressions: at(1, list(NodeSelectorRequirementSchema, { "x-kubernetes-list-type": "atomic" })),
    matchFields: at(2, list(NodeSelectorRequirementSchema, { "x-kubernetes-list-type": "atomic" })),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const NodeSelectorSchema = obj(
  {
    nodeSelectorTerms: at(1, list(NodeSelectorTermSchema, { "x-kubernetes-list-type": "atomic" })),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const ScopedResourceSelectorRequirementSchema = obj({
  scopeName: at(1, str()),
  operator: at(2, str()),
  values: at(3, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const ScopeSelectorSchema = obj({
  matchExpressions: at(
    1,
    list(ScopedResourceSelectorRequirementSchema, { "x-kubernetes-list-type": "atomic" }),
  ),
});
