// Routes on a clock that only moves when told, over Configurations and Revisions that say what the test makes them say.
import { afterEach, describe, expect, it } from "vitest";
import {
  type Answers,
  existing,
  minutes,
  noScaling,
  proberOf,
  type RunningWorld,
  seconds,
  startWorld,
} from "../../../../test/world/index.js";
import { readServingConfig, type ServingConfig } from "../../../domain/apis/config/index.js";
import { ConfigMap } from "../../../domain/apis/core/config.types.js";
import { Service } from "../../../domain/apis/core/service.types.js";
import { VirtualService } from "../../../domain/apis/istio/virtualService.types.js";
import type { Resource } from "../../../domain/apis/kind.js";
import { KnativeIngress } from "../../../domain/apis/networking/ingress.types.js";
import { Configuration } from "../../../domain/apis/serving/configuration.types.js";
import { Revision } from "../../../domain/apis/serving/revision.types.js";
import { Route } from "../../../domain/apis/serving/route.types.js";
import { ingressReconciler } from "../ingress/reconciler.js";
import { routeReconciler } from "./reconciler.js";

const defaults = readServingConfig(() => undefined);

interface Options {
  readonly config?: () => ServingConfig;
  readonly answers?: Answers;
  readonly given?: readonly Resource[];
}

const worlds: RunningWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function cluster({
  config = () => defaults,
  answers = () => undefined,
  given,
}: Options = {}): Promise<RunningWorld> {
  const world = await startWorld({
    given: given ?? [configuration("cat", "cat-2"), revision("cat-1"), revision("cat-2")],
    kubelet: false,
    reconcilers: (deps) => {
      const serving = {
        ...deps,
        digests: { digestOf: never },
        prober: proberOf(answers),
        ...noScaling,
        settings: () => ({ domain: "localhost", externalPort: 18080 }),
        config,
      };
      return [routeReconciler(serving), ingressReconciler(serving)];
    },
  });
  worlds.push(world);
  return world;
}

function never(): never {
  throw new Error("nobody asks for images here");
}

function configuration(name: string, latestReadyRevisionName: string | undefined): Configuration {
  return existing(Configuration, {
    metadata: { name },
    spec: { template: { spec: { containers: [{ image: "x" }] } } },
    status: {
      observedGeneration: 1,
      ...(latestReadyRevisionName === undefined
        ? {}
        : { latestReadyRevisionName, latestCreatedRevisionName: latestReadyRevisionName }),
      conditions: [{ type: "Ready", status: latestReadyRevisionName === undefined ? "Unknown" : "True" }],
    },
  } as never);
}

function revision(name: string, port = "http1"): Revision {
  const of = name.replace(/-\d+$/, "");
  return existing(Revision, {
    metadata: {
      name,
      labels: { "serving.knative.dev/configuration": of },
      ownerReferences: [
        {
          apiVersion: "serving.knative.dev/v1",
          kind: "Configuration",
          name: of,
          uid: `configuration-default-${of}`,
          controller: true,
        },
      ],
    },
    spec: { containers: [{ image: "x", ports: [{ name: port, containerPort: 8080 }] }] },
    status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "True" }] },
  } as never);
}

type Target = NonNullable<NonNullable<Route["spec"]["traffic"]>[number]>;
const latest = (percent = 100, more: Partial<Target> = {}) => ({
  configurationName: "cat",
  percent,
  ...more,
});
const pinned = (revisionName: string, percent = 100, more: Partial<Target> = {}) => ({
  revisionName,
  percent,
  ...more,
});
const route = (traffic: readonly Partial<Target>[], metadata: object = {}) => ({
  metadata: { name: "cat", namespace: "default", ...metadata },
  spec: { traffic: traffic as readonly Target[] },
});

const send = (world: RunningWorld, ...traffic: readonly Partial<Target>[]) =>
  world.change(Route, "default/cat", (one) => ({ ...one, spec: route(traffic).spec }));

/** Makes another Revision the latest ready one. */
const becomesLatest = (world: RunningWorld, name: string) =>
  world.client
    .updateStatus(Configuration, {
      ...(world.get(Configuration, "default/cat") as Configuration),
      status: {
        ...world.get(Configuration, "default/cat")?.status,
        latestReadyRevisionName: name,
        latestCreatedRevisionName: name,
      } as never,
    })
    .then(() => world.settle());

