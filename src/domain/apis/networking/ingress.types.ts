// Ingress of Knative: what a Route asks of whatever gateway there is (networking.internal.knative.dev/v1alpha1).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { bool, type Infer, int32, intOrString, list, map, obj, str } from "../schema/index.js";
import { requiredByWebhook, wordForWebhook } from "../serving/askedByWebhook.js";
import { duckStatusFields, readyColumns } from "../serving/status.types.js";
import { defaultIngress, judgeIngress } from "./networking.admission.js";

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

const RuleSchema = requiredByWebhook(
  obj(
    {
      hosts: list(str()),
      visibility: wordForWebhook(["ExternalIP", "ClusterLocal"]),
      http: obj({ paths: list(PathSchema) }, { required: ["paths"] }),
    },
    { required: ["hosts", "visibility"] },
  ),
);

const TlsSchema = obj({ hosts: list(str()), secretName: str(), secretNamespace: str() });

const LoadBalancerSchema = obj({
  ingress: list(obj({ ip: str(), domain: str(), domainInternal: str(), meshOnly: bool() })),
});

const KnativeIngressSchema = resource(
  {
    spec: requiredByWebhook(
      obj(
        {
          rules: list(RuleSchema),
          tls: list(TlsSchema),
          httpOption: wordForWebhook(["", "Enabled", "Redirected"]),
        },
        { required: ["rules"] },
      ),
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
export interface IngressPath extends Infer<typeof PathSchema> {}
export interface IngressSplit extends Infer<typeof SplitSchema> {}
export interface IngressTls extends Infer<typeof TlsSchema> {}

export const KnativeIngress: Kind<KnativeIngress> = defineKind<KnativeIngress>({
  group: "networking.internal.knative.dev",
  version: "v1alpha1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["kingress", "king"],
  categories: ["knative-internal", "networking"],
  description: "What a Route asks of the gateway.",
  schema: KnativeIngressSchema,
  defaults: defaultIngress,
  webhook: judgeIngress,
  columns: readyColumns,
});
