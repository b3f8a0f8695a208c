export { numActivators, type ServeMode, serveMode } from "./burst.js";
export { type Applied, type ApplyInput, boundsOf, decideApply } from "./decideApply.js";
export {
  decideScale,
  firstBurstCapacity,
  firstMemory,
  type Observation,
  type ScaleDecision,
  type ScaleMemory,
  tickMs,
} from "./decideScale.js";
export { judgeActive, leastReady } from "./judgeActive.js";
export { initialScale, type ScalingSettings, scalingSettings } from "./settings.js";
export type { RevisionStat } from "./stat.types.js";
export { type Aggregation, makeWindow, type Window } from "./window.js";