/** `True`, or `False Reason: message`: one condition as a user reads it. */
function said(object: Route | KnativeIngress | undefined, type = "Ready"): string {
  const condition = object?.status?.conditions?.find((one) => one.type === type);
  if (condition === undefined) return "nothing";
  const { status, reason, message } = condition;
  return message ? `${status} ${reason}: ${message}` : reason ? `${status} ${reason}` : status;
}

const cat = (world: RunningWorld) => world.get(Route, "default/cat");
const ingress = (world: RunningWorld) => world.get(KnativeIngress, "default/cat");
const lines = (world: RunningWorld) =>
  (cat(world)?.status?.traffic ?? []).map((one) => `${one.tag ?? "-"} ${one.revisionName} ${one.percent}`);
/** Each rule as `host: revision percent, ...`. */
const rules = (world: RunningWorld) =>
  (ingress(world)?.spec.rules ?? []).map(
    ({ hosts, http }) =>
      `${hosts?.at(-1)}: ${(http?.paths.at(-1)?.splits ?? []).map((one) => `${one.serviceName} ${one.percent}`).join(", ")}`,
  );

describe("a Route", () => {
  it("is served by name, inside and outside, and each tag too", async () => {
    const world = await cluster();
    await world.apply(
      Route,
      route([latest(90), pinned("cat-1", 10, { tag: "old" }), latest(0, { tag: "new" })]),
    );
    expect(said(cat(world))).toBe("True");
    expect(cat(world)?.status).toMatchObject({
      url: "http://cat.default.localhost:18080",
      address: { url: "http://cat.default.svc.cluster.local" },
      traffic: [
        { revisionName: "cat-2", percent: 90, latestRevision: true },
        { revisionName: "cat-1", percent: 10, tag: "old", url: "http://old-cat.default.localhost:18080" },
        { revisionName: "cat-2", percent: 0, tag: "new", url: "http://new-cat.default.localhost:18080" },
      ],
    });
    expect(rules(world)).toEqual([
      "cat.default.svc.cluster.local: cat-2 90, cat-1 10",
      "cat.default.localhost: cat-2 90, cat-1 10",
      "new-cat.default.svc.cluster.local: cat-2 100",
      "new-cat.default.localhost: cat-2 100",
      "old-cat.default.svc.cluster.local: cat-1 100",
      "old-cat.default.localhost: cat-1 100",
    ]);
    expect(said(cat(world), "RolloutInProgress")).toBe("nothing");
    expect(world.list(Service, "default").map((one) => one.metadata.name)).toEqual([
      "cat",
      "new-cat",
      "old-cat",
    ]);
  });

  it("comes to rest", async () => {
    const world = await cluster();
    await world.apply(Route, route([latest()]));
    const before = world.writes();
    await world.advance(minutes(10));
    expect(world.writes()).toBe(before);
  });

  it("speaks h2c to a Revision that does, on its Service's other port", async () => {
    const world = await cluster({
      given: [configuration("cat", "cat-2"), revision("cat-1"), revision("cat-2", "h2c")],
    });
    await world.apply(Route, route([latest(50), pinned("cat-1", 50)]));
    const splits = ingress(world)?.spec.rules[0]?.http?.paths[0]?.splits;
    expect(splits?.map((one) => [one.serviceName, one.servicePort])).toEqual([
      ["cat-2", 81],
      ["cat-1", 80],
    ]);
  });

  it("takes the Services of tags that are no more away", async () => {
    const world = await cluster();
    await world.apply(Route, route([latest(100, { tag: "new" })]));
    await send(world, latest());
    expect(world.list(Service, "default").map((one) => one.metadata.name)).toEqual(["cat"]);
  });

  it("tells upstream's annotations what it does", async () => {
    const world = await cluster();
    const annotations = {
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
      "networking.knative.dev/http-protocol": "Redirected",
      mine: "yes",
    };
    await world.apply(Route, route([latest(100, { tag: "new" })], { annotations, labels: { team: "a" } }));
    const { metadata, spec } = ingress(world) as KnativeIngress;
    expect(spec.httpOption).toBe("Redirected");
    expect(metadata.labels).toMatchObject({ team: "a", "serving.knative.dev/routeNamespace": "default" });
    expect(metadata.annotations).toMatchObject({
      mine: "yes",
      "networking.knative.dev/ingress.class": "istio.ingress.networking.knative.dev",
      "networking.internal.knative.dev/tag-to-host":
        '{"new":["new-cat.default.svc.cluster.local","new-cat.default.localhost"]}',
      "networking.internal.knative.dev/rollout": expect.stringContaining('"configurationName":"cat"'),
    });
    expect(metadata.annotations).not.toHaveProperty("kubectl.kubernetes.io/last-applied-configuration");
  });

  it("says that an annotation cannot be understood", async () => {
    const annotations = { "networking.knative.dev/httpOption": "maybe" };
    const world = await cluster({
      given: [
        configuration("cat", "cat-2"),
        revision("cat-2"),
        existing(Route, route([latest()], { annotations })),
      ],
    });
    expect(said(cat(world))).toBe("False ErrorConfig: incorrect http-protocol annotation: maybe");
  });
});

