import type { NetworkConfig, ServingConfig } from "../../../domain/apis/config/index.js";
import type { Service } from "../../../domain/apis/core/service.types.js";
import type { Resource } from "../../../domain/apis/kind.js";
import type { IngressRule, KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { gateways, lastApplied, networking, serving } from "../../../domain/apis/serving/keys.js";
import type { Route } from "../../../domain/apis/serving/route.types.js";
import { groupsOf, type Rollout, type Share, splitOf, writeRollout } from "../../../domain/traffic/index.js";
import type { Unsaved } from "../../../ports/index.js";
import { childName, without } from "../names.js";
import type { RouteHost } from "./hosts.js";
import { routing } from "./keys.js";

type Path = NonNullable<IngressRule["http"]>["paths"][number];
type HttpOption = "" | "Enabled" | "Redirected";

/** A Service that stands for the Route inside: an alias of the gateway that serves it there. */
export function makePlaceholder(
  route: Route,
  name: string,
  ingress: KnativeIngress | undefined,
): Unsaved<Service> {
  const [balancer] =
    ingress?.status?.privateLoadBalancer?.ingress ?? ingress?.status?.publicLoadBalancer?.ingress ?? [];
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
      externalName: balancer?.domainInternal ?? balancer?.domain ?? gateways.localHost,
      sessionAffinity: "None",
      ports: [{ name: "http2", port: 80, targetPort: 80, protocol: "TCP", appProtocol: "kubernetes.io/h2c" }],
    },
  };
}

export interface IngressWish {
  readonly hosts: readonly RouteHost[];
  readonly shares: readonly Share[];
  readonly rollout: Rollout;
  /** Which port of its public Service a Revision is spoken to on. */
  readonly portOf: (revisionName: string) => number;
  readonly config: ServingConfig;
  readonly httpOption: HttpOption;
  readonly askedAt: string;
}

export function makeIngress(route: Route, wish: IngressWish): Unsaved<KnativeIngress> {
  const { name, namespace = "", labels, annotations } = route.metadata;
  const { hosts, config } = wish;
  const tagged = hosts.filter(({ tag }) => tag !== "");
  const hostsByTag = Object.fromEntries(
    tagged.map(({ tag, inside, outside }) => [tag, outside === undefined ? [inside] : [inside, outside]]),
  );
  return {
    metadata: {
      name: childName(name, ""),
      namespace,
      labels: { ...labels, [serving.route]: name, [serving.routeNamespace]: namespace },
      annotations: {
        ...without(annotations, (key) => unspoken.has(key)),
        [networking.ingressClass]: ingressClassOf(annotations, config.network),
        [routing.rollout]: writeRollout(wish.rollout),
        ...(tagged.length === 0 ? {} : { [routing.tagToHost]: JSON.stringify(hostsByTag) }),
        [routing.askedAt]: wish.askedAt,
      },
    },
    spec: { httpOption: wish.httpOption, rules: rulesOf(namespace, wish) },
  };
}

const unspoken = new Set<string>([lastApplied, routing.otherIngressClass, routing.otherRolloutDuration]);

export function ingressClassOf(
  annotations: { readonly [key: string]: string } | undefined,
  { ingressClass }: NetworkConfig,
): string {
  return annotations?.[networking.ingressClass] || annotations?.[routing.otherIngressClass] || ingressClass;
}

function rulesOf(namespace: string, wish: IngressWish): readonly IngressRule[] {
  const { hosts, shares, rollout, portOf, config } = wish;
  const byHeader = config.features.tagHeaderBasedRouting === "enabled";
  const groups = groupsOf(shares);
  const pathOf = (tag: string): Path => ({
    splits: [...splitOf(tag, groups.get(tag) ?? [], rollout)].map(([revision, percent]) => ({
      serviceName: revision,
      serviceNamespace: namespace,
      servicePort: portOf(revision),
      percent,
      appendHeaders: { "Knative-Serving-Revision": revision, "Knative-Serving-Namespace": namespace },
    })),
  });

  return hosts.flatMap(({ tag, inside, outside }) => {
    const short = inside.replace(".svc.cluster.local", "");
    return [
      rule([short, `${short}.svc`, inside], "ClusterLocal"),
      ...(outside === undefined ? [] : [rule([outside], "ExternalIP")]),
    ];

    function rule(names: readonly string[], visibility: "ClusterLocal" | "ExternalIP"): IngressRule {
      return { hosts: names, visibility, http: { paths: paths(visibility === "ExternalIP") } };
    }

    function paths(fromOutside: boolean): readonly Path[] {
      if (!byHeader) return [pathOf(tag)];
      if (tag !== "") return [{ ...pathOf(tag), appendHeaders: { "Knative-Serving-Tag": tag } }];
      // A header must not open to the outside what its host does not.
      const open = hosts.filter((one) => one.tag !== "" && (!fromOutside || one.outside !== undefined));
      return [
        ...open.map((one) => ({
          ...pathOf(one.tag),
          headers: { "Knative-Serving-Tag": { exact: one.tag } },
        })),
        { ...pathOf(tag), appendHeaders: { "Knative-Serving-Default-Route": "true" } },
      ];
    }
  });
}

/** Whether plain http is answered or sent to https; an annotation goes before config-network. */
export function httpOptionOf(
  { metadata }: Resource,
  { httpProtocol }: NetworkConfig,
): { readonly option: HttpOption } | { readonly because: string } {
  const { annotations = {} } = metadata;
  const said = annotations[routing.httpOption] ?? annotations[routing.otherHttpOption];
  if (said === undefined) return { option: httpProtocol === "Disabled" ? "" : httpProtocol };
  switch (said.toLowerCase()) {
    case "enabled":
      return { option: "Enabled" };
    case "redirected":
      return { option: "Redirected" };
    default:
      return { because: `incorrect http-protocol annotation: ${said}` };
  }
}
