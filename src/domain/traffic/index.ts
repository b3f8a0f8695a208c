export { groupsOf, splitOf, statusShares } from "./groups.js";
export { chooseDomain, localDomain, type Named, type Rendered, renderHost, renderTag } from "./hosts.js";
export {
  judgeProbe,
  judgeProbes,
  type ProbeAnswer,
  type ProbeAsked,
  type ProbeVerdict,
} from "./probe.js";
export { type Lookup, type ResolvedTraffic, resolveTraffic, type Share } from "./resolve.js";
export { advance, goalOf, isGradual, nextStepMs, type Rollout } from "./rollout.js";
export { readRollout, writeRollout } from "./rolloutText.js";
export { chooseArm, makeSplit, type Split, type Weighted } from "./split.js";
export { builtIn, type RevisionLimits, type RouteLimits, type Step, waterfall } from "./waterfall.js";
