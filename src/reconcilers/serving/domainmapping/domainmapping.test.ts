// DomainMappings from the object to the gateway's table: what a request for the domain would meet.
import { afterEach, describe, expect, it } from "vitest";
import {
  existing,
  minutes,
  noScaling,
  proberOf,
  type RunningWorld,
  seconds,
  startWorld,
  type World,
} from "../../../../test/world/index.js";
import { compileRoutes } from "../../../dataplane/gateway/compile.js";
import { findHost, matchRoute } from "../../../dataplane/gateway/match.js";
import { readServingConfig } from "../../../domain/apis/config/index.js";
import { Endpoints } from "../../../domain/apis/core/endpoints.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import { ClusterDomainClaim } from "../../../domain/apis/networking/clusterDomainClaim.types.js";
import { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { DomainMapping } from "../../../domain/apis/serving/domainMapping.types.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { Route } from "../../../domain/apis/serving/route.types.js";
import { ingressReconciler } from "../ingress/reconciler.js";
import { routeReconciler } from "../route/reconciler.js";
import { domainMappingReconciler } from "./reconciler.js";

const base = readServingConfig(() => undefined);
const autocreating = { ...base, network: { ...base.network, autocreateClusterDomainClaims: true } };

const worlds: RunningWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

interface Options {
  readonly config?: typeof base;
  /** Whether the gateway hears of anything at all. */
  readonly deaf?: () => boolean;
}

async function cluster({ config = autocreating, deaf = () => false }: Options = {}): Promise<RunningWorld> {
  const world = await startWorld({
    given: [configuration, revision, ...pods("cat-1"), ...pods("plain")],
    kubelet: false,
    reconcilers: (deps, inner) => {
      const serving = {
        ...deps,
        digests: { digestOf: never },
        // The gateway itself, as far as its table goes.
        prober: proberOf(async ({ host, hash, visibility }) => {
          await inner.registry.settled(); // it hears of routes once they are durable
          const found = deaf() ? undefined : findHost(tableOf(inner)[visibility], host);
          return found === undefined ? { status: 404 } : { status: 200, hash: found.hash ?? hash };
        }),
        ...noScaling,
        settings: () => ({ domain: "localhost", externalPort: 80 }),
        config: () => config,
      };
      return [routeReconciler(serving), domainMappingReconciler(serving), ingressReconciler(serving)];
    },
  });
  worlds.push(world);
  return world;
}

function never(): never {
  throw new Error("nobody asks for images here");
}

function tableOf(world: Pick<World, "list">) {
  return compileRoutes({
    virtualServices: world.list(VirtualService),
    services: world.list(Service) as never,
    endpoints: world.list(Endpoints) as never,
  }).table;
}

const configuration = existing(Configuration, {
  metadata: { name: "cat" },
  spec: { template: { spec: { containers: [{ image: "x" }] } } },
  status: {
    observedGeneration: 1,
    latestReadyRevisionName: "cat-1",
    conditions: [{ type: "Ready", status: "True" }],
  },
} as never);

const revision = existing(Revision, {
  metadata: {
    name: "cat-1",
    labels: { "serving.knative.dev/configuration": "cat" },
    ownerReferences: [
      {
        apiVersion: "serving.knative.dev/v1",
        kind: "Configuration",
        name: "cat",
        uid: "c",
        controller: true,
      },
    ],
  },
  spec: { containers: [{ image: "x" }] },
  status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }] },
} as never);

