// Does status say the cause? The failures of both documents, and those beyond them, on a clock moved by hand.
import { afterEach, describe, expect, it } from "vitest";
import {
  failAlways,
  failOnce,
  minutes,
  type RunningWorld,
  type ServingWorldOptions,
  seconds,
  startServingWorld,
  told,
} from "../../../test/world/index.js";
import { Deployment } from "../../domain/apis/apps/apps.types.js";
import { PodAutoscaler } from "../../domain/apis/autoscaling/podAutoscaler.types.js";
import { ConfigMap } from "../../domain/apis/core/config.types.js";
import { Namespace } from "../../domain/apis/core/namespace.types.js";
import { Pod } from "../../domain/apis/core/pod.types.js";
import { Configuration } from "../../domain/apis/serving/configuration.types.js";
import { Revision } from "../../domain/apis/serving/revision.types.js";
import { Route } from "../../domain/apis/serving/route.types.js";
import { KnativeService } from "../../domain/apis/serving/service.types.js";
import type { Unsaved } from "../../ports/index.js";

const worlds: RunningWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function cluster(options: ServingWorldOptions = {}) {
  const world = await startServingWorld(options);
  worlds.push(world);
  return world;
}

const cat = (image = "cat:v1", more: object = {}) =>
  ({
    metadata: { name: "cat", namespace: "default" },
    spec: {
      template: {
        ...more,
        spec: { containers: [{ image, resources: { limits: { memory: "64Mi" } } }] },
      },
    },
  }) as unknown as Unsaved<KnativeService>;

const at = (world: RunningWorld) => ({
  service: (type?: string) => told(world.get(KnativeService, "default/cat"), type),
  configuration: () => told(world.get(Configuration, "default/cat")),
  revision: (number = 1, type?: string) => told(world.get(Revision, `default/cat-0000${number}`), type),
  route: (type?: string) => told(world.get(Route, "default/cat"), type),
});

describe("a container that ends", () => {
  it("is ExitCode with the termination message, unchanged at every level; Routes say RevisionMissing", async () => {
    const world = await cluster();
    world.kubelet.decide(() => ({
      is: "crashing",
      exitCode: 127,
      message: "SyntaxError: Unexpected identifier",
    }));
    await world.apply(KnativeService, cat());
    const words = "False ExitCode127: Container failed with: SyntaxError: Unexpected identifier";
    const see = at(world);
    expect(see.revision(1, "ContainerHealthy")).toBe(words);
    expect(see.revision()).toBe(words);
    expect(see.configuration()).toBe(words);
    expect(see.service("ConfigurationsReady")).toBe(words);
    expect(see.service()).toBe(words);
    expect(see.service("RoutesReady")).toBe(
      "False RevisionMissing: Configuration 'cat' does not have a LatestReadyRevision.",
    );
    expect(world.get(Revision, "default/cat-00001")?.status?.logUrl).toBe(
      "https://127.0.0.1:16443/apis/serving.knative.dev/v1/namespaces/default/revisions/cat-00001/log",
    );
  });

  it("with 137 is told to be memory, with the limit", async () => {
    const world = await cluster();
    world.kubelet.decide(() => ({ is: "crashing", exitCode: 137, message: "Killed" }));
    await world.apply(KnativeService, cat());
    expect(at(world).service()).toBe(
      "False ExitCode137: Container failed with: Killed (killed; its memory limit is 64Mi)",
    );
  });

  it("is kept for reading past the deadline, then scaled down, and its cause stays", async () => {
    const world = await cluster();
    world.kubelet.decide(() => ({ is: "crashing", exitCode: 1, message: "no such model" }));
    await world.apply(KnativeService, cat());
    const words = at(world).service();
    await world.advance(seconds(149));
    expect(world.list(Pod, "default")).toHaveLength(1);
    await world.advance(seconds(5));
    expect(world.list(Pod, "default")).toHaveLength(0);
    expect(told(world.get(PodAutoscaler, "default/cat-00001"))).toBe(
      "False TimedOut: The target could not be activated.",
    );
    await world.advance(minutes(60));
    expect(at(world).service()).toBe(words);
    expect(at(world).revision()).toBe(words);
  });

  it("after it has served turns Ready False, and True again when it heals; events tell both", async () => {
    const world = await cluster();
    await world.apply(KnativeService, cat());
    const see = at(world);
    expect(see.service()).toBe("True");
    await world.traffic("default/cat-00001", 1);
    await world.advance(minutes(10));
    world.kubelet.decide(() => ({ is: "crashing", exitCode: 2, message: "out of disk" }));
    await world.settle();
    expect(see.service()).toBe("False ExitCode2: Container failed with: out of disk");
    // There is nothing better to send traffic to, so the names and the traffic stay.
    expect(see.service("RoutesReady")).toBe("True");
    expect(world.get(KnativeService, "default/cat")?.status?.latestReadyRevisionName).toBe("cat-00001");
    await world.advance(minutes(60));
    expect(world.list(Pod, "default")).toHaveLength(1);
    world.kubelet.decide(() => ({ is: "ready" }));
    await world.settle();
    expect(see.service()).toBe("True");
    expect(world.events).toContain(
      "Revision/cat-00001 Warning RevisionFailed: ExitCode2: Container failed with: out of disk",
    );
    expect(world.events.filter((event) => event.includes("RevisionReady"))).toHaveLength(2);
  });
});

