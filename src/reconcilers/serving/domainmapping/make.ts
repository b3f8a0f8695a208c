import type { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import type { DomainMapping } from "../../../domain/apis/serving/domainMapping.types.js";
import { lastApplied, networking } from "../../../domain/apis/serving/keys.js";
import type { Unsaved } from "../../../ports/index.js";
import { childName, localHost, without } from "../names.js";
import { routing } from "../route/keys.js";

export interface MappingWish {
  /** The Service that requests are sent to. */
  readonly service: string;
  readonly ingressClass: string;
  readonly httpOption: "" | "Enabled" | "Redirected";
  readonly askedAt: string;
}

/** One host for the outside, sent in again under the name that the inside knows. */
export function makeMappingIngress(mapping: DomainMapping, wish: MappingWish): Unsaved<KnativeIngress> {
  const { name, namespace = "", labels, annotations, uid = "" } = mapping.metadata;
  const { secretName } = mapping.spec.tls ?? {};
  const split = {
    serviceName: wish.service,
    serviceNamespace: namespace,
    servicePort: 80,
    percent: 100,
    appendHeaders: { "K-Original-Host": name },
  };
  const path = { rewriteHost: localHost(wish.service, namespace), splits: [split] };
  return {
    metadata: {
      name: childName(name, ""),
      namespace,
      labels: {
        ...labels,
        "serving.knative.dev/domainMappingUID": uid,
        "serving.knative.dev/domainMappingNamespace": namespace,
      },
      annotations: {
        ...without(annotations, (key) => key === lastApplied || key === routing.otherIngressClass),
        [networking.ingressClass]: wish.ingressClass,
        [routing.askedAt]: wish.askedAt,
      },
    },
    spec: {
      httpOption: wish.httpOption,
      rules: [{ hosts: [name], visibility: "ExternalIP", http: { paths: [path] } }],
      ...(secretName ? { tls: [{ hosts: [name], secretName, secretNamespace: namespace }] } : {}),
    },
  };
}
