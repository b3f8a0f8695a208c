// Reviews: may someone do something, and who am I (authorization.k8s.io and authentication.k8s.io).
import {
  type SelfSubjectReview,
  SelfSubjectReviewSchema,
  TokenReviewSchema,
} from "../../domain/apis/authentication/authentication.types.js";
import {
  type NonResourceAttributes,
  type ResourceAttributes,
  SelfSubjectAccessReviewSchema,
  SelfSubjectRulesReviewSchema,
  type SubjectAccessReview,
  SubjectAccessReviewSchema,
} from "../../domain/apis/authorization/authorization.types.js";
import { fieldErrors } from "../../domain/apis/meta/fieldError.js";
import type { PolicyRule } from "../../domain/apis/rbac/rbac.types.js";
import type { Schema } from "../../domain/apis/schema/index.js";
import type { Authenticator } from "../auth/authenticate.js";
import type { Deed } from "../auth/authorize.js";
import { readBody } from "../http/body.js";
import type { Call } from "../http/call.js";
import type { ResourcePath } from "../http/path.js";
import { answer } from "../http/respond.js";
import type { User } from "../registry/index.js";
import { badRequest, invalid } from "../status.js";
import type { Virtual } from "./virtual.js";

const authorization = { group: "authorization.k8s.io", version: "v1", verbs: ["create"] } as const;
const authentication = { group: "authentication.k8s.io", version: "v1", verbs: ["create"] } as const;

type Spec = NonNullable<SubjectAccessReview["spec"]>;

export function reviews(authenticator: Authenticator): readonly Virtual[] {
  const access = (
    plural: string,
    kind: string,
    schema: Schema,
    namespaced: boolean,
    whose: (call: Call, spec: Spec) => User,
  ): Virtual => ({
    ...authorization,
    plural,
    singular: kind.toLowerCase(),
    kind,
    namespaced,
    answer: async (call, path) => {
      const review = await reviewOf(call, kind, schema);
      const spec = (review["spec"] ?? {}) as Spec;
      const deed = deedOf(kind, spec, path);
      const allowed = call.house.authorizer.allows(whose(call, spec), deed);
      await answer(call, 201, { ...review, status: { allowed } });
    },
  });

  return [
    access(
      "selfsubjectaccessreviews",
      "SelfSubjectAccessReview",
      SelfSubjectAccessReviewSchema,
      false,
      ({ user }) => user,
    ),
    access("subjectaccessreviews", "SubjectAccessReview", SubjectAccessReviewSchema, false, (_call, spec) =>
      subjectOf(spec),
    ),
    access(
      "localsubjectaccessreviews",
      "LocalSubjectAccessReview",
      SubjectAccessReviewSchema,
      true,
      (_call, spec) => subjectOf(spec),
    ),
    {
      ...authorization,
      plural: "selfsubjectrulesreviews",
      singular: "selfsubjectrulesreview",
      kind: "SelfSubjectRulesReview",
      namespaced: false,
      answer: async (call) => {
        const review = await reviewOf(call, "SelfSubjectRulesReview", SelfSubjectRulesReviewSchema);
        const { namespace = "" } = (review["spec"] ?? {}) as { readonly namespace?: string };
        const rules = call.house.authorizer.rules(call.user, namespace);
        await answer(call, 201, { ...review, status: rulesStatus(rules) });
      },
    },
    {
      ...authentication,
      plural: "selfsubjectreviews",
      singular: "selfsubjectreview",
      kind: "SelfSubjectReview",
      namespaced: false,
      answer: async (call) => {
        const review = await reviewOf(call, "SelfSubjectReview", SelfSubjectReviewSchema);
        const status: SelfSubjectReview["status"] = { userInfo: userInfo(call.user) };
        await answer(call, 201, { ...review, status });
      },
    },
    {
      ...authentication,
      plural: "tokenreviews",
      singular: "tokenreview",
      kind: "TokenReview",
      namespaced: false,
      answer: async (call) => {
        const review = await reviewOf(call, "TokenReview", TokenReviewSchema);
        const { token = "" } = (review["spec"] ?? {}) as { readonly token?: string };
        const user = token === "" ? undefined : authenticator.bearer(token);
        const status =
          user === undefined
            ? { user: {}, error: "invalid bearer token" }
            : { authenticated: true, user: userInfo(user) };
        await answer(call, 201, { ...review, status });
      },
    },
  ];
}

async function reviewOf(
  call: Call,
  kind: string,
  schema: Schema,
): Promise<{ readonly [name: string]: unknown }> {
  const body = await readBody(call.request, kind, (_apiVersion, named) =>
    named === kind ? schema : undefined,
  );
  const value = body?.value ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw badRequest(`the body is not a ${kind}`);
  const { metadata, spec } = value as { readonly metadata?: object; readonly spec?: unknown };
  const group =
    kind.endsWith("AccessReview") || kind.endsWith("RulesReview")
      ? authorization.group
      : authentication.group;
  return {
    kind,
    apiVersion: `${group}/v1`,
    metadata: metadata ?? {},
    ...(spec === undefined ? {} : { spec }),
  };
}

function deedOf(kind: string, spec: Spec, path: ResourcePath): Deed {
  const about = spec.resourceAttributes as ResourceAttributes | undefined;
  const outside = spec.nonResourceAttributes as NonResourceAttributes | undefined;
  if ((about === undefined) === (outside === undefined)) {
    throw invalid({ group: authorization.group, kind }, "", [
      fieldErrors.invalid(
        "spec.resourceAttributes",
        null,
        "exactly one of nonResourceAttributes or resourceAttributes must be specified",
      ),
    ]);
  }
  const { resource = "", subresource = "" } = about ?? {};
  return {
    verb: about?.verb ?? outside?.verb ?? "",
    group: about?.group ?? "",
    resource: subresource === "" ? resource : `${resource}/${subresource}`,
    name: about?.name ?? "",
    namespace: about?.namespace ?? path.namespace,
    path: outside?.path ?? "",
  };
}

function subjectOf(spec: Spec): User {
  return { name: spec.user ?? "", groups: spec.groups ?? [] };
}

function userInfo(user: User) {
  return {
    username: user.name,
    groups: user.groups,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}

function rulesStatus(rules: readonly PolicyRule[]) {
  return {
    resourceRules: rules.filter((rule) => rule.resources !== undefined),
    nonResourceRules: rules
      .filter((rule) => rule.nonResourceURLs !== undefined)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
}
