export { jsonPatch } from "./jsonPatch.js";
export { mergePatch } from "./mergePatch.js";
export type { PatchInvalid, PatchOutcome } from "./outcome.js";
export {
  type ApplyConflict,
  type ApplyOutcome,
  type ApplyRequest,
  serverSideApply,
} from "./serverSideApply.js";
export { strategicMerge } from "./strategicMerge.js";
export { trackUpdate, type UpdateToTrack } from "./trackUpdate.js";
