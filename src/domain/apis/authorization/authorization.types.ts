// Reviews of access (authorization.k8s.io/v1).

import { LabelSelectorRequirementSchema, resource } from "../meta/meta.types.js";
import { at, bool, type Infer, list, map, obj, str } from "../schema/index.js";

export const FieldSelectorAttributesSchema = obj({
  rawSelector: at(1, str()),
  requirements: at(2, list(LabelSelectorRequirementSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const LabelSelectorAttributesSchema = obj({
  rawSelector: at(1, str()),
  requirements: at(2, list(LabelSelectorRequirementSchema, { "x-kubernetes-list-type": "atomic" })),
});

export const NonResourceAttributesSchema = obj({
  path: at(1, str()),
  verb: at(2, str()),
});

export interface NonResourceAttributes extends Infer<typeof NonResourceAttributesSchema> {}

export const NonResourceRuleSchema = obj({
  verbs: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
  nonResourceURLs: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const ResourceAttributesSchema = obj({
  namespace: at(1, str()),
  verb: at(2, str()),
  group: at(3, str()),
  version: at(4, str()),
  resource: at(5, str()),
  subresource: at(6, str()),
  name: at(7, str()),
  fieldSelector: at(8, FieldSelectorAttributesSchema),
  labelSelector: at(9, LabelSelectorAttributesSchema),
});

export interface ResourceAttributes extends Infer<typeof ResourceAttributesSchema> {}

export const ResourceRuleSchema = obj({
  verbs: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
  apiGroups: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
  resources: at(3, list(str(), { "x-kubernetes-list-type": "atomic" })),
  resourceNames: at(4, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const SelfSubjectAccessReviewSpecSchema = obj({
  resourceAttributes: at(1, ResourceAttributesSchema),
  nonResourceAttributes: at(2, NonResourceAttributesSchema),
});

export const SubjectAccessReviewStatusSchema = obj({
  allowed: at(1, bool()),
  reason: at(2, str()),
  evaluationError: at(3, str()),
  denied: at(4, bool()),
});

export interface SubjectAccessReviewStatus extends Infer<typeof SubjectAccessReviewStatusSchema> {}

export const SelfSubjectAccessReviewSchema = resource({
  spec: at(2, SelfSubjectAccessReviewSpecSchema),
  status: at(3, SubjectAccessReviewStatusSchema),
});

export interface SelfSubjectAccessReview extends Infer<typeof SelfSubjectAccessReviewSchema> {}

export const SelfSubjectRulesReviewSpecSchema = obj({
  namespace: at(1, str()),
});

export const SubjectRulesReviewStatusSchema = obj({
  resourceRules: at(1, list(ResourceRuleSchema, { "x-kubernetes-list-type": "atomic" })),
  nonResourceRules: at(2, list(NonResourceRuleSchema, { "x-kubernetes-list-type": "atomic" })),
  incomplete: at(3, bool()),
  evaluationError: at(4, str()),
});

export const SelfSubjectRulesReviewSchema = resource({
  spec: at(2, SelfSubjectRulesReviewSpecSchema),
  status: at(3, SubjectRulesReviewStatusSchema),
});

export interface SelfSubjectRulesReview extends Infer<typeof SelfSubjectRulesReviewSchema> {}

export const SubjectAccessReviewSpecSchema = obj({
  resourceAttributes: at(1, ResourceAttributesSchema),
  nonResourceAttributes: at(2, NonResourceAttributesSchema),
  user: at(3, str()),
  groups: at(4, list(str(), { "x-kubernetes-list-type": "atomic" })),
  extra: at(5, map(list(str()))),
  uid: at(6, str()),
});

export const SubjectAccessReviewSchema = resource({
  spec: at(2, SubjectAccessReviewSpecSchema),
  status: at(3, SubjectAccessReviewStatusSchema),
});

export interface SubjectAccessReview extends Infer<typeof SubjectAccessReviewSchema> {}
