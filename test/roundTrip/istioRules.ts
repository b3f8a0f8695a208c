// Valid words for Istio's kinds, whose schemas leave nearly everything open and whose rules know nearly everything.
import type { Bag, Maker } from "./values.js";

type Spec = (make: Maker) => Bag;

const destination = { host: "b", port: { number: 80 } };

const virtualService: Spec = (make) => ({
  hosts: make.pick([["a.example.com"], ["*.example.com", "b"]]),
  ...(make.chance(0.5) ? { gateways: ["knative-serving/knative-ingress-gateway", "mesh"] } : {}),
  http: [
    {
      match: [make.pick<Bag>([{ uri: { prefix: "/a" } }, { headers: { "x-a": { exact: "b" } } }])],
      ...make.pick<Bag>([
        { redirect: { uri: "/there", redirectCode: 302 } },
        { directResponse: { status: 200, body: { string: "fine" } } },
        {
          route: [
            { destination, weight: 90, headers: { response: { set: { "x-a": "b" } } } },
            { destination: { host: "c" }, weight: 10 },
          ],
          retries: { attempts: 3, perTryTimeout: "2s", retryOn: "5xx,connect-failure" },
          timeout: "10s",
        },
      ]),
    },
    {
      name: "rest",
      route: [{ destination }],
      fault: { delay: { percentage: { value: 10 }, fixedDelay: "1s" } },
      mirror: { host: "c" },
      mirrorPercentage: { value: 50 },
    },
  ],
});

const gateway: Spec = (make) => ({
  selector: { istio: "ingressgateway" },
  servers: [
    make.pick<Bag>([
      { hosts: ["*"], port: { name: "http", number: 80, protocol: "HTTP" } },
      {
        hosts: ["a.example.com"],
        port: { name: "https", number: 443, protocol: "HTTPS" },
        tls: { mode: "SIMPLE", credentialName: "s" },
      },
    ]),
  ],
});

const selector = { matchLabels: { app: "a" } };

const requestAuthentication: Spec = (make) => ({
  ...(make.chance(0.5) ? { selector } : {}),
  jwtRules: [
    {
      issuer: "https://a.example.com",
      audiences: ["b"],
      jwksUri: "https://a.example.com/keys",
      fromHeaders: [{ name: "x-token", prefix: "Bearer " }],
      forwardOriginalToken: make.chance(0.5),
    },
  ],
});

const authorizationPolicy: Spec = (make) => ({
  ...(make.chance(0.5) ? { selector } : {}),
  action: make.pick(["ALLOW", "DENY", "AUDIT"]),
  rules: [
    {
      from: [{ source: { requestPrincipals: ["*"], ipBlocks: ["10.0.0.0/8"] } }],
      to: [{ operation: { methods: ["POST"], paths: ["/v1/models/*"] } }],
      when: [{ key: "request.headers[x-a]", values: ["b"] }],
    },
  ],
});

const serviceRole: Spec = () => ({
  rules: [
    { services: ["*"], methods: ["GET"], paths: ["/a"], constraints: [{ key: "version", values: ["v1"] }] },
  ],
});

const serviceRoleBinding: Spec = () => ({
  subjects: [{ user: "*" }],
  roleRef: { kind: "ServiceRole", name: "a" },
});

const target = { services: ["a.default.svc.cluster.local"], namespaces: ["default"] };

const clusterRbacConfig: Spec = (make) =>
  make.pick<Bag>([
    { mode: "OFF" },
    { mode: "ON" },
    { mode: "ON_WITH_INCLUSION", inclusion: target },
    { mode: "ON_WITH_EXCLUSION", exclusion: target },
  ]);

const specOf =
  (spec: Spec) =>
  (make: Maker, object: Bag): Bag => ({ ...object, spec: spec(make) });

export const istioRules = {
  "VirtualService.networking.istio.io": specOf(virtualService),
  "Gateway.networking.istio.io": specOf(gateway),
  "RequestAuthentication.security.istio.io": (make: Maker, object: Bag): Bag => {
    // Annotations of ours would be judged too.
    const { annotations: _a, ...metadata } = object["metadata"] as Bag;
    return { ...object, metadata, spec: requestAuthentication(make) };
  },
  "AuthorizationPolicy.security.istio.io": specOf(authorizationPolicy),
  "ServiceRole.rbac.istio.io": specOf(serviceRole),
  "ServiceRoleBinding.rbac.istio.io": specOf(serviceRoleBinding),
  "ClusterRbacConfig.rbac.istio.io": (make: Maker, object: Bag): Bag => {
    // There is one, of one name: held back by a finalizer it would be in the next one's way.
    const { finalizers: _f, ...metadata } = object["metadata"] as Bag;
    return { ...object, metadata: { ...metadata, name: "default" }, spec: clusterRbacConfig(make) };
  },
} as const;
