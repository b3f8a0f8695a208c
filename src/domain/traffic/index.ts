export { groupsOf, type Lookup, type ResolvedTraffic, resolveTraffic, type Share } from "./resolve.js";
export { chooseArm, makeSplit, type Split, type Weighted } from "./split.js";
