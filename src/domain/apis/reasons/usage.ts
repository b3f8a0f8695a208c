// What a HorizontalPodAutoscaler says, in Kubernetes' own words.
import type { Reason } from "./reason.js";

const scenarios = { none: "It stays at the HorizontalPodAutoscaler, and is no failure of a model." };
const nothing = "Nothing.";

export const usageReasons: readonly Reason[] = [
  {
    reason: "SucceededGetScale",
    on: ["HorizontalPodAutoscaler AbleToScale"],
    means: "Its target is there and can be scaled.",
    seen: "The target's replicas.",
    todo: nothing,
    scenarios,
  },
  {
    reason: "FailedGetScale",
    on: ["HorizontalPodAutoscaler AbleToScale"],
    means: "Its target cannot be scaled.",
    seen: "No object of that name, or one of a kind without replicas.",
    todo: "Correct spec.scaleTargetRef: a Deployment or a ReplicaSet of the same namespace.",
    scenarios,
  },
  {
    reason: "ReadyForNewScale",
    on: ["HorizontalPodAutoscaler AbleToScale"],
    means: "There are as many pods as there should be.",
    seen: "What was worked out is what is there.",
    todo: nothing,
    scenarios,
  },
  {
    reason: "SucceededRescale",
    on: ["HorizontalPodAutoscaler AbleToScale"],
    means: "The number of pods was just changed.",
    seen: "The message has the new number.",
    todo: nothing,
    scenarios,
  },
  {
    reason: "ScaleDownStabilized",
    on: ["HorizontalPodAutoscaler AbleToScale"],
    means: "Fewer pods would do now, and more were wanted a short while ago.",
    seen: "The highest wish of the stabilization window, five minutes unless said.",
    todo: "Nothing; or shorten spec.behavior.scaleDown.stabilizationWindowSeconds.",
    scenarios,
  },
  {
    reason: "ScaleUpStabilized",
    on: ["HorizontalPodAutoscaler AbleToScale"],
    means: "More pods are wanted now, and fewer were a short while ago.",
    seen: "The lowest wish of spec.behavior.scaleUp.stabilizationWindowSeconds.",
    todo: nothing,
    scenarios,
  },
  {
    reason: "ValidMetricFound",
    on: ["HorizontalPodAutoscaler ScalingActive"],
    means: "Its pods were measured.",
    seen: "The metric that asks for the most pods.",
    todo: nothing,
    scenarios,
  },
  {
    reason: "ScalingDisabled",
    on: ["HorizontalPodAutoscaler ScalingActive"],
    means: "Somebody scaled its target to zero, and it leaves that so.",
    seen: "The target has no replicas.",
    todo: "Scale the target to one, and it is followed again.",
    scenarios,
  },
  {
    reason: "FailedGetResourceMetric",
    on: ["HorizontalPodAutoscaler ScalingActive"],
    means: "What its pods use is not known, or not what share of their request that is.",
    seen: "No measured pod that is ready, or a container without a request for that resource.",
    todo: "Wait for a pod to be ready; or set resources.requests in the pod's containers.",
    scenarios,
  },
  {
    reason: "FailedGetContainerResourceMetric",
    on: ["HorizontalPodAutoscaler ScalingActive"],
    means: "What that container of its pods uses is not known.",
    seen: "No measured container of that name, or one without a request.",
    todo: "Correct the container's name, or set its resources.requests.",
    scenarios,
  },
  {
    reason: "DesiredWithinRange",
    on: ["HorizontalPodAutoscaler ScalingLimited"],
    means: "Neither bound nor policy stands in the way.",
    seen: "What is wanted lies between minReplicas and maxReplicas.",
    todo: nothing,
    scenarios,
  },
];
