// Endpoints (core/v1).

import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { at, type Infer, int32, list, obj, ptr, str } from "../schema/index.js";
import { endpointsColumns } from "./endpoints.columns.js";
import { ObjectReferenceSchema } from "./references.types.js";

/**
 * JSON {"<pod>": "<container>"} of pods whose server runs: what was sent to a pod before its entry changed, or went,
 * will not be answered. An address that is not ready any more says less: it may finish what it has.
 */
export const livesAnnotation = "drydock.dev/lives";

export const EndpointAddressSchema = obj(
  {
    ip: at(1, str()),
    targetRef: at(2, ObjectReferenceSchema),
    hostname: at(3, str()),
    nodeName: ptr(4, str()),
  },
  { required: ["ip"], "x-kubernetes-map-type": "atomic" },
);

export interface EndpointAddress extends Infer<typeof EndpointAddressSchema> {}

export const EndpointPortSchema = obj(
  {
    name: at(1, str()),
    port: at(2, int32()),
    protocol: at(3, str({ default: "TCP" })),
    appProtocol: ptr(4, str()),
  },
  { required: ["port"], "x-kubernetes-map-type": "atomic" },
);

export const EndpointSubsetSchema = obj({
  addresses: at(1, list(EndpointAddressSchema, { "x-kubernetes-list-type": "atomic" })),
  notReadyAddresses: at(2, list(EndpointAddressSchema, { "x-kubernetes-list-type": "atomic" })),
  ports: at(3, list(EndpointPortSchema, { "x-kubernetes-list-type": "atomic" })),
});

export interface EndpointSubset extends Infer<typeof EndpointSubsetSchema> {}

export const EndpointsSchema = resource({
  subsets: at(2, list(EndpointSubsetSchema, { "x-kubernetes-list-type": "atomic" })),
});

export interface Endpoints extends Infer<typeof EndpointsSchema> {}

export const Endpoints: Kind<Endpoints> = defineKind<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  shortNames: ["ep"],
  categories: [],
  namespaced: true,
  flavour: "builtin",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "subdomain",
  fieldSelectors: [],
  description: "The addresses behind a Service.",
  schema: EndpointsSchema,
  columns: endpointsColumns,
});
