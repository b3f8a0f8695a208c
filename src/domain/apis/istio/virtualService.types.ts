// VirtualService: the language between control plane and data plane (networking.istio.io).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { anyObject, bool, type Infer, int32, list, map, obj, str } from "../schema/index.js";

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
  ignoreUriCase: bool(),
});

const DestinationSchema = obj(
  { host: str(), subset: str(), port: obj({ number: int32() }) },
  { required: ["host"] },
);

const HttpRouteSchema = obj({
  name: str(),
  match: list(MatchSchema),
  route: list(
    obj(
      { destination: DestinationSchema, weight: int32(), headers: HeadersSchema },
      { required: ["destination"] },
    ),
  ),
  redirect: anyObject(),
  directResponse: anyObject(),
  delegate: obj({ name: str(), namespace: str() }),
  rewrite: obj({ uri: str(), authority: str(), uriRegexRewrite: obj({ match: str(), rewrite: str() }) }),
  timeout: str(),
  retries: obj({ attempts: int32(), perTryTimeout: str(), retryOn: str(), retryRemoteLocalities: bool() }),
  fault: anyObject(),
  mirror: DestinationSchema,
  mirrorPercentage: anyObject(),
  corsPolicy: anyObject(),
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
