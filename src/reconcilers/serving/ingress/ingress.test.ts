// From a Route to the gateway's table: tags by header, https, certificates of a domain's own.
import { afterEach, describe, expect, it } from "vitest";
import { isvc } from "../../../../test/dataplane/testing.js";
import {
  existing,
  noScaling,
  proberOf,
  type RunningWorld,
  startWorld,
  type World,
} from "../../../../test/world/index.js";
import { makeAuthority } from "../../../adapters/tls/certificates.js";
import { compileRoutes } from "../../../dataplane/gateway/compile.js";
import { findHost, matchRoute } from "../../../dataplane/gateway/match.js";
import { readServingConfig } from "../../../domain/apis/config/index.js";
import { Secret } from "../../../domain/apis/core/config.types.js";
import { Endpoints } from "../../../domain/apis/core/endpoints.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { Gateway } from "../../../domain/apis/istio/gateway.types.js";
import { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { Route } from "../../../domain/apis/serving/route.types.js";
import { routeReconciler } from "../route/reconciler.js";
import { ingressReconciler } from "./reconciler.js";

const base = readServingConfig(() => undefined);
const byHeader = { ...base, features: { ...base.features, tagHeaderBasedRouting: "enabled" as const } };
const redirecting = { ...base, network: { ...base.network, httpProtocol: "Redirected" as const } };

const worlds: RunningWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function cluster(config: typeof base): Promise<RunningWorld> {
  const world = await startWorld({
    given: [
      existing(Configuration, {
        metadata: { name: "cat" },
        spec: { template: { spec: { containers: [{ image: "x" }] } } },
        status: {
          observedGeneration: 1,
          latestReadyRevisionName: "cat-2",
          conditions: [{ type: "Ready", status: "True" }],
        },
      } as never),
      ...revision("cat-1"),
      ...revision("cat-2"),
      ...["ingress", "local"].map((which) =>
        existing(Gateway, {
          metadata: { name: `knative-${which}-gateway`, namespace: "knative-serving" },
          spec: {
            selector: { istio: "ingressgateway" },
            servers: which === "local" ? [plain] : [plain, tls],
          },
        } as never),
      ),
    ],
    kubelet: false,
    reconcilers: (deps, inner) => {
      const serving = {
        ...deps,
        digests: {
          digestOf: () => {
            throw new Error("nobody asks for images here");
          },
        },
        prober: proberOf(({ host, hash, visibility }) => {
          const found = findHost(tableOf(inner)[visibility], host);
          return found === undefined ? { status: 404 } : { status: 200, hash: found.hash ?? hash };
        }),
        ...noScaling,
        settings: () => ({ domain: "example.com", externalPort: 80 }),
        config: () => config,
      };
      return [routeReconciler(serving), ingressReconciler(serving)];
    },
  });
  worlds.push(world);
  return world;
}

const plain = { hosts: ["*"], port: { name: "http", number: 80, protocol: "HTTP" } };
const tls = {
  hosts: ["*"],
  port: { name: "https", number: 443, protocol: "HTTPS" },
  tls: { mode: "SIMPLE", credentialName: "cert" },
};

const owner = {
  apiVersion: "serving.knative.dev/v1",
  kind: "Configuration",
  name: "cat",
  uid: "c",
  controller: true,
};

function revision(name: string) {
  return [
    existing(Revision, {
      metadata: { name, labels: { "serving.knative.dev/configuration": "cat" }, ownerReferences: [owner] },
      spec: { containers: [{ image: "x" }] },
      status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }] },
    } as never),
    existing(Service, {
      metadata: { name },
      spec: { type: "ClusterIP", ports: [{ name: "http", port: 80 }] },
    } as never),
    existing(Endpoints, {
      metadata: { name },
      subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "http", port: 8012 }] }],
    }),
  ];
}

function secret(name: string, namespace: string) {
  const { cert, key } = makeAuthority(0).sign({ commonName: "x" }, "server", ["x"]);
  const data = {
    "tls.crt": Buffer.from(cert).toString("base64"),
    "tls.key": Buffer.from(key).toString("base64"),
  };
  return { metadata: { name, namespace }, type: "kubernetes.io/tls", data } as never;
}

function tableOf(world: Pick<World, "list">, more: readonly object[] = []) {
  return compileRoutes({
    virtualServices: [...world.list(VirtualService), ...(more as never[])],
    services: world.list(Service) as never,
    endpoints: world.list(Endpoints) as never,
    gateways: world.list(Gateway),
    secrets: world.list(Secret) as never,
  }).table;
}

interface Asking {
  readonly host: string;
  readonly tag?: string;
  readonly secure?: boolean;
  readonly more?: readonly object[];
}

