export {
  type BuildJudgement,
  type BuildVerdict,
  judgeBuild,
  judgeBuildPod,
  judgeTimeout,
} from "./judgeBuild.js";
export { judgeModel } from "./judgeModel.js";
export { judgePods, type PodsSeen, type PodsVerdict } from "./judgePods.js";