describe("a container that runs and does not answer", () => {
  it("is ProgressDeadlineExceeded after two quiet minutes, and only when nothing better is known", async () => {
    const world = await cluster();
    world.kubelet.decide(() => ({ is: "running" }));
    await world.apply(KnativeService, cat());
    await world.advance(seconds(115));
    expect(at(world).service()).toMatch(/^Unknown/);
    await world.advance(seconds(10));
    const words = "False ProgressDeadlineExceeded: Did not pass readiness checks in 120 seconds.";
    expect(at(world).revision()).toBe(words);
    expect(at(world).service()).toBe(words);
    world.kubelet.decide(() => ({ is: "crashing", exitCode: 5, message: "gave up" }));
    await world.settle();
    expect(at(world).service()).toBe("False ExitCode5: Container failed with: gave up");
  });

  it("is not stuck while a download still moves; quiet time alone counts", async () => {
    const world = await cluster();
    for (let minute = 0; minute < 5; minute++) {
      world.kubelet.decide(() => ({ is: "running", moving: true }));
      await world.apply(KnativeService, cat());
      await world.advance(minutes(1));
      expect(at(world).service()).toMatch(/^Unknown/);
    }
    await world.advance(seconds(65));
    expect(at(world).service()).toMatch(/^False ProgressDeadlineExceeded/);
  });

  it("has the deadline of its annotation, or of config-deployment", async () => {
    const world = await cluster();
    world.kubelet.decide(() => ({ is: "running" }));
    const annotations = { "serving.knative.dev/progress-deadline": "30s" };
    await world.apply(KnativeService, cat("cat:v1", { metadata: { annotations } }));
    await world.advance(seconds(35));
    expect(at(world).service()).toBe(
      "False ProgressDeadlineExceeded: Did not pass readiness checks in 30 seconds.",
    );
    await world.apply(Namespace, { metadata: { name: "knative-serving" } } as never);
    await world.apply(ConfigMap, {
      metadata: { name: "config-deployment", namespace: "knative-serving" },
      data: { "progress-deadline": "45s", "queue-sidecar-image": "q" },
    } as never);
    await world.apply(KnativeService, {
      ...cat(),
      metadata: { name: "dog", namespace: "default" },
    });
    expect(world.get(Deployment, "default/dog-00001-deployment")?.spec?.progressDeadlineSeconds).toBe(45);
  });

  it("after it has served is a failure at once, in the pod's own words", async () => {
    const world = await cluster();
    await world.apply(KnativeService, cat());
    await world.advance(seconds(50));
    world.kubelet.decide(() => ({ is: "running" }));
    await world.settle();
    expect(at(world).service()).toBe(
      "False ContainersNotReady: containers with unready status: [user-container]",
    );
    world.kubelet.decide(() => ({ is: "ready" }));
    await world.settle();
    expect(at(world).service()).toBe("True");
  });
});

describe("a Service that starts asleep", () => {
  it("is ready without pods, and its Revision says that nothing asks for it", async () => {
    const world = await cluster();
    await world.apply(Namespace, { metadata: { name: "knative-serving" } } as never);
    await world.apply(ConfigMap, {
      metadata: { name: "config-autoscaler", namespace: "knative-serving" },
      data: { "allow-zero-initial-scale": "true", "initial-scale": "0" },
    } as never);
    await world.apply(KnativeService, cat());
    expect(at(world).service()).toBe("True");
    expect(world.list(Pod, "default")).toEqual([]);
    expect(at(world).revision(1, "Active")).toBe("False NoTraffic: The target is not receiving traffic.");
    const writes = world.writes();
    await world.advance(minutes(60));
    expect(world.writes()).toBe(writes);
  });
});

