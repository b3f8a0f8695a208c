import { createHash } from "node:crypto";
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

/** One for the gateways and, where there is an inside, one for that, as the seed shows. */
export function makeVirtualServices(
  ingress: KnativeIngress,
  hash: string,
): readonly Unsaved<VirtualService>[] {
  const inside = ingress.spec.rules.filter((rule) => rule.visibility === "ClusterLocal");
  const outer = virtualService(
    ingress,
    "-ingress",
    [gateways.external, gateways.local],
    ingress.spec.rules,
    hash,
  );
  // A VirtualService of no hosts would be refused.
  return inside.length === 0
    ? [outer]
    : [outer, virtualService(ingress, "-mesh", [gateways.mesh], inside, hash)];
}

function virtualService(
  ingress: KnativeIngress,
  suffix: string,
  through: readonly string[],
  rules: readonly IngressRule[],
  hash: string,
): Unsaved<VirtualService> {
  const { name, namespace, labels } = ingress.metadata;
  return {
    metadata: {
      name: childName(name, suffix),
      namespace,
      labels: {
        ...(labels?.[serving.route] ? { [serving.route]: labels[serving.route] } : {}),
        "networking.internal.knative.dev/ingress": name,
      },
    } as VirtualService["metadata"],
    spec: {
      gateways: through,
      hosts: [...new Set(rules.flatMap((rule) => rule.hosts))],
      http: rules.flatMap((rule) => routes(rule, through, hash)),
    },
  };
}

/** `httpOption` is not said here: only a gateway that also speaks https could send anybody there. */
function routes(rule: IngressRule, through: readonly string[], hash: string): readonly HttpRoute[] {
  const [gateway] =
    through.length === 1 ? through : [rule.visibility === "ExternalIP" ? gateways.external : gateways.local];
  return (rule.http?.paths ?? []).map((path) => ({
    match: rule.hosts.map((host) => ({
      authority: { prefix: host },
      gateways: [gateway ?? gateways.mesh],
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
