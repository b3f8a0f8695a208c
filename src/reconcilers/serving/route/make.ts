import type { Service } from "../../../domain/apis/core/service.types.js";
import type { IngressRule, KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { gateways, lastApplied, networking, serving } from "../../../domain/apis/serving/keys.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import { groupsOf, type Share } from "../../../domain/traffic/index.js";
import type { Unsaved } from "../../../ports/index.js";
import type { Settings } from "../deps.js";
import { childName, externalHost, localHost, without } from "../names.js";

/** The Route's own name, and one for each tag. */
export function placeholderNames(route: Route, shares: readonly Share[]): readonly string[] {
  return [...groupsOf(shares).keys()].map((tag) => targetName(route, tag));
}

/** A Service that stands for the Route inside: an alias of the local gateway. */
export function makePlaceholder(route: Route, name: string): Unsaved<Service> {
  return {
    metadata: {
      name,
      namespace: route.metadata.namespace,
      labels: {
        ...without(route.metadata.labels, (key) => key === networking.visibility),
        [serving.route]: route.metadata.name,
      },
    },
    spec: {
      type: "ExternalName",
      externalName: gateways.localHost,
      sessionAffinity: "None",
      ports: [{ name: "http2", port: 80, targetPort: 80, protocol: "TCP", appProtocol: "kubernetes.io/h2c" }],
    },
  };
}

export function makeIngress(
  route: Route,
  shares: readonly Share[],
  { domain }: Settings,
): Unsaved<KnativeIngress> {
  const { name, namespace = "", labels, annotations } = route.metadata;
  const outside = labels?.[networking.visibility] !== "cluster-local";
  const groups = [...groupsOf(shares)].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    metadata: {
      name: childName(name, ""),
      namespace,
      labels: { ...labels, [serving.route]: name, [serving.routeNamespace]: namespace },
      annotations: {
        ...without(annotations, (key) => key === lastApplied),
        [networking.ingressClass]: "istio.ingress.networking.knative.dev",
      },
    },
    spec: {
      httpOption: "Enabled",
      rules: groups.flatMap(([tag, split]) => {
        const target = targetName(route, tag);
        const local = localHost(target, namespace);
        const hosts = [local.replace(".svc.cluster.local", ""), local.replace(".cluster.local", ""), local];
        const inside = rule(hosts, "ClusterLocal", namespace, split);
        return outside
          ? [inside, rule([externalHost(target, namespace, domain)], "ExternalIP", namespace, split)]
          : [inside];
      }),
    },
  };
}

function rule(
  hosts: readonly string[],
  visibility: "ExternalIP" | "ClusterLocal",
  namespace: string,
  split: ReadonlyMap<string, number>,
): IngressRule {
  return {
    hosts,
    visibility,
    http: {
      paths: [
        {
          splits: [...split]
            .filter(([, percent]) => percent > 0)
            .map(([revision, percent]) => ({
              serviceName: revision,
              serviceNamespace: namespace,
              servicePort: 80,
              percent,
              appendHeaders: { "Knative-Serving-Revision": revision, "Knative-Serving-Namespace": namespace },
            })),
        },
      ],
    },
  };
}

function targetName(route: Route, tag: string): string {
  return tag === "" ? route.metadata.name : `${tag}-${route.metadata.name}`;
}