describe("hosts", () => {
  const withDomains = (
    domains: ServingConfig["domains"],
    network: Partial<ServingConfig["network"]> = {},
  ) => {
    const config = { ...defaults, domains, network: { ...defaults.network, ...network } };
    return () => config;
  };
  const everybody = { domain: "example.com", selector: {} };

  it("end in the domain whose selector fits", async () => {
    const domains = [everybody, { domain: "prod.example.com", selector: { app: "prod" } }];
    const world = await cluster({ config: withDomains(domains, { defaultExternalScheme: "https" }) });
    await world.apply(Route, route([latest()], { labels: { app: "prod" } }));
    expect(cat(world)?.status?.url).toBe("https://cat.default.prod.example.com");
  });

  it("stay inside when no domain is for this Route", async () => {
    const domains = [
      { domain: "prod.example.com", selector: { app: "prod" } },
      { domain: "svc.cluster.local", selector: {} },
    ];
    const world = await cluster({ config: withDomains(domains) });
    await world.apply(Route, route([latest(100, { tag: "new" })]));
    expect(cat(world)?.status?.url).toBe("http://cat.default.svc.cluster.local");
    expect(said(cat(world), "CertificateProvisioned")).toBe(
      "True TLSNotEnabled: TLS is not enabled for cluster-local",
    );
    expect(rules(world)).toHaveLength(2);
  });

  it("stay inside by label, for the whole Route or for one tag", async () => {
    const world = await cluster();
    await world.apply(Route, route([latest(100, { tag: "new" })]));
    await world.change(Service, "default/new-cat", (one) => ({
      ...one,
      metadata: {
        ...one.metadata,
        labels: { ...one.metadata.labels, "networking.knative.dev/visibility": "cluster-local" },
      },
    }));
    expect(cat(world)?.status?.traffic?.[0]?.url).toBe("http://new-cat.default.svc.cluster.local");
    expect(rules(world).map((rule) => rule.split(":")[0])).toEqual([
      "cat.default.svc.cluster.local",
      "cat.default.localhost",
      "new-cat.default.svc.cluster.local",
    ]);
    await world.change(Route, "default/cat", (one) => ({
      ...one,
      metadata: { ...one.metadata, labels: { "networking.knative.dev/visibility": "cluster-local" } },
    }));
    expect(cat(world)?.status?.url).toBe("http://cat.default.svc.cluster.local");
    expect(rules(world)).toHaveLength(2);
  });

  it("follow the templates, and say when these make none", async () => {
    let config = withDomains([everybody], { domainTemplate: "{{.Name}}-{{.Namespace}}.{{.Domain}}" })();
    const network = existing(ConfigMap, {
      metadata: { name: "config-network", namespace: "knative-serving" },
    });
    const world = await cluster({
      config: () => config,
      given: [configuration("cat", "cat-2"), revision("cat-2"), network],
    });
    await world.apply(Route, route([latest()]));
    expect(cat(world)?.status?.url).toBe("http://cat-default.example.com:18080");
    config = withDomains([everybody], { domainTemplate: "{{.Name}}_{{.Domain}}" })();
    await world.change(ConfigMap, "knative-serving/config-network", (one) => ({
      ...one,
      data: { _example: "" },
    }));
    expect(said(cat(world))).toMatch(
      /^False ErrorConfig: domain name error: invalid domain name "cat_example.com": /,
    );
    expect(rules(world)[1]).toBe("cat-default.example.com: cat-2 100");
  });
});