function pods(name: string) {
  return [
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

const route = {
  metadata: { name: "cat", namespace: "default" },
  spec: { traffic: [{ configurationName: "cat", percent: 100 }] },
} as never;

const mapping = (ref: object, more: object = {}) =>
  ({
    metadata: { name: "cat.example.com", namespace: "default" },
    spec: { ref, ...more },
  }) as never;
const toRoute = { kind: "Route", name: "cat", apiVersion: "serving.knative.dev/v1" };

function said(world: RunningWorld, type = "Ready"): string {
  const conditions = world.get(DomainMapping, "default/cat.example.com")?.status?.conditions;
  const condition = conditions?.find((one) => one.type === type);
  if (condition === undefined) return "nothing";
  const { status, reason, message } = condition;
  return message ? `${status} ${reason}: ${message}` : reason ? `${status} ${reason}` : status;
}

/** Who answers for the domain, and under which Host. */
function answers(world: RunningWorld) {
  const routes = findHost(tableOf(world).external, "cat.example.com");
  if (routes === undefined) return "nobody";
  const asked = {
    host: "cat.example.com",
    method: "GET",
    target: "/",
    secure: false,
    header: () => undefined,
  };
  const matched = matchRoute(routes, asked, () => 0);
  if (matched.kind !== "forward") return matched.kind;
  const { revision: to, host, headers } = matched.destination;
  return { to: to.name, host, original: headers.lines[headers.lines.indexOf("K-Original-Host") + 1] };
}

describe("a DomainMapping", () => {
  it("leads a domain to a Route, and is ready when the gateway answers for it", async () => {
    const world = await cluster();
    await world.apply(Route, route);
    const mapped = await world.apply(DomainMapping, mapping(toRoute));
    expect(said(world)).toBe("True");
    expect(said(world, "CertificateProvisioned")).toBe(
      "True TLSNotEnabled: external-domain-tls is not enabled",
    );
    expect(mapped.status).toMatchObject({
      url: "http://cat.example.com",
      address: { url: "http://cat.example.com" },
    });
    expect(answers(world)).toEqual({
      to: "cat-1",
      host: "cat.default.svc.cluster.local",
      original: "cat.example.com",
    });
    expect(world.get(KnativeIngress, "default/cat.example.com")).toMatchObject({
      metadata: {
        labels: { "serving.knative.dev/domainMappingNamespace": "default" },
        annotations: { "networking.knative.dev/ingress.class": "istio.ingress.networking.knative.dev" },
      },
      spec: { rules: [{ hosts: ["cat.example.com"], visibility: "ExternalIP" }] },
    });
    const before = world.writes();
    await world.advance(minutes(5));
    expect(world.writes()).toBe(before);
  });

  it("leads a domain to a plain Service", async () => {
    const world = await cluster();
    await world.apply(DomainMapping, mapping({ kind: "Service", name: "plain", apiVersion: "v1" }));
    expect(said(world)).toBe("True");
    expect(answers(world)).toMatchObject({ to: "plain", host: "plain.default.svc.cluster.local" });
  });

  it("says what it waits for, and is ready when that appears", async () => {
    const world = await cluster();
    const ref = { kind: "Service", name: "cat", apiVersion: "serving.knative.dev/v1" };
    await world.apply(DomainMapping, mapping(ref));
    expect(said(world)).toBe(
      'False ResolveFailed: failed to get object default/cat: services.serving.knative.dev "cat" not found',
    );
    expect(answers(world)).toBe("nobody");
    await world.change(DomainMapping, "default/cat.example.com", (one) => ({
      ...one,
      spec: { ref: { ...one.spec.ref, ...toRoute } },
    }));
    expect(said(world)).toMatch(/^False ResolveFailed: .*routes.serving.knative.dev "cat" not found$/);
    await world.apply(Route, route);
    expect(said(world)).toBe("True");
  });

  it("says so when the gateway does not answer for too long", async () => {
    let deaf = true;
    const world = await cluster({ deaf: () => deaf });
    await world.apply(DomainMapping, mapping({ kind: "Service", name: "plain", apiVersion: "v1" }));
    expect(said(world)).toMatch(/^Unknown IngressNotConfigured/);
    await world.advance(seconds(121));
    expect(said(world)).toMatch(/^False ProgressDeadlineExceeded/);
    deaf = false;
    await world.advance(seconds(5));
    expect(said(world)).toBe("True");
  });

  it("tells a certificate of the user's own", async () => {
    const world = await cluster();
    const ref = { kind: "Service", name: "plain", apiVersion: "v1" };
    await world.apply(DomainMapping, mapping(ref, { tls: { secretName: "mine" } }));
    expect(said(world, "CertificateProvisioned")).toBe(
      "True CertificateExternallyProvided: TLS certificate was provided externally",
    );
    expect(world.get(KnativeIngress, "default/cat.example.com")?.spec.tls).toEqual([
      { hosts: ["cat.example.com"], secretName: "mine", secretNamespace: "default" },
    ]);
  });
});

describe("a claim", () => {
  const plain = mapping({ kind: "Service", name: "plain", apiVersion: "v1" });

  it("is made where that is allowed, and goes with the mapping", async () => {
    const world = await cluster();
    await world.apply(DomainMapping, plain);
    expect(world.get(ClusterDomainClaim, "/cat.example.com")?.spec.namespace).toBe("default");
    await world.remove(DomainMapping, "default/cat.example.com");
    expect(world.get(ClusterDomainClaim, "/cat.example.com")).toBeUndefined();
  });

  it("is otherwise waited for", async () => {
    const world = await cluster({ config: base });
    await world.apply(DomainMapping, plain);
    expect(said(world)).toBe(
      'False DomainClaimFailed: no ClusterDomainClaim found for domain "cat.example.com" (and autocreate-cluster-domain-claims property is not true)',
    );
    await world.apply(ClusterDomainClaim, {
      metadata: { name: "cat.example.com" },
      spec: { namespace: "default" },
    });
    expect(said(world)).toBe("True");
    await world.remove(DomainMapping, "default/cat.example.com");
    expect(world.get(ClusterDomainClaim, "/cat.example.com")).toBeDefined();
  });

  it("of another namespace keeps the domain there", async () => {
    const world = await cluster();
    await world.apply(ClusterDomainClaim, {
      metadata: { name: "cat.example.com" },
      spec: { namespace: "elsewhere" },
    });
    await world.apply(DomainMapping, plain);
    expect(said(world)).toBe(
      "False DomainAlreadyClaimed: The domain name is already in use by another DomainMapping",
    );
    expect(answers(world)).toBe("nobody");
    await world.remove(DomainMapping, "default/cat.example.com");
    expect(world.get(ClusterDomainClaim, "/cat.example.com")).toBeDefined();
  });
});
