export { exampleChecksum, exampleChecksumAnnotation, exampleKey, exampleOf } from "./example.js";
export { parseTemplate, type Template, type TemplateData } from "./goTemplate.js";
export { readServingConfig, servingConfigMaps, servingConfigNames } from "./servingConfig.js";
export type * from "./servingConfig.types.js";
