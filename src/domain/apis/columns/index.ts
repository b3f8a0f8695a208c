export { ageText, durationText } from "./age.js";
export { ageColumn, createdAtColumn, joinedOrNone, nameColumn, none, number, text, wide } from "./common.js";
export { containerImages, containerNames, firstFew, labelsText, selectorText } from "./workload.js";
