export { fillPlaceholders, mergeContainer, type Placeholders, withTag } from "./merge.js";
export { type Selection, selectRuntime } from "./select.js";