describe("an image that cannot be had", () => {
  it("is ContainerMissing with the literal error, and mends itself when the image appears", async () => {
    let gone = true;
    const world = await cluster({ missing: () => (gone ? "cat:v1: not found" : undefined) });
    await world.apply(KnativeService, cat());
    const words =
      "False ContainerMissing: Unable to fetch image 'cat:v1': failed to resolve image to digest: cat:v1: not found";
    expect(at(world).revision(1, "ContainerHealthy")).toBe(words);
    expect(at(world).service()).toBe(words);
    gone = false;
    await world.advance(seconds(15));
    expect(at(world).service()).toBe("True");
  });
});

describe("resources that are refused", () => {
  it("for the Deployment itself are NoDeployment, with the refusal", async () => {
    const world = await cluster({
      faults: [failAlways("create", Deployment, "Forbidden", "exceeded quota: few")],
    });
    await world.apply(KnativeService, cat());
    const words =
      "False NoDeployment: The controller could not create a deployment named cat-00001-deployment. exceeded quota: few";
    expect(at(world).revision(1, "ResourcesAvailable")).toBe(words);
    expect(at(world).service()).toBe(words);
  });

  it("for its pods are FailedCreate with the quota's words, and heal when there is room", async () => {
    const full =
      'pods "x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1';
    const world = await cluster({ faults: [{ ...failOnce("create", Pod, "Forbidden", full), times: 4 }] });
    await world.apply(KnativeService, cat());
    expect(at(world).service()).toBe(`False FailedCreate: ${full}`);
    await world.advance(minutes(1));
    expect(at(world).service()).toBe("True");
  });
});

describe("Revisions", () => {
  it("keep serving when a newer one fails, and the status says both", async () => {
    const world = await cluster();
    await world.apply(KnativeService, cat("cat:v1"));
    world.kubelet.decide((pod) =>
      pod.metadata.labels?.["serving.knative.dev/revision"] === "cat-00002"
        ? { is: "crashing", exitCode: 3, message: "bad build" }
        : { is: "ready" },
    );
    await world.apply(KnativeService, cat("cat:v2"));
    expect(world.get(KnativeService, "default/cat")?.status).toMatchObject({
      latestReadyRevisionName: "cat-00001",
      latestCreatedRevisionName: "cat-00002",
      traffic: [{ revisionName: "cat-00001", percent: 100 }],
    });
    expect(at(world).service()).toBe("False ExitCode3: Container failed with: bad build");
    expect(at(world).service("RoutesReady")).toBe("True");
  });

  it("that are deleted are told missing, and the names are cleared", async () => {
    const world = await cluster();
    await world.apply(KnativeService, cat());
    await world.remove(Revision, "default/cat-00001");
    const words = "False RevisionMissing: The latest Revision appears to have been deleted.";
    expect(at(world).configuration()).toBe(words);
    expect(at(world).service()).toBe(words);
    const { status } = world.get(Configuration, "default/cat") ?? {};
    expect(status?.latestReadyRevisionName).toBeUndefined();
    expect(status?.latestCreatedRevisionName).toBe("cat-00001");
    await world.apply(KnativeService, cat("cat:v2"));
    expect(at(world).service()).toBe("True");
  });

  it("can be rolled back to by name", async () => {
    const world = await cluster();
    await world.apply(KnativeService, cat("cat:v1", { metadata: { name: "cat-one" } }));
    await world.apply(KnativeService, cat("cat:v2", { metadata: { name: "cat-two" } }));
    await world.apply(KnativeService, cat("cat:v1", { metadata: { name: "cat-one" } }));
    expect(world.get(KnativeService, "default/cat")?.status).toMatchObject({
      latestReadyRevisionName: "cat-one",
      traffic: [{ revisionName: "cat-one" }],
    });
    expect(at(world).service()).toBe("True");
    // The same name with other content is taken.
    await world.apply(KnativeService, cat("cat:v3", { metadata: { name: "cat-two" } }));
    expect(at(world).service("RoutesReady")).toBe(
      'False RevisionNameTaken: The revision name "cat-two" is taken by a conflicting Revision, so traffic will not be migrated',
    );
  });

  it("that nobody needs are collected as config-gc says", async () => {
    const world = await cluster();
    await world.apply(Namespace, { metadata: { name: "knative-serving" } } as never);
    await world.apply(ConfigMap, {
      metadata: { name: "config-gc", namespace: "knative-serving" },
      data: {
        "min-non-active-revisions": "1",
        "retain-since-create-time": "1h",
        "retain-since-last-active-time": "1h",
      },
    } as never);
    for (const version of ["v1", "v2", "v3", "v4"]) await world.apply(KnativeService, cat(`cat:${version}`));
    await world.advance(minutes(30));
    expect(world.list(Revision, "default")).toHaveLength(4);
    await world.advance(minutes(40));
    expect(world.list(Revision, "default").map((one) => one.metadata.name)).toEqual([
      "cat-00003",
      "cat-00004",
    ]);
  });
});
