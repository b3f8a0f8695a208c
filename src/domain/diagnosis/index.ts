export { judgeModel } from "./judgeModel.js";
export { judgePods, type PodsVerdict } from "./judgePods.js";
