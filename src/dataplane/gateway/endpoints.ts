// From a destination's host and port to the pods behind it, as Services and Endpoints tell it.
import { livesAnnotation } from "../../domain/apis/core/endpoints.types.js";
import { networking } from "../../domain/apis/serving/keys.js";
import type { RevisionSettings } from "../activator/index.js";
import type { AddressInput, CompileInput, EndpointsInput, ServiceInput } from "./inputs.js";
import { revisionSettings } from "./revisionSettings.js";
import type { KnownService, PodTarget, Resolved, Revision, RouteTable } from "./table.js";

const { serverlessService, serviceType } = networking;

/** Where a Service name leads. The same Service and port always give the same answer, to the object. */
export interface ServiceResolver {
  resolve(namespace: string, name: string, port: number | undefined): Resolved;
  readonly known: ReadonlyMap<string, KnownService>;
}

function serviceKey(namespace: string, name: string, port: number | undefined): string {
  return `${namespace}/${name}:${port ?? ""}`;
}

export function serviceResolver(
  input: CompileInput,
  before: ReadonlyMap<string, KnownService> | undefined,
): ServiceResolver {
  const services = new Map<string, ServiceInput>();
  for (const service of input.services) services.set(key(service), service);
  const allEndpoints = new Map<string, EndpointsInput>();
  for (const one of input.endpoints) allEndpoints.set(key(one), one);
  const settingsOf = revisionSettings(input.revisions ?? []);
  const hidden = privateEndpoints(input.endpoints);
  const known = new Map<string, KnownService>();

  return {
    known,
    resolve(namespace, name, port) {
      const at = serviceKey(namespace, name, port);
      const found = known.get(at);
      if (found !== undefined) return found.resolved;
      const service = services.get(`${namespace}/${name}`);
      const own = `${namespace}/${name}`;
      const earlier = before?.get(at);
      const settings = settingsOf(own, earlier?.settings);
      // A Revision's public Endpoints may name the gateway itself, for clients that come past it. Its pods are those of
      // the private twin. So too where nobody copies Endpoints to a Service without selector.
      const twin = () => hidden.get(own) ?? allEndpoints.get(`${own}-private`);
      const isRevision = settings !== undefined || service?.metadata?.labels?.[serviceType] === "Public";
      const endpoints = isRevision
        ? twin()
        : (allEndpoints.get(own) ?? (service?.spec?.selector === undefined ? twin() : undefined));
      const same =
        earlier !== undefined &&
        earlier.service === service &&
        earlier.endpoints === endpoints &&
        earlier.settings === settings;
      const resolved = same
        ? earlier.resolved
        : resolveService({ namespace, name, port, service, endpoints, settings });
      known.set(at, { service, endpoints, settings, resolved });
      return resolved;
    },
  };
}

/**
 * The table's revisions to which these Endpoints lead, with the pods they name now. Whoever waits for a pod need not wait
 * until the table is compiled anew.
 */
export function movedPods({ memory }: RouteTable, endpoints: EndpointsInput): readonly Revision[] {
  const moved: Revision[] = [];
  for (const [at, { service, endpoints: earlier, settings, resolved }] of memory.services) {
    if (resolved.kind !== "pods" || !isSame(earlier, endpoints)) continue;
    const { namespace, name } = resolved.revision;
    const port = Number(at.slice(at.lastIndexOf(":") + 1)) || undefined;
    const now = resolveService({ namespace, name, port, service, endpoints, settings });
    if (now.kind === "pods") moved.push(now.revision);
  }
  return moved;
}

interface Question {
  readonly namespace: string;
  readonly name: string;
  readonly port: number | undefined;
  readonly service: ServiceInput | undefined;
  readonly endpoints: EndpointsInput | undefined;
  readonly settings: RevisionSettings | undefined;
}

