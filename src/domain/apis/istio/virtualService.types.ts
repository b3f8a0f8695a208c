// VirtualService: the language between control plane and data plane (networking.istio.io).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { anyObject, bool, bytes, double, type Infer, int32, list, map, obj, str } from "../schema/index.js";
import { judgeVirtualService } from "./virtualService.admission.js";

const StringMatchSchema = obj({ exact: str(), prefix: str(), regex: str() });

const HeaderOperationsSchema = obj({ set: map(str()), add: map(str()), remove: list(str()) });
const HeadersSchema = obj({ request: HeaderOperationsSchema, response: HeaderOperationsSchema });

const MatchSchema = obj({
  name: str(),
  uri: StringMatchSchema,
  scheme: StringMatchSchema,
  method: StringMatchSchema,
  authority: StringMatchSchema,
  headers: map(StringMatchSchema),
  withoutHeaders: map(StringMatchSchema),
  queryParams: map(StringMatchSchema),
  port: int32(),
  gateways: list(str()),
  sourceNamespace: str(),
  sourceLabels: map(str()),
  statPrefix: str(),
  ignoreUriCase: bool(),
});

const DestinationSchema = obj(
  { host: str(), subset: str(), port: obj({ number: int32() }) },
  { required: ["host"] },
);

const PercentSchema = obj({ value: double() });

const RedirectSchema = obj({
  uri: str(),
  authority: str(),
  port: int32(),
  derivePort: str(),
  scheme: str(),
  redirectCode: int32(),
});

const DirectResponseSchema = obj({ status: int32(), body: obj({ string: str(), bytes: bytes() }) });

const RetriesSchema = obj({
  attempts: int32(),
  perTryTimeout: str(),
  retryOn: str(),
  retryRemoteLocalities: bool(),
  retryIgnorePreviousHosts: bool(),
  backoff: str(),
});

const FaultSchema = obj({
  delay: obj({ percent: int32(), percentage: PercentSchema, fixedDelay: str(), exponentialDelay: str() }),
  abort: obj({
    percentage: PercentSchema,
    httpStatus: int32(),
    grpcStatus: str(),
    http2Error: str(),
  }),
});

const CorsPolicySchema = obj({
  allowOrigin: list(str()),
  allowOrigins: list(StringMatchSchema),
  allowMethods: list(str()),
  allowHeaders: list(str()),
  exposeHeaders: list(str()),
  maxAge: str(),
  allowCredentials: bool(),
  unmatchedPreflights: str(),
});

const HttpRouteSchema = obj({
  name: str(),
  match: list(MatchSchema),
  route: list(
    obj(
      { destination: DestinationSchema, weight: int32(), headers: HeadersSchema },
      { required: ["destination"] },
    ),
  ),
  redirect: RedirectSchema,
  directResponse: DirectResponseSchema,
  delegate: obj({ name: str(), namespace: str() }),
  rewrite: obj({ uri: str(), authority: str(), uriRegexRewrite: obj({ match: str(), rewrite: str() }) }),
  timeout: str(),
  retries: RetriesSchema,
  fault: FaultSchema,
  mirror: DestinationSchema,
  mirrors: list(obj({ destination: DestinationSchema, percentage: PercentSchema })),
  mirrorPercent: int32(),
  mirrorPercentage: PercentSchema,
  corsPolicy: CorsPolicySchema,
  headers: HeadersSchema,
  websocketUpgrade: bool(),
});

const VirtualServiceSchema = resource(
  {
    spec: obj({
      hosts: list(str(), { description: "The hosts these rules are for." }),
      gateways: list(str(), { description: "The gateways that obey them; mesh means inside." }),
      http: list(HttpRouteSchema, { description: "Rules, the first that matches wins." }),
      tls: list(anyObject()),
      tcp: list(anyObject()),
      exportTo: list(str()),
    }),
    status: anyObject(),
  },
  { description: "Which requests go where." },
);
export interface VirtualService extends Infer<typeof VirtualServiceSchema> {}
export interface HttpRoute extends Infer<typeof HttpRouteSchema> {}
export interface HttpMatch extends Infer<typeof MatchSchema> {}
export interface StringMatchInput extends Infer<typeof StringMatchSchema> {}
export interface HeadersInput extends Infer<typeof HeadersSchema> {}

/** What a reader of VirtualServices needs of one: objects on their way in have no metadata yet. */
export interface VirtualServiceInput {
  readonly metadata?:
    | {
        readonly name?: string | undefined;
        readonly namespace?: string | undefined;
        readonly creationTimestamp?: string | undefined;
        readonly annotations?: { readonly [key: string]: string } | undefined;
      }
    | undefined;
  readonly spec?: VirtualService["spec"];
}

export const VirtualService: Kind<VirtualService> = defineKind<VirtualService>({
  group: "networking.istio.io",
  version: "v1beta1",
  kind: "VirtualService",
  plural: "virtualservices",
  shortNames: ["vs"],
  categories: ["istio-io", "networking-istio-io"],
  alsoServedAs: ["v1", "v1alpha3"],
  description: "Which requests go where.",
  schema: VirtualServiceSchema,
  webhook: judgeVirtualService,
  columns: [
    {
      name: "Gateways",
      type: "string",
      jsonPath: ".spec.gateways",
      description: "The gateways that obey the rules.",
    },
    { name: "Hosts", type: "string", jsonPath: ".spec.hosts", description: "The hosts the rules are for." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
});