/** Which Revision answers, and what its pods are told of tags. */
function answers(world: RunningWorld, { host, tag, secure = false, more = [] }: Asking) {
  const table = tableOf(world, more);
  const routes = findHost(table.external, host) ?? findHost(table.local, host);
  if (routes === undefined) return "nobody";
  const header = (name: string) => (name === "knative-serving-tag" ? tag : undefined);
  const matched = matchRoute(routes, { host, method: "GET", target: "/", secure, header }, () => 0);
  if (matched.kind !== "forward") return matched.kind;
  const { revision: to, headers } = matched.destination;
  const told = ["Knative-Serving-Tag", "Knative-Serving-Default-Route"].flatMap((name) => {
    const at = headers.lines.indexOf(name);
    return at < 0 ? [] : [`${name}: ${headers.lines[at + 1]}`];
  });
  return [to.name, ...told].join(" ");
}

const tagged = (name: string) =>
  ({
    metadata: { name, namespace: "default" },
    spec: {
      traffic: [
        { revisionName: "cat-1", percent: 100 },
        { revisionName: "cat-2", percent: 0, tag: "blue" },
      ],
    },
  }) as never;

describe("a tag in a header", () => {
  it.each<[string, Omit<Asking, "more">, string]>([
    ["leads to the tag's Revision", { host: "cat.default.example.com", tag: "blue" }, "cat-2"],
    [
      "that nobody has leads to the default, and says so",
      { host: "cat.default.example.com", tag: "red" },
      "cat-1 Knative-Serving-Default-Route: true",
    ],
    ["may be missing", { host: "cat.default.example.com" }, "cat-1 Knative-Serving-Default-Route: true"],
    [
      "is set on the tag's own host",
      { host: "blue-cat.default.example.com" },
      "cat-2 Knative-Serving-Tag: blue",
    ],
    [
      "does not change where the tag's own host leads",
      { host: "blue-cat.default.example.com", tag: "red" },
      "cat-2 Knative-Serving-Tag: blue",
    ],
    ["counts inside too", { host: "cat.default.svc.cluster.local", tag: "blue" }, "cat-2"],
  ])("%s", async (_name, asking, want) => {
    const world = await cluster(byHeader);
    await world.apply(Route, tagged("cat"));
    expect(answers(world, asking)).toBe(want);
  });

  it("goes through the InferenceService's own host", async () => {
    const world = await cluster(byHeader);
    await world.apply(Route, tagged("iris-predictor"));
    const asking = { host: "iris.default.example.com", more: [isvc("iris")] };
    expect(answers(world, { ...asking, tag: "blue" })).toBe("cat-2");
    expect(answers(world, { ...asking, tag: "red" })).toBe("cat-1 Knative-Serving-Default-Route: true");
  });

  it("means nothing while the feature is off", async () => {
    const world = await cluster(base);
    await world.apply(Route, tagged("cat"));
    expect(answers(world, { host: "cat.default.example.com", tag: "blue" })).toBe("cat-1");
  });
});

describe("http-protocol Redirected", () => {
  it("sends to https once somebody speaks it, and not before", async () => {
    const world = await cluster(redirecting);
    await world.apply(Route, tagged("cat"));
    const host = "cat.default.example.com";
    expect(answers(world, { host })).toBe("cat-1");
    await world.apply(Secret, secret("cert", "knative-serving"));
    expect(answers(world, { host })).toBe("redirect");
    expect(answers(world, { host, secure: true })).toBe("cat-1");
    expect(answers(world, { host: "cat.default.svc.cluster.local" })).toBe("cat-1");
    expect(world.get(KnativeIngress, "default/cat")?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "Ready", status: "True" }),
    );
  });
});

describe("an Ingress with a certificate of its own", () => {
  const ingress = (more: object) =>
    ({
      metadata: { name: "shop.example.org", namespace: "default" },
      spec: {
        rules: [
          {
            hosts: ["shop.example.org"],
            visibility: "ExternalIP",
            http: {
              paths: [
                {
                  splits: [
                    { serviceName: "cat-1", serviceNamespace: "default", servicePort: 80, percent: 100 },
                  ],
                },
              ],
            },
          },
        ],
        ...more,
      },
    }) as never;
  const own = [{ hosts: ["shop.example.org"], secretName: "shop", secretNamespace: "default" }];

  it("opens a Gateway with it, which goes when the certificate is taken away", async () => {
    const world = await cluster(base);
    await world.apply(Secret, secret("shop", "default"));
    await world.apply(KnativeIngress, ingress({ tls: own, httpOption: "Redirected" }));
    expect(world.get(Gateway, "default/shop.example.org-tls")?.spec?.servers).toEqual([
      {
        hosts: ["default/shop.example.org"],
        port: { name: "https-0", number: 443, protocol: "HTTPS" },
        tls: { mode: "SIMPLE", credentialName: "default/shop" },
      },
    ]);
    expect(tableOf(world).tls).toMatchObject([{ hosts: ["shop.example.org"] }]);
    expect(answers(world, { host: "shop.example.org" })).toBe("redirect");
    expect(answers(world, { host: "shop.example.org", secure: true })).toBe("cat-1");
    await world.apply(KnativeIngress, ingress({}));
    expect(world.get(Gateway, "default/shop.example.org-tls")).toBeUndefined();
    expect(answers(world, { host: "shop.example.org" })).toBe("cat-1");
  });
});
