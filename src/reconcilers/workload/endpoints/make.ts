/**
 * The addresses behind a Service. Pods are processes on one machine, so each has real ports of its own:
 * its annotation says which real port stands for which container port. Pure.
 */
import type { EndpointSubset } from "../../../domain/apis/core/endpoints.types.js";
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import type { Service, ServicePort } from "../../../domain/apis/core/service.types.js";
import type { EndpointSlice } from "../../../domain/apis/discovery/discovery.types.js";
import type { Unsaved } from "../../../ports/index.js";
import { safeHash } from "../hash.js";
import { endpointsPerSlice } from "../limits.js";
import { hasEnded, isReady } from "../pods.js";

/** JSON {"<containerPort>": realPort}, written by the kubelet. */
const portsAnnotation = "drydock.dev/ports";
const serviceNameLabel = "kubernetes.io/service-name";
const managedByLabel = "endpointslice.kubernetes.io/managed-by";
/** Upstream's own name: tools tell generated slices from people's by it. */
const manager = "endpointslice-controller.k8s.io";

export interface Port {
  readonly name: string | undefined;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol: string | undefined;
}

/** Pods that offer the very same ports. */
export interface Group {
  readonly ports: readonly Port[];
  readonly ready: readonly Pod[];
  readonly notReady: readonly Pod[];
}

/** Those behind the Service by their ports, in an order that does not depend on who came first. */
export function groupPods(service: Service, pods: readonly Pod[]): readonly Group[] {
  const groups = new Map<string, { ports: readonly Port[]; ready: Pod[]; notReady: Pod[] }>();
  const present = pods.filter(hasAddress).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const pod of present) {
    const ports = portsOf(service, pod);
    if (ports === undefined) continue;
    const name = JSON.stringify(ports);
    const group = groups.get(name) ?? { ports, ready: [], notReady: [] };
    groups.set(name, group);
    const isOpen = isReady(pod) || service.spec?.publishNotReadyAddresses === true;
    (isOpen ? group.ready : group.notReady).push(pod);
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

export function makeSubset({ ports, ready, notReady }: Group): EndpointSubset {
  return {
    ...(ready.length === 0 ? {} : { addresses: ready.map(addressOf) }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady.map(addressOf) }),
    ...(ports.length === 0 ? {} : { ports: ports.map(given) }),
  };
}

/** Of all pods that the Service selects, those too that are asked to leave. Undefined when no server runs. */
export function livesOf(pods: readonly Pod[]): string | undefined {
  const lives = pods.flatMap((pod) => {
    const life = lifeOf(pod);
    return life === undefined ? [] : [[pod.metadata.name, life] as const];
  });
  return lives.length === 0 ? undefined : JSON.stringify(Object.fromEntries(lives.sort(byName)));
}

/** Enough of a container's id to tell it from the one before. */
const lifeLength = 12;

function lifeOf({ spec, status }: Pod): string | undefined {
  const serving = spec?.containers.find(({ ports = [] }) => ports.length > 0) ?? spec?.containers[0];
  const { state, containerID } = status?.containerStatuses?.find(({ name }) => name === serving?.name) ?? {};
  if (state?.running === undefined) return undefined;
  // The engine does not answer and neither does the pod: its network went with the engine.
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.reason === "EngineAway" ? undefined : containerID?.slice(-lifeLength);
}

function byName([one]: readonly [string, string], [other]: readonly [string, string]): number {
  return one < other ? -1 : 1;
}

/** One slice a set of ports, more where the addresses are too many for one. */
export function makeSlices(service: Service, groups: readonly Group[]): readonly Unsaved<EndpointSlice>[] {
  return groups.flatMap((group) => {
    const all = [
      ...group.ready.map((pod) => ({ pod, ready: true })),
      ...group.notReady.map((pod) => ({ pod, ready: false })),
    ];
    const parts = Array.from({ length: Math.ceil(all.length / endpointsPerSlice) }, (_, part) =>
      all.slice(part * endpointsPerSlice, (part + 1) * endpointsPerSlice),
    );
    return parts.map((endpoints, part) => ({
      metadata: {
        name: `${service.metadata.name}-${safeHash({ ports: group.ports, part })}`,
        namespace: service.metadata.namespace,
        labels: {
          ...service.metadata.labels,
          [serviceNameLabel]: service.metadata.name,
          [managedByLabel]: manager,
        },
      },
      addressType: "IPv4",
      endpoints: endpoints.map(({ pod, ready }) => ({
        addresses: [pod.status?.podIP ?? ""],
        conditions: { ready, serving: isReady(pod), terminating: false },
        nodeName: pod.spec?.nodeName,
        targetRef: referenceTo(pod),
      })),
      ports: group.ports.map((port) => ({ ...given(port), name: port.name ?? "" })),
    }));
  });
}

/** The labels by which a Service's own slices are found. */
export function sliceLabels(service: Service): { readonly [key: string]: string } {
  return { [serviceNameLabel]: service.metadata.name, [managedByLabel]: manager };
}

/** A pod that is asked to leave is no target any more, though it may still answer. */
function hasAddress(pod: Pod): boolean {
  const ip = pod.status?.podIP ?? "";
  return ip !== "" && pod.metadata.deletionTimestamp === undefined && !hasEnded(pod);
}

/** Undefined for a pod that has none of the ports a Service with ports is about. */
function portsOf(service: Service, pod: Pod): readonly Port[] | undefined {
  const wanted = service.spec?.ports ?? [];
  const real = realPorts(pod);
  const ports = wanted.flatMap((port) => {
    const number = containerPort(port, pod);
    if (number === undefined) return [];
    const { name, protocol = "TCP", appProtocol } = port;
    return [{ name, port: real[String(number)] ?? number, protocol, appProtocol }];
  });
  return wanted.length > 0 && ports.length === 0 ? undefined : ports;
}

function containerPort({ targetPort, port, protocol = "TCP" }: ServicePort, pod: Pod): number | undefined {
  if (targetPort === undefined || targetPort === 0) return port;
  if (typeof targetPort === "number") return targetPort;
  const containers = [...(pod.spec?.containers ?? []), ...sidecars(pod)];
  return containers
    .flatMap((container) => container.ports ?? [])
    .find((one) => one.name === targetPort && (one.protocol ?? "TCP") === protocol)?.containerPort;
}

/** Init containers that stay. */
function sidecars(pod: Pod) {
  return (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === "Always");
}

/** What is not the kubelet's writing is no port. */
function realPorts({ metadata }: Pod): { readonly [containerPort: string]: number } {
  try {
    const ports: unknown = JSON.parse(metadata.annotations?.[portsAnnotation] ?? "{}");
    if (typeof ports !== "object" || ports === null) return {};
    return Object.fromEntries(Object.entries(ports).filter(([, port]) => Number.isInteger(port)));
  } catch {
    return {};
  }
}

function addressOf(pod: Pod) {
  return { ip: pod.status?.podIP ?? "", nodeName: pod.spec?.nodeName, targetRef: referenceTo(pod) };
}

function referenceTo({ metadata: { name, namespace, uid } }: Pod) {
  return { kind: "Pod", name, namespace, uid };
}

function given({ name, port, protocol, appProtocol }: Port) {
  return {
    ...(name === undefined || name === "" ? {} : { name }),
    port,
    protocol,
    ...(appProtocol === undefined ? {} : { appProtocol }),
  };
}
