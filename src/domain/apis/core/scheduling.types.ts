// Affinity, tolerations and spread: accepted and kept; one machine has nothing to choose (core/v1).

import { LabelSelectorSchema } from "../meta/meta.types.js";
import { at, type Infer, int32, int64, list, obj, ptr, str } from "../schema/index.js";
import { NodeSelectorSchema, NodeSelectorTermSchema } from "./references.types.js";

export const PreferredSchedulingTermSchema = obj({
  weight: at(1, int32()),
  preference: at(2, NodeSelectorTermSchema),
});

export const NodeAffinitySchema = obj({
  requiredDuringSchedulingIgnoredDuringExecution: at(1, NodeSelectorSchema),
  preferredDuringSchedulingIgnoredDuringExecution: at(
    2,
    list(PreferredSchedulingTermSchema, { "x-kubernetes-list-type": "atomic" }),
  ),
});

export const PodAffinityTermSchema = obj({
  labelSelector: at(1, LabelSelectorSchema),
  namespaces: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
  topologyKey: at(3, str()),
  namespaceSelector: at(4, LabelSelectorSchema),
  matchLabelKeys: at(5, list(str(), { "x-kubernetes-list-type": "atomic" })),
  mismatchLabelKeys: at(6, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const WeightedPodAffinityTermSchema = obj({
  weight: at(1, int32()),
  podAffinityTerm: at(2, PodAffinityTermSchema),
});

export const PodAffinitySchema = obj({
  requiredDuringSchedulingIgnoredDuringExecution: at(
    1,
    list(PodAffinityTermSchema, { "x-kubernetes-list-type": "atomic" }),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: at(
    2,
    list(WeightedPodAffinityTermSchema, { "x-kubernetes-list-type": "atomic" }),
  ),
});

export const PodAntiAffinitySchema = obj({
  requiredDuringSchedulingIgnoredDuringExecution: at(
    1,
    list(PodAffinityTermSchema, { "x-kubernetes-list-type": "atomic" }),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: at(
    2,
    list(WeightedPodAffinityTermSchema, { "x-kubernetes-list-type": "atomic" }),
  ),
});

export const AffinitySchema = obj({
  nodeAffinity: at(1, NodeAffinitySchema),
  podAffinity: at(2, PodAffinitySchema),
  podAntiAffinity: at(3, PodAntiAffinitySchema),
});

export const TolerationSchema = obj({
  key: at(1, str()),
  operator: at(2, str()),
  value: at(3, str()),
  effect: at(4, str()),
  tolerationSeconds: ptr(5, int64()),
});

export interface Toleration extends Infer<typeof TolerationSchema> {}

export const TopologySpreadConstraintSchema = obj({
  maxSkew: at(1, int32()),
  topologyKey: at(2, str()),
  whenUnsatisfiable: at(3, str()),
  labelSelector: at(4, LabelSelectorSchema),
  minDomains: ptr(5, int32()),
  nodeAffinityPolicy: at(6, str()),
  nodeTaintsPolicy: at(7, str()),
  matchLabelKeys: at(8, list(str(), { "x-kubernetes-list-type": "atomic" })),
});
