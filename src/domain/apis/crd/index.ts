export {
  type CrdSpec,
  type CrdVersion,
  CustomResourceDefinition,
  CustomResourceDefinitionSchema,
} from "./crd.types.js";
export { crdOfKind } from "./crdOfKind.js";
export { type CustomKind, kindsOfCrd } from "./kindsOfCrd.js";
export { newestFirst } from "./versions.js";