function resolveService({ namespace, name, port, service, endpoints, settings }: Question): Resolved {
  if (service === undefined) return { kind: "nothing", because: `there is no Service ${namespace}/${name}` };
  if (service.spec?.type === "ExternalName") {
    return { kind: "alias", host: String(service.spec.externalName ?? "").toLowerCase(), port };
  }
  const ports = service.spec?.ports ?? [];
  const wanted = port === undefined && ports.length === 1 ? ports[0] : ports.find((one) => one.port === port);
  if (wanted === undefined) {
    const has = ports.map((one) => one.port).join(", ") || "none";
    const because = `Service ${namespace}/${name} has no port ${port ?? "(none named)"}, only ${has}`;
    return { kind: "nothing", because };
  }
  const { targets, notReady, h2c } = readEndpoints(endpoints, wanted.name);
  const protocol = speaksH2c(wanted) || h2c ? "h2c" : "http1";
  // A Revision's limits count over all its ports.
  const revisionKey = settings === undefined ? serviceKey(namespace, name, port) : `${namespace}/${name}`;
  return {
    kind: "pods",
    revision: {
      ...{ key: revisionKey, namespace, name, targets, notReady, protocol, settings },
      lives: readLives(endpoints),
    },
  };
}

/** By the Service that the public twin is. */
function privateEndpoints(all: readonly EndpointsInput[]): ReadonlyMap<string, EndpointsInput> {
  const found = new Map<string, EndpointsInput>();
  for (const one of all) {
    const labels = one.metadata?.labels;
    const owner = labels?.[serverlessService];
    if (owner !== undefined && labels?.[serviceType] === "Private")
      found.set(`${one.metadata?.namespace ?? "default"}/${owner}`, one);
  }
  return found;
}

function key(object: ServiceInput | EndpointsInput): string {
  return `${object.metadata?.namespace ?? "default"}/${object.metadata?.name ?? ""}`;
}

function isSame(one: EndpointsInput | undefined, other: EndpointsInput): boolean {
  const { metadata } = other;
  return one?.metadata?.name === metadata?.name && one?.metadata?.namespace === metadata?.namespace;
}

interface PortFacts {
  readonly name?: string | undefined;
  readonly appProtocol?: string | undefined;
}

/** By Kubernetes' appProtocol, else by Istio's rule that a port's name begins with its protocol. */
function speaksH2c(port: PortFacts): boolean {
  if (port.appProtocol !== undefined)
    return port.appProtocol === "kubernetes.io/h2c" || port.appProtocol === "grpc";
  const protocol = (port.name ?? "").split("-", 1)[0];
  return protocol === "h2c" || protocol === "http2" || protocol === "grpc";
}

function readEndpoints(endpoints: EndpointsInput | undefined, portName: string | undefined) {
  const targets: PodTarget[] = [];
  let notReady = 0;
  let h2c = false;
  for (const subset of endpoints?.subsets ?? []) {
    const ports = subset.ports ?? [];
    const port =
      ports.find((one) => (one.name ?? "") === (portName ?? "")) ??
      (ports.length === 1 ? ports[0] : undefined);
    notReady += subset.notReadyAddresses?.length ?? 0;
    if (port?.port === undefined) continue;
    if (speaksH2c({ appProtocol: port.appProtocol })) h2c = true;
    for (const address of subset.addresses ?? []) {
      if (address.ip !== undefined) targets.push(podTarget(address, address.ip, port.port));
    }
  }
  return { targets, notReady, h2c };
}

/** Undefined where it is not written, or not by us. */
function readLives(endpoints: EndpointsInput | undefined): ReadonlyMap<string, string> | undefined {
  const text = endpoints?.metadata?.annotations?.[livesAnnotation];
  if (text === undefined) return undefined;
  try {
    return new Map(Object.entries(JSON.parse(text) as { readonly [pod: string]: string }));
  } catch {
    return undefined;
  }
}

function podTarget(address: AddressInput, ip: string, port: number): PodTarget {
  const at = ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
  return { address: at, pod: address.targetRef?.name ?? at };
}