describe("the tag header", () => {
  const config = {
    ...defaults,
    features: { ...defaults.features, tagHeaderBasedRouting: "enabled" as const },
  };

  it("reaches a tag under the Route's own name", async () => {
    const world = await cluster({ config: () => config });
    await world.apply(Route, route([latest(), pinned("cat-1", 0, { tag: "old" })]));
    const [inside, , tagged] = ingress(world)?.spec.rules ?? [];
    expect(inside?.http?.paths).toMatchObject([
      {
        headers: { "Knative-Serving-Tag": { exact: "old" } },
        splits: [{ serviceName: "cat-1", percent: 100 }],
      },
      { appendHeaders: { "Knative-Serving-Default-Route": "true" }, splits: [{ serviceName: "cat-2" }] },
    ]);
    expect(tagged?.http?.paths).toMatchObject([{ appendHeaders: { "Knative-Serving-Tag": "old" } }]);
    const http = world.get(VirtualService, "default/cat-ingress")?.spec?.http;
    expect(http?.[0]?.match?.[0]).toMatchObject({ headers: { "Knative-Serving-Tag": { exact: "old" } } });
  });
});

describe("bad targets", () => {
  it("leave what is served as it was, and status lists what is there", async () => {
    const world = await cluster();
    await world.apply(Route, route([pinned("cat-1")]));
    const before = rules(world);
    await send(world, pinned("cat-1", 90), pinned("qyzz", 10));
    const words = "False RevisionMissing: Revision 'qyzz' referenced in traffic not found";
    expect(said(cat(world))).toBe(words);
    expect(said(cat(world), "AllTrafficAssigned")).toBe(words);
    expect(said(cat(world), "IngressReady")).toBe("True");
    expect(lines(world)).toEqual(["- cat-1 90"]);
    expect(rules(world)).toEqual(before);
  });

  it("that are all there is leave an empty list, and the Revision that still serves is not let go", async () => {
    const world = await cluster();
    await world.apply(Route, route([pinned("cat-1")]));
    await send(world, { configurationName: "dog", percent: 100 });
    expect(said(cat(world))).toBe(
      "False ConfigurationMissing: Configuration 'dog' referenced in traffic not found",
    );
    expect(cat(world)?.status?.traffic).toEqual([]);
    expect(rules(world)[0]).toBe("cat.default.svc.cluster.local: cat-1 100");
    expect(stateOf(world, "cat-1")).toBe("active cat");
  });

  it("that are merely not ready leave the list as it was", async () => {
    const world = await cluster({
      given: [configuration("cat", "cat-2"), revision("cat-2"), configuration("dog", undefined)],
    });
    await world.apply(Route, route([latest()]));
    await send(world, { configurationName: "dog", percent: 100 });
    expect(said(cat(world))).toBe(
      "Unknown RevisionMissing: Configuration 'dog' is waiting for a Revision to become ready.",
    );
    expect(lines(world)).toEqual(["- cat-2 100"]);
  });

  it("whose latest Revision was deleted list it no more", async () => {
    const world = await cluster();
    await world.apply(Route, route([latest(60), pinned("cat-1", 40)]));
    await world.remove(Revision, "default/cat-2");
    await world.client.updateStatus(Configuration, {
      ...(world.get(Configuration, "default/cat") as Configuration),
      status: { observedGeneration: 1, conditions: [{ type: "Ready", status: "False" }] },
    });
    await world.settle();
    expect(said(cat(world))).toBe(
      "False RevisionMissing: Configuration 'cat' does not have a LatestReadyRevision.",
    );
    expect(lines(world)).toEqual(["- cat-1 40"]);
  });

  it("heal when what they name appears, whatever its name", async () => {
    const world = await cluster({ given: [configuration("cat", "cat-2"), revision("cat-2")] });
    await world.apply(Route, route([pinned("zebra-7")]));
    expect(said(cat(world))).toMatch(/^False RevisionMissing/);
    expect(said(cat(world), "IngressReady")).toMatch(/^Unknown IngressNotConfigured/);
    await world.apply(Configuration, configuration("zebra", "zebra-7"));
    await world.apply(Revision, revision("zebra-7"));
    expect(said(cat(world))).toMatch(/^Unknown RevisionMissing: Revision 'zebra-7' is not yet ready/);
    await world.client.updateStatus(Revision, {
      ...(world.get(Revision, "default/zebra-7") as Revision),
      status: revision("zebra-7").status as never,
    });
    await world.settle();
    expect(said(cat(world))).toBe("True");

    await send(world, { configurationName: "lion", percent: 100 });
    expect(said(cat(world))).toMatch(/^False ConfigurationMissing/);
    await world.apply(Configuration, configuration("lion", undefined));
    expect(said(cat(world))).toMatch(/^Unknown RevisionMissing: Configuration 'lion' is waiting/);
  });
});

