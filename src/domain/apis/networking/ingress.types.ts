// Ingress of Knative: what a Route asks of whatever gateway there is (networking.internal.knative.dev/v1alpha1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { bool, type Infer, int32, intOrString, list, map, obj, oneOfStrings, str } from "../schema/index.js";
import { duckStatusFields, readyColumns } from "../serving/status.types.js";

const SplitSchema = obj(
  {
    serviceNamespace: str(),
    serviceName: str(),
    servicePort: intOrString(),
    percent: int32(),
    appendHeaders: map(str()),
  },
  { required: ["serviceNamespace", "serviceName", "servicePort"] },
);

const PathSchema = obj(
  {
    path: str(),
    rewriteHost: str(),
    headers: map(obj({ exact: str() })),
    splits: list(SplitSchema),
    appendHeaders: map(str()),
  },
  { required: ["splits"] },
);

const RuleSchema = obj(
  {
    hosts: list(str()),
    visibility: oneOfStrings(["ExternalIP", "ClusterLocal"]),
    http: obj({ paths: list(PathSchema) }, { required: ["paths"] }),
  },
  { required: ["hosts", "visibility"] },
);

const LoadBalancerSchema = obj({
  ingress: list(obj({ ip: str(), domain: str(), domainInternal: str(), meshOnly: bool() })),
});

const KnativeIngressSchema = resource(
  {
    spec: obj(
      {
        rules: list(RuleSchema),
        tls: list(obj({ hosts: list(str()), secretName: str(), secretNamespace: str() })),
        httpOption: oneOfStrings(["", "Enabled", "Redirected"]),
      },
      { required: ["rules"] },
    ),
    status: obj({
      ...duckStatusFields(),
      publicLoadBalancer: LoadBalancerSchema,
      privateLoadBalancer: LoadBalancerSchema,
    }),
  },
  { required: ["spec"], description: "What a Route asks of the gateway." },
);
export interface KnativeIngress extends Infer<typeof KnativeIngressSchema> {}
export interface IngressRule extends Infer<typeof RuleSchema> {}
export interface IngressSplit extends Infer<typeof SplitSchema> {}

export const KnativeIngress: Kind<KnativeIngress> = defineKind<KnativeIngress>({
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["kingress", "king"],
  categories: ["knative-internal", "networking"],
  description: "What a Route asks of the gateway.",
  schema: KnativeIngressSchema,
  columns: readyColumns,
});
