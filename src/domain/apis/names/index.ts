export {
  dataKeyProblems,
  generatedName,
  labelKeyProblems,
  labelProblems,
  labelValueProblems,
  nameProblems,
  nameSuffix,
} from "./names.js";
export { annotationErrors, labelErrors, validateObjectMeta } from "./objectMeta.js";