describe("a gateway that does not answer", () => {
  const late = "ProgressDeadlineExceeded: Unable to update traffic split for more than 120 seconds.";

  it("makes the first deployment fail after the deadline, and heals it when it does", async () => {
    let open = false;
    const world = await cluster({ answers: () => (open ? undefined : notYet) });
    await world.apply(Route, route([latest()]));
    await world.advance(seconds(119));
    expect(said(cat(world))).toMatch(/^Unknown IngressNotConfigured: Waiting for load balancer/);
    expect(said(cat(world), "RolloutInProgress")).toMatch(/^True RolloutInProgress/);
    await world.advance(seconds(2));
    expect(said(cat(world))).toBe(`False ${late}`);
    expect(said(cat(world), "RolloutInProgress")).toBe(`True ${late}`);
    expect(cat(world)?.status?.conditions?.find((one) => one.type === "RolloutInProgress")?.severity).toBe(
      "Info",
    );
    open = true;
    await world.advance(seconds(10));
    expect(said(cat(world))).toBe("True");
    expect(said(cat(world), "RolloutInProgress")).toBe("nothing");
  });

  it("is given its time anew with each change, and the old Revision stays until the new one serves", async () => {
    let open = true;
    const world = await cluster({ answers: () => (open ? undefined : notYet) });
    await world.apply(Route, route([pinned("cat-1")]));
    await world.advance(minutes(30));
    open = false;
    await send(world, pinned("cat-1", 75), pinned("cat-2", 25));
    await world.advance(seconds(100));
    await send(world, pinned("cat-2"));
    await world.advance(seconds(100));
    expect(said(cat(world))).toMatch(/^Unknown IngressNotConfigured/);
    await world.advance(seconds(21));
    expect(said(cat(world))).toBe(`False ${late}`);
    expect(lines(world)).toEqual(["- cat-2 100"]);
    expect(stateOf(world, "cat-1")).toBe("active cat");
    open = true;
    await world.advance(seconds(5));
    expect(said(cat(world))).toBe("True");
    expect(stateOf(world, "cat-1")).toBe("reserve ");
  });

  it("is waited for as long as config-deployment says", async () => {
    const deployment = { ...defaults.deployment, progressDeadlineSeconds: 30 };
    const world = await cluster({ config: () => ({ ...defaults, deployment }), answers: () => notYet });
    await world.apply(Route, route([latest()]));
    await world.advance(seconds(31));
    expect(said(cat(world))).toMatch(/^False ProgressDeadlineExceeded: .*more than 30 seconds\.$/);
  });
});

