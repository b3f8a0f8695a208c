// What a Service means when it does not say. Its address is the API server's to give.
import type { AdmissionContext } from "../kind.js";
import type { Service, ServicePort, ServiceSpec } from "./service.types.js";

export function defaultService(service: Service, context: AdmissionContext<Service>): Service {
  if (context.subresource === "status") return service;
  const spec = defaultSpec(service.spec ?? {});
  return { ...service, spec, status: { loadBalancer: {}, ...service.status } };
}

const stickySeconds = 10_800;

function defaultSpec(spec: ServiceSpec): ServiceSpec {
  const { type = "ClusterIP" } = spec;
  const exposed = type === "NodePort" || type === "LoadBalancer";
  return {
    ...spec,
    ...(spec.ports === undefined ? {} : { ports: spec.ports.map(defaultPort) }),
    ...(spec.sessionAffinity === "ClientIP"
      ? {
          sessionAffinityConfig: {
            clientIP: { timeoutSeconds: stickySeconds },
            ...spec.sessionAffinityConfig,
          },
        }
      : {}),
    ...(exposed ? { externalTrafficPolicy: spec.externalTrafficPolicy ?? "Cluster" } : {}),
    ...(type === "LoadBalancer"
      ? { allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true }
      : {}),
    ...(type === "ExternalName" ? {} : inside(spec)),
  };
}

function inside(spec: ServiceSpec): ServiceSpec {
  const unselected = spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;
  return {
    internalTrafficPolicy: spec.internalTrafficPolicy ?? "Cluster",
    ipFamilies: spec.ipFamilies ?? ["IPv4"],
    ipFamilyPolicy: spec.ipFamilyPolicy ?? (unselected ? "RequireDualStack" : "SingleStack"),
  };
}

function defaultPort(port: ServicePort): ServicePort {
  const { targetPort } = port;
  return targetPort === undefined || targetPort === 0 || targetPort === ""
    ? { ...port, targetPort: port.port }
    : port;
}
