// RequestAuthentication and AuthorizationPolicy: who calls, and what they may (security.istio.io).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { anyObject, bool, type Infer, list, map, obj, str } from "../schema/index.js";
import { judgeAuthorizationPolicy, judgeRequestAuthentication } from "./security.admission.js";

const SelectorSchema = obj({ matchLabels: map(str()) });
const TargetRefSchema = obj({ group: str(), kind: str(), name: str(), namespace: str() });

const JwtRuleSchema = obj({
  issuer: str({ description: "Who must have issued the token: its iss." }),
  audiences: list(str(), { description: "The token's aud must name one of them; none given takes any." }),
  jwksUri: str({ description: "Where the issuer publishes its keys." }),
  jwks: str({ description: "The issuer's keys themselves." }),
  fromHeaders: list(obj({ name: str(), prefix: str() }, { required: ["name"] })),
  fromParams: list(str()),
  fromCookies: list(str()),
  outputPayloadToHeader: str({ description: "Pods get the token's payload in this header, base64url." }),
  forwardOriginalToken: bool({ description: "Pods get the token as well." }),
  outputClaimToHeaders: list(obj({ header: str(), claim: str() }, { required: ["header", "claim"] })),
  timeout: str(),
});
export type JwtRule = Infer<typeof JwtRuleSchema>;

const RequestAuthenticationSchema = resource(
  {
    spec: obj({
      selector: SelectorSchema,
      targetRef: TargetRefSchema,
      targetRefs: list(TargetRefSchema),
      jwtRules: list(JwtRuleSchema, { description: "Tokens that are accepted; any other is refused." }),
    }),
    status: anyObject(),
  },
  { description: "Which tokens are accepted." },
);
export interface RequestAuthentication extends Infer<typeof RequestAuthenticationSchema> {}

export const RequestAuthentication: Kind<RequestAuthentication> = defineKind<RequestAuthentication>({
  group: "security.istio.io",
  version: "v1",
  kind: "RequestAuthentication",
  plural: "requestauthentications",
  shortNames: ["ra"],
  categories: ["istio-io", "security-istio-io"],
  alsoServedAs: ["v1beta1"],
  description: "Which tokens are accepted.",
  schema: RequestAuthenticationSchema,
  webhook: judgeRequestAuthentication,
  columns: [{ name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" }],
});

const strings = list(str());
const SourceSchema = obj({
  principals: strings,
  notPrincipals: strings,
  requestPrincipals: strings,
  notRequestPrincipals: strings,
  namespaces: strings,
  notNamespaces: strings,
  serviceAccounts: strings,
  notServiceAccounts: strings,
  ipBlocks: strings,
  notIpBlocks: strings,
  remoteIpBlocks: strings,
  notRemoteIpBlocks: strings,
});
export type Source = Infer<typeof SourceSchema>;

const OperationSchema = obj({
  hosts: strings,
  notHosts: strings,
  ports: strings,
  notPorts: strings,
  methods: strings,
  notMethods: strings,
  paths: strings,
  notPaths: strings,
});
export type Operation = Infer<typeof OperationSchema>;

const ConditionSchema = obj({ key: str(), values: strings, notValues: strings }, { required: ["key"] });
export type When = Infer<typeof ConditionSchema>;

const PolicyRuleSchema = obj({
  from: list(obj({ source: SourceSchema })),
  to: list(obj({ operation: OperationSchema })),
  when: list(ConditionSchema),
});
export type PolicyRule = Infer<typeof PolicyRuleSchema>;

const AuthorizationPolicySchema = resource(
  {
    spec: obj({
      selector: SelectorSchema,
      targetRef: TargetRefSchema,
      targetRefs: list(TargetRefSchema),
      action: str({ description: "ALLOW unless said; DENY goes before it, AUDIT refuses nothing." }),
      rules: list(PolicyRuleSchema, {
        description: "Any one that matches is enough. None at all never matches.",
      }),
      provider: obj({ name: str() }),
    }),
    status: anyObject(),
  },
  { description: "Who may do what." },
);
export interface AuthorizationPolicy extends Infer<typeof AuthorizationPolicySchema> {}

export const AuthorizationPolicy: Kind<AuthorizationPolicy> = defineKind<AuthorizationPolicy>({
  group: "security.istio.io",
  version: "v1",
  kind: "AuthorizationPolicy",
  plural: "authorizationpolicies",
  shortNames: ["ap"],
  categories: ["istio-io", "security-istio-io"],
  alsoServedAs: ["v1beta1"],
  description: "Who may do what.",
  schema: AuthorizationPolicySchema,
  webhook: judgeAuthorizationPolicy,
  columns: [
    {
      name: "Action",
      type: "string",
      jsonPath: ".spec.action",
      description: "What becomes of what matches.",
    },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
});