describe("a gradual rollout", () => {
  const annotations = { "serving.knative.dev/rollout-duration": "60s" };
  const progressing =
    "Unknown RolloutInProgress: A gradual rollout of the latest revision(s) is in progress.";

  it("moves traffic little by little, and ends", async () => {
    const world = await cluster({
      given: [configuration("cat", "cat-1"), revision("cat-1"), revision("cat-2")],
    });
    await world.apply(Route, route([latest()], { annotations }));
    expect(said(cat(world))).toBe("True");
    await becomesLatest(world, "cat-2");
    expect(lines(world)).toEqual(["- cat-1 99", "- cat-2 1"]);
    expect(rules(world)[1]).toBe("cat.default.localhost: cat-1 99, cat-2 1");
    expect(said(cat(world))).toBe(progressing);
    expect(said(cat(world), "RolloutInProgress")).toMatch(/^True RolloutInProgress/);
    await world.advance(seconds(30));
    const share = cat(world)?.status?.traffic?.at(-1)?.percent ?? 0;
    expect(share).toBeGreaterThan(40);
    expect(share).toBeLessThan(70);
    expect(stateOf(world, "cat-1")).toBe("active cat");
    await world.advance(seconds(40));
    expect(lines(world)).toEqual(["- cat-2 100"]);
    expect(said(cat(world))).toBe("True");
    expect(stateOf(world, "cat-1")).toBe("reserve ");
    const before = world.writes();
    await world.advance(minutes(5));
    expect(world.writes()).toBe(before);
  });

  it("that gets stuck at a step says so and takes no further one", async () => {
    let open = true;
    const world = await cluster({
      given: [configuration("cat", "cat-1"), revision("cat-1"), revision("cat-2")],
      answers: () => (open ? undefined : notYet),
    });
    await world.apply(Route, route([latest()], { annotations }));
    await becomesLatest(world, "cat-2");
    await world.advance(seconds(20));
    open = false;
    await world.advance(seconds(2));
    const stuck = lines(world);
    expect(stuck).toHaveLength(2);
    expect(said(cat(world))).toBe(progressing);
    await world.advance(seconds(130));
    expect(said(cat(world))).toMatch(/^False ProgressDeadlineExceeded/);
    expect(lines(world)).toEqual(stuck);
    open = true;
    await world.advance(minutes(2));
    expect(lines(world)).toEqual(["- cat-2 100"]);
    expect(said(cat(world))).toBe("True");
  });

  it("rests while targets are bad, and goes on after", async () => {
    const world = await cluster({
      given: [configuration("cat", "cat-1"), revision("cat-1"), revision("cat-2")],
    });
    await world.apply(Route, route([latest()], { annotations }));
    await becomesLatest(world, "cat-2");
    await world.advance(seconds(20));
    const resting = rules(world);
    await send(world, latest(90), pinned("qyzz", 10));
    const before = world.writes();
    await world.advance(minutes(5));
    expect(world.writes()).toBe(before);
    expect(rules(world)).toEqual(resting);
    expect(said(cat(world))).toMatch(/^False RevisionMissing/);
    expect(said(cat(world), "RolloutInProgress")).toMatch(/^True RolloutInProgress/);
    await send(world, latest());
    await world.advance(minutes(2));
    expect(said(cat(world))).toBe("True");
    expect(lines(world)).toEqual(["- cat-2 100"]);
  });

  it("is what config-network makes of every Route", async () => {
    const network = { ...defaults.network, rolloutDurationSeconds: 30 };
    const world = await cluster({
      config: () => ({ ...defaults, network }),
      given: [configuration("cat", "cat-1"), revision("cat-1"), revision("cat-2")],
    });
    await world.apply(Route, route([latest()]));
    await becomesLatest(world, "cat-2");
    expect(lines(world)).toEqual(["- cat-1 99", "- cat-2 1"]);
  });
});

describe("what a Route names", () => {
  it("knows of it, and is let go when the Route goes", async () => {
    const world = await cluster();
    await world.apply(Route, route([latest(50), pinned("cat-1", 50)]));
    await world.apply(Route, { ...route([latest()]), metadata: { name: "also", namespace: "default" } });
    expect([stateOf(world, "cat-1"), stateOf(world, "cat-2")]).toEqual(["active cat", "active also,cat"]);
    expect(routesOf(world)).toBe("also,cat");
    await world.remove(Route, "default/cat");
    expect([stateOf(world, "cat-1"), stateOf(world, "cat-2")]).toEqual(["reserve ", "active also"]);
    expect(routesOf(world)).toBe("also");
    await world.remove(Route, "default/also");
    expect(routesOf(world)).toBe("");
  });

  it("belongs to the same Service", async () => {
    const labels = { "serving.knative.dev/service": "cat" };
    const apiVersion = "serving.knative.dev/v1";
    const ownerReferences = [{ apiVersion, kind: "Service", name: "cat", uid: "s", controller: true }];
    const owned = existing(Route, route([pinned("cat-1")], { labels, ownerReferences }));
    const world = await cluster({ given: [configuration("cat", "cat-1"), revision("cat-1"), owned] });
    expect(said(cat(world))).toBe(
      "False RevisionNotOwned: Revision 'cat-1' does not belong to Service 'cat'.",
    );
  });
});

const notYet = { status: 404 };

function stateOf(world: RunningWorld, name: string): string {
  const { labels, annotations } = world.get(Revision, `default/${name}`)?.metadata ?? {};
  return `${labels?.["serving.knative.dev/routingState"]} ${annotations?.["serving.knative.dev/routes"] ?? ""}`;
}

function routesOf(world: RunningWorld): string {
  return world.get(Configuration, "default/cat")?.metadata.annotations?.["serving.knative.dev/routes"] ?? "";
}
