// EndpointSlice (discovery.k8s.io/v1).

import { ObjectReferenceSchema } from "../core/references.types.js";
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { at, bool, type Infer, int32, keyed, list, map, obj, ptr, str } from "../schema/index.js";
import { endpointSliceColumns } from "./discovery.columns.js";
import { defaultEndpointSlice } from "./discovery.defaults.js";
import { validateEndpointSlice } from "./discovery.validation.js";

export const EndpointConditionsSchema = obj({
  ready: ptr(1, bool()),
  serving: ptr(2, bool()),
  terminating: ptr(3, bool()),
});

export const ForZoneSchema = obj({
  name: at(1, str()),
});

export const EndpointHintsSchema = obj({
  forZones: at(1, list(ForZoneSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const EndpointSchema = obj(
  {
    addresses: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
    conditions: at(2, EndpointConditionsSchema),
    hostname: ptr(3, str()),
    targetRef: at(4, ObjectReferenceSchema),
    deprecatedTopology: at(5, map(str())),
    nodeName: ptr(6, str()),
    zone: ptr(7, str()),
    hints: at(8, EndpointHintsSchema),
  },
  { required: ["addresses"] },
);

export interface Endpoint extends Infer<typeof EndpointSchema> {}

export const EndpointPortSchema = obj(
  {
    name: ptr(1, str()),
    protocol: at(2, str({ default: "TCP" })),
    port: ptr(3, int32()),
    appProtocol: ptr(4, str()),
  },
  { required: ["port"], "x-kubernetes-map-type": "atomic" },
);

export const EndpointSliceSchema = resource(
  {
    endpoints: at(2, list(EndpointSchema, { "x-kubernetes-list-type": "atomic" })),
    ports: at(3, keyed(EndpointPortSchema, ["name"])),
    addressType: at(4, str()),
  },
  { required: ["addressType", "endpoints"] },
);

export interface EndpointSlice extends Infer<typeof EndpointSliceSchema> {}

export const EndpointSlice: Kind<EndpointSlice> = defineKind<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  shortNames: [],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: true,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "A part of the addresses behind a Service.",
  schema: EndpointSliceSchema,
  columns: endpointSliceColumns,
  defaults: defaultEndpointSlice,
  validate: validateEndpointSlice,
});
