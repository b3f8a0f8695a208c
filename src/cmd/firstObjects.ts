// What an embedded API holds from its first moment: system namespaces, settings, gateways, and the runtimes we bring.
import { ConfigMap } from "../domain/apis/core/config.types.js";
import { Namespace } from "../domain/apis/core/namespace.types.js";
import type { Gateway } from "../domain/apis/istio/gateway.types.js";
import { Gateway as GatewayKind } from "../domain/apis/istio/gateway.types.js";
import type { Kind, Resource } from "../domain/apis/kind.js";
import { ClusterServingRuntime } from "../domain/apis/kserve/runtime.types.js";
import { type Client, isPortError } from "../ports/index.js";
import { firstConfigMaps, followDomain } from "./firstConfigMaps.js";
import { version } from "./version.js";

const systemNamespaces = ["knative-serving", "istio-system", "kserve"];

/** `domain` is what external hosts end in. */
export async function createFirstObjects(client: Client, domain: string): Promise<void> {
  await Promise.all(systemNamespaces.map((name) => ensure(client, Namespace, { metadata: { name } })));
  await followDomain(client, domain);
  await Promise.all([
    ...firstConfigMaps(domain).map((map) => ensure(client, ConfigMap, map)),
    ensure(
      client,
      GatewayKind,
      gateway("knative-ingress-gateway", { istio: "ingressgateway" }, [plainServer, tlsServer]),
    ),
    ensure(client, GatewayKind, gateway("knative-local-gateway", { istio: "ingressgateway" }, [plainServer])),
    // What the local one was called first, and documents still call it.
    ensure(
      client,
      GatewayKind,
      gateway("cluster-local-gateway", { istio: "cluster-local-gateway" }, [plainServer]),
    ),
    ensure(client, ClusterServingRuntime, runtime("kserve-onnxserver", "onnx", "1", "drydock/onnxserver")),
    ensure(
      client,
      ClusterServingRuntime,
      runtime("kserve-sklearnserver", "sklearn", "1", "drydock/sklearnserver"),
    ),
  ]);
}

const plainServer = { hosts: ["*"], port: { name: "http", number: 80, protocol: "HTTP" } };

/** Without the Secret `istio-ingressgateway-certs` in istio-system, which Istio mounts there, nobody listens. */
const tlsServer = {
  hosts: ["*"],
  port: { name: "https", number: 443, protocol: "HTTPS" },
  tls: {
    mode: "SIMPLE",
    privateKey: "/etc/istio/ingressgateway-certs/tls.key",
    serverCertificate: "/etc/istio/ingressgateway-certs/tls.crt",
  },
};

function gateway(name: string, selector: { readonly [key: string]: string }, servers: readonly object[]) {
  return {
    metadata: {
      name,
      namespace: "knative-serving",
      labels: {
        "networking.knative.dev/ingress-provider": "istio",
        "serving.knative.dev/release": `v${version}`,
      },
    },
    spec: { selector, servers },
  } as Omit<Gateway, "apiVersion" | "kind">;
}

function runtime(name: string, format: string, version: string, image: string) {
  return {
    metadata: { name, annotations: { "serving.kserve.io/server-type": name.replace("kserve-", "") } },
    spec: {
      annotations: { "prometheus.kserve.io/port": "8080", "prometheus.kserve.io/path": "/metrics" },
      supportedModelFormats: [{ name: format, version, autoSelect: true, priority: 1 }],
      protocolVersions: ["v1", "v2"],
      containers: [
        {
          name: "kserve-container",
          image,
          args: ["--model_name={{.Name}}", "--model_dir=/mnt/models", "--http_port=8080"],
          ports: [{ containerPort: 8080, protocol: "TCP" }],
          resources: { requests: { cpu: "1", memory: "2Gi" }, limits: { cpu: "1", memory: "2Gi" } },
        },
      ],
    },
  } as Omit<ClusterServingRuntime, "apiVersion" | "kind">;
}

async function ensure<T extends Resource>(
  client: Client,
  kind: Kind<T>,
  object: Omit<T, "apiVersion" | "kind">,
): Promise<void> {
  const key = { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
  if ((await client.get(kind, key)) !== undefined) return;
  try {
    await client.create(kind, object);
  } catch (error) {
    if (!isPortError(error, "AlreadyExists")) throw error;
  }
}
