// Gateway: which ports and hosts the data plane listens for (networking.istio.io).
import { defineKind, type Kind } from "../kind.js";
import { resource } from "../meta/meta.types.js";
import { bool, type Infer, int32, list, map, obj, str } from "../schema/index.js";
import { judgeGateway } from "./gateway.admission.js";

const ServerSchema = obj({
  name: str(),
  bind: str(),
  hosts: list(str()),
  defaultEndpoint: str(),
  port: obj({ name: str(), number: int32(), protocol: str(), targetPort: int32() }),
  tls: obj({
    mode: str(),
    credentialName: str(),
    privateKey: str(),
    serverCertificate: str(),
    caCertificates: str(),
    httpsRedirect: bool(),
    minProtocolVersion: str(),
    maxProtocolVersion: str(),
    subjectAltNames: list(str()),
    cipherSuites: list(str()),
  }),
});

const GatewaySchema = resource(
  {
    spec: obj({ selector: map(str()), servers: list(ServerSchema) }),
    status: obj({}, { "x-kubernetes-preserve-unknown-fields": true }),
  },
  { description: "Ports and hosts the data plane listens for." },
);
export interface Gateway extends Infer<typeof GatewaySchema> {}
export interface GatewayServer extends Infer<typeof ServerSchema> {}

export const Gateway: Kind<Gateway> = defineKind<Gateway>({
  group: "networking.istio.io",
  version: "v1beta1",
  kind: "Gateway",
  plural: "gateways",
  shortNames: ["gw"],
  categories: ["istio-io", "networking-istio-io"],
  alsoServedAs: ["v1", "v1alpha3"],
  description: "Ports and hosts the data plane listens for.",
  schema: GatewaySchema,
  webhook: judgeGateway,
});
