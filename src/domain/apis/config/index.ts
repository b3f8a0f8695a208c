export { readServingConfig, servingConfigNames } from "./servingConfig.js";
export type * from "./servingConfig.types.js";
