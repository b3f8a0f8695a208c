// Reviews and requests of tokens (authentication.k8s.io/v1).

import { resource } from "../meta/meta.types.js";
import { at, bool, type Infer, int64, list, map, obj, ptr, str, time } from "../schema/index.js";

export const BoundObjectReferenceSchema = obj({
  kind: at(1, str()),
  apiVersion: at(2, str()),
  name: at(3, str()),
  uid: at(4, str()),
});

export const UserInfoSchema = obj({
  username: at(1, str()),
  uid: at(2, str()),
  groups: at(3, list(str(), { "x-kubernetes-list-type": "atomic" })),
  extra: at(4, map(list(str()))),
});

export interface UserInfo extends Infer<typeof UserInfoSchema> {}

export const SelfSubjectReviewStatusSchema = obj({
  userInfo: at(1, UserInfoSchema),
});

export const SelfSubjectReviewSchema = resource({
  status: at(2, SelfSubjectReviewStatusSchema),
});

export interface SelfSubjectReview extends Infer<typeof SelfSubjectReviewSchema> {}

export const TokenRequestSpecSchema = obj({
  audiences: at(1, list(str(), { "x-kubernetes-list-type": "atomic" })),
  boundObjectRef: at(3, BoundObjectReferenceSchema),
  expirationSeconds: ptr(4, int64({ default: 3600 })),
});

export const TokenRequestStatusSchema = obj({
  token: at(1, str()),
  expirationTimestamp: at(2, time()),
});

export const TokenRequestSchema = resource({
  spec: at(2, TokenRequestSpecSchema),
  status: at(3, TokenRequestStatusSchema),
});

export interface TokenRequest extends Infer<typeof TokenRequestSchema> {}

export const TokenReviewSpecSchema = obj({
  token: at(1, str()),
  audiences: at(2, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const TokenReviewStatusSchema = obj({
  authenticated: at(1, bool()),
  user: at(2, UserInfoSchema),
  error: at(3, str()),
  audiences: at(4, list(str(), { "x-kubernetes-list-type": "atomic" })),
});

export const TokenReviewSchema = resource({
  spec: at(2, TokenReviewSpecSchema),
  status: at(3, TokenReviewStatusSchema),
});

export interface TokenReview extends Infer<typeof TokenReviewSchema> {}
