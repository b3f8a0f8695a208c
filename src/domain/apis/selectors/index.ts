export { type FieldMatcher, type ParsedFieldSelector, parseFieldSelector } from "./fields.js";
export {
  type LabelMatcher,
  type Labels,
  labelSelectorMatches,
  labelSelectorText,
  type ParsedLabelSelector,
  parseLabelSelector,
} from "./labels.js";
