import { createHash } from "node:crypto";
import type { Gateway } from "../../../domain/apis/istio/gateway.types.js";
import type { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import type { IngressRule, KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { gateways, serving } from "../../../domain/apis/serving/keys.js";
import type { Unsaved } from "../../../ports/index.js";
import { childName, localHost } from "../names.js";

type HttpRoute = NonNullable<NonNullable<VirtualService["spec"]>["http"]>[number];

/** What the seed's VirtualService retries on. */
const retryOn = "5xx,connect-failure,refused-stream,cancelled,resource-exhausted,retriable-status-codes";

/** Names one configuration, so that an answer tells which one gave it (knative-serving.md, section 7.2). */
export function ingressHash({ spec, metadata }: KnativeIngress): string {
  return createHash("sha256")
    .update(JSON.stringify(spec))
    .update(metadata.namespace ?? "")
    .update(metadata.name)
    .digest("hex");
}

/** Opens the hosts that bring certificates of their own; the others are served by the gateway that is there anyway. */
export function makeGateway(ingress: KnativeIngress): Unsaved<Gateway> | undefined {
  const { name, namespace = "" } = ingress.metadata;
  const { tls = [], rules } = ingress.spec;
  if (tls.length === 0) return undefined;
  const outside = rules.filter(isOutside).flatMap((rule) => rule.hosts);
  return {
    metadata: {
      name: gatewayName(ingress),
      namespace,
      labels: { [ingressLabel]: name },
    } as Gateway["metadata"],
    spec: {
      selector: { istio: "ingressgateway" },
      servers: tls.map(({ hosts = [], secretName, secretNamespace }, index) => ({
        // No hosts at all are all of them.
        hosts: (hosts.length === 0 ? outside : hosts).map((host) => `${namespace}/${host}`),
        port: { name: `https-${index}`, number: 443, protocol: "HTTPS" },
        tls: { mode: "SIMPLE", credentialName: `${secretNamespace}/${secretName}` },
      })),
    },
  };
}

export function gatewayName({ metadata }: KnativeIngress): string {
  return childName(metadata.name, "-tls");
}

const ingressLabel = "networking.internal.knative.dev/ingress";
const isOutside = (rule: IngressRule) => rule.visibility === "ExternalIP";

/** One for the gateways and, where there is an inside, one for that, as the seed shows. */
export function makeVirtualServices(
  ingress: KnativeIngress,
  hash: string,
  { https }: { /** Somebody listens with TLS for these hosts. */ readonly https: boolean },
): readonly Unsaved<VirtualService>[] {
  const inside = ingress.spec.rules.filter((rule) => rule.visibility === "ClusterLocal");
  const outer = virtualService(
    ingress,
    "-ingress",
    [
      gateways.external,
      gateways.local,
      ...((ingress.spec.tls ?? []).length === 0
        ? []
        : [`${ingress.metadata.namespace}/${gatewayName(ingress)}`]),
    ],
    ingress.spec.rules,
    hash,
    https && ingress.spec.httpOption === "Redirected",
  );
  // A VirtualService of no hosts would be refused.
  return inside.length === 0
    ? [outer]
    : [outer, virtualService(ingress, "-mesh", [gateways.mesh], inside, hash, false)];
}

function virtualService(
  ingress: KnativeIngress,
  suffix: string,
  through: readonly string[],
  rules: readonly IngressRule[],
  hash: string,
  redirected: boolean,
): Unsaved<VirtualService> {
  const { name, namespace, labels } = ingress.metadata;
  return {
    metadata: {
      name: childName(name, suffix),
      namespace,
      labels: {
        ...(labels?.[serving.route] ? { [serving.route]: labels[serving.route] } : {}),
        [ingressLabel]: name,
      },
    } as VirtualService["metadata"],
    spec: {
      gateways: through,
      hosts: [...new Set(rules.flatMap((rule) => rule.hosts))],
      http: rules.flatMap((rule) => [
        ...(redirected && isOutside(rule) ? [toHttps(rule, through)] : []),
        ...routes(rule, through, hash),
      ]),
    },
  };
}

/** Where a rule counts: all Gateways outside, the local one inside. */
function admittedBy(rule: IngressRule, through: readonly string[]): readonly string[] {
  if (through.length === 1) return through;
  return isOutside(rule) ? through.filter((gateway) => gateway !== gateways.local) : [gateways.local];
}

/** Whoever comes without TLS is asked to come with it. */
function toHttps(rule: IngressRule, through: readonly string[]): HttpRoute {
  return {
    match: rule.hosts.map((host) => ({
      authority: { prefix: host },
      gateways: admittedBy(rule, through),
      scheme: { exact: "http" },
    })),
    redirect: { scheme: "https", redirectCode: 301 },
  };
}

function routes(rule: IngressRule, through: readonly string[], hash: string): readonly HttpRoute[] {
  return (rule.http?.paths ?? []).map((path) => ({
    match: rule.hosts.map((host) => ({
      authority: { prefix: host },
      gateways: admittedBy(rule, through),
      ...(path.path ? { uri: { prefix: path.path } } : {}),
      ...(path.headers === undefined ? {} : { headers: path.headers }),
    })),
    headers: { request: { set: { ...path.appendHeaders, "K-Network-Hash": hash } } },
    // The request comes in again under this name, through the placeholder Service that is the local gateway.
    ...(path.rewriteHost ? { rewrite: { authority: path.rewriteHost } } : {}),
    retries: { attempts: 3, perTryTimeout: "600s", retryOn },
    timeout: "600s",
    websocketUpgrade: true,
    route: path.splits.map((split) => ({
      destination: {
        host: localHost(split.serviceName, split.serviceNamespace),
        port: { number: Number(split.servicePort) },
      },
      headers: { request: { set: split.appendHeaders ?? {} } },
      weight: split.percent ?? 100,
    })),
  }));
}
