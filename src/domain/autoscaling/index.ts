export { numActivators, type ServeMode, serveMode } from "./burst.js";
export { type Applied, type ApplyInput, boundsOf, decideApply } from "./decideApply.js";
export { type Decider, makeDecider } from "./decider.js";
export { judgeActive, leastReady } from "./judgeActive.js";
export { type PodModel, type ReplaySecond, replay, type Trace, type TracePoint } from "./replay.js";
export { initialScale, type ScalingSettings, scalingSettings } from "./settings.js";
export type { RevisionStat } from "./stat.types.js";
export { parseTrace, replaySettings } from "./trace.js";
