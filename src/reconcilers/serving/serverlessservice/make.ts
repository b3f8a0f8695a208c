import type { Deployment } from "../../../domain/apis/apps/apps.types.js";
import type { Endpoints } from "../../../domain/apis/core/endpoints.types.js";
import type { Service, ServicePort } from "../../../domain/apis/core/service.types.js";
import type { ServerlessService } from "../../../domain/apis/networking/serverlessService.types.js";
import { networking } from "../../../domain/apis/serving/keys.js";
import type { Unsaved } from "../../../ports/index.js";
import { childName } from "../names.js";
import { publicPorts } from "../ports.js";

export function privateName(services: ServerlessService): string {
  return childName(services.metadata.name, "-private");
}

/** Selects the pods. Its ports are the seed's: 80 to the queue-proxy's 8012, and its metrics and admin ports. */
export function makePrivateService(
  services: ServerlessService,
  deployment: Deployment | undefined,
): Unsaved<Service> {
  return {
    metadata: {
      name: privateName(services),
      namespace: services.metadata.namespace,
      ...marked(services, "Private"),
    },
    spec: {
      selector: deployment?.spec?.selector?.matchLabels,
      type: "ClusterIP",
      sessionAffinity: "None",
      ports: [
        requests(services),
        { name: "queue-metrics", port: 9090, protocol: "TCP", targetPort: "queue-metrics" },
        { name: "http-usermetric", port: 9091, protocol: "TCP", targetPort: "http-usermetric" },
        { name: "http-queueadm", port: 8022, protocol: "TCP", targetPort: 8022 },
      ],
    },
  };
}

/** What requests are sent to. No selector: its addresses are ours to write. */
export function makePublicService(services: ServerlessService): Unsaved<Service> {
  return {
    metadata: {
      name: services.metadata.name,
      namespace: services.metadata.namespace,
      ...marked(services, "Public"),
    },
    spec: {
      type: "ClusterIP",
      sessionAffinity: "None",
      ports: [{ ...requests(services), port: publicPorts[services.spec.protocolType] }],
    },
  };
}

/** Pods while they are asked directly; whoever holds requests while they are not, or while there are none. */
export function makePublicEndpoints(
  services: ServerlessService,
  behind: Endpoints | undefined,
  activator: Activator | undefined,
): Unsaved<Endpoints> {
  const { name } = requests(services);
  const proxied = activator !== undefined && isProxied(services, behind);
  return {
    metadata: {
      name: services.metadata.name,
      namespace: services.metadata.namespace,
      ...marked(services, "Public"),
    },
    subsets: proxied
      ? [{ addresses: [{ ip: activator.host }], ports: [{ name, port: activator.port, protocol: "TCP" }] }]
      : (behind?.subsets ?? []).map((subset) => ({
          ...subset,
          ports: subset.ports?.filter((port) => port.name === name),
        })),
  };
}

export interface Activator {
  readonly host: string;
  readonly port: number;
}

/** Whether requests pass the activator: as asked for, and always while no pod is ready. */
export function isProxied(services: ServerlessService, behind: Endpoints | undefined): boolean {
  return services.spec.mode === "Proxy" || !hasReady(behind);
}

export function hasReady(endpoints: Endpoints | undefined): boolean {
  return (endpoints?.subsets ?? []).some((subset) => (subset.addresses?.length ?? 0) > 0);
}

function requests({ spec }: ServerlessService): ServicePort {
  return spec.protocolType === "h2c"
    ? { name: "http2", port: 80, protocol: "TCP", targetPort: 8013, appProtocol: "kubernetes.io/h2c" }
    : { name: "http", port: 80, protocol: "TCP", targetPort: 8012 };
}

function marked({ metadata }: ServerlessService, serviceType: "Public" | "Private") {
  return {
    labels: {
      ...metadata.labels,
      [networking.serverlessService]: metadata.name,
      [networking.serviceType]: serviceType,
    },
    annotations: metadata.annotations,
  };
}
