// CustomResourceDefinition (apiextensions.k8s.io/v1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import {
  anyObject,
  bool,
  type Infer,
  int32,
  int64,
  keyed,
  list,
  obj,
  oneOfStrings,
  str,
  time,
} from "../schema/index.js";
import { defaultCrd } from "./crd.defaults.js";
import { validateCrd } from "./crd.validation.js";

const namesSchema = obj(
  {
    plural: str({ description: "The name in paths." }),
    singular: str({ description: "One of them; kind in lower case unless set." }),
    shortNames: list(str(), { "x-kubernetes-list-type": "atomic" }),
    kind: str({ description: "The kind, in CamelCase." }),
    listKind: str({ description: "The kind of lists; kind followed by List unless set." }),
    categories: list(str(), { "x-kubernetes-list-type": "atomic" }),
  },
  { required: ["plural", "kind"] },
);

const columnSchema = obj(
  {
    name: str(),
    type: str(),
    format: str(),
    description: str(),
    priority: int32(),
    jsonPath: str(),
  },
  { required: ["name", "type", "jsonPath"] },
);

const versionSchema = obj(
  {
    name: str(),
    served: bool(),
    storage: bool(),
    deprecated: bool(),
    deprecationWarning: str(),
    schema: obj({ openAPIV3Schema: anyObject() }),
    subresources: obj({
      status: anyObject(),
      scale: obj(
        { specReplicasPath: str(), statusReplicasPath: str(), labelSelectorPath: str() },
        { required: ["specReplicasPath", "statusReplicasPath"] },
      ),
    }),
    additionalPrinterColumns: list(columnSchema, { "x-kubernetes-list-type": "atomic" }),
    selectableFields: list(obj({ jsonPath: str() }, { required: ["jsonPath"] }), {
      "x-kubernetes-list-type": "atomic",
    }),
  },
  { required: ["name", "served", "storage"] },
);

const conditionSchema = obj(
  { type: str(), status: str(), lastTransitionTime: time(), reason: str(), message: str() },
  { required: ["type", "status"] },
);

export const CustomResourceDefinitionSchema = resource(
  {
    spec: obj(
      {
        group: str(),
        names: namesSchema,
        scope: oneOfStrings(["Cluster", "Namespaced"]),
        versions: list(versionSchema, { "x-kubernetes-list-type": "atomic" }),
        conversion: obj(
          { strategy: str(), webhook: anyObject() },
          { required: ["strategy"], default: { strategy: "None" } },
        ),
        preserveUnknownFields: bool(),
      },
      { required: ["group", "names", "scope", "versions"] },
    ),
    status: obj({
      conditions: keyed(conditionSchema, ["type"]),
      acceptedNames: namesSchema,
      storedVersions: list(str(), { "x-kubernetes-list-type": "atomic" }),
      observedGeneration: int64(),
    }),
  },
  { required: ["spec"] },
);

export interface CustomResourceDefinition extends Infer<typeof CustomResourceDefinitionSchema> {}
export type CrdSpec = CustomResourceDefinition["spec"];
export type CrdVersion = CrdSpec["versions"][number];

export const CustomResourceDefinition: Kind<CustomResourceDefinition> = defineKind<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  namespaced: false,
  flavour: "builtin",
  hasStatus: true,
  hasGeneration: true,
  description: "A kind of the user's own.",
  schema: CustomResourceDefinitionSchema,
  defaults: defaultCrd,
  validate: validateCrd,
});
