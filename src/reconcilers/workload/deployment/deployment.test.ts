import { describe, expect, it } from "vitest";
import {
  existing,
  failAlways,
  failOnce,
  minutes,
  ownedChild,
  type RunningWorld,
  reconcilerTable,
  seconds,
  startWorld,
} from "../../../../test/world/index.js";
import { Deployment, ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { replicasetReconciler } from "../replicaset/replicaset.js";
import { deploymentReconciler } from "./deployment.js";
import { setName } from "./names.js";

type Spec = NonNullable<Deployment["spec"]>;
const labels = { app: "cat" };
const key = "models/cat";

function deployment(
  more: Partial<Spec> = {},
  image = "cat:v1",
  status?: Deployment["status"],
  annotations?: { readonly [key: string]: string },
): Deployment {
  return existing(Deployment, {
    metadata: { name: "cat", namespace: "models", annotations },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { name: "", labels }, spec: { containers: [{ name: "model", image }] } },
      ...more,
    },
    status,
  });
}

const images =
  (image: string) =>
  (one: Deployment): Deployment => ({
    ...one,
    spec: {
      ...one.spec!,
      template: {
        ...one.spec!.template,
        spec: { ...one.spec!.template.spec!, containers: [{ name: "model", image }] },
      },
    },
  });
const spec =
  (more: Partial<Spec>) =>
  (one: Deployment): Deployment => ({ ...one, spec: { ...one.spec!, ...more } });

function run(given: Deployment, more: { readonly faults?: Parameters<typeof startWorld>[0]["faults"] } = {}) {
  return startWorld({
    reconcilers: (deps) => [deploymentReconciler(deps), replicasetReconciler(deps)],
    given: [given],
    ...(more.faults === undefined ? {} : { faults: more.faults }),
  });
}

const sets = (world: RunningWorld) => world.list(ReplicaSet, "models");
const sizes = (world: RunningWorld) =>
  Object.fromEntries(
    sets(world).map((set) => [set.spec?.template?.spec?.containers[0]?.image, set.spec?.replicas]),
  );
const pods = (world: RunningWorld) => world.list(Pod, "models").map((pod) => pod.spec?.containers[0]?.image);
const status = (world: RunningWorld) => world.get(Deployment, key)?.status;
const condition = (world: RunningWorld, type: string) => {
  const found = status(world)?.conditions?.find((one) => one.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}: ${found.message}`;
};
const waiting = { is: "waiting", reason: "ContainerCreating" } as const;

describe("a Deployment", () => {
  const v1 = setName(deployment());

  reconcilerTable(deploymentReconciler, [
    {
      name: "makes one ReplicaSet for its template",
      given: [
        deployment({ minReadySeconds: 5 }, "cat:v1", undefined, {
          note: "mine",
          "kubectl.kubernetes.io/last-applied-configuration": "{}",
        }),
      ],
      key,
      looks: 3,
      wantObjects: [
        {
          kind: "ReplicaSet",
          metadata: {
            name: v1,
            labels: { ...labels, "pod-template-hash": v1.slice(4) },
            annotations: {
              note: "mine",
              "deployment.kubernetes.io/revision": "1",
              "deployment.kubernetes.io/desired-replicas": "3",
              "deployment.kubernetes.io/max-replicas": "4",
            },
            ownerReferences: [{ kind: "Deployment", name: "cat", controller: true }],
          },
          spec: {
            replicas: 3,
            minReadySeconds: 5,
            selector: { matchLabels: { ...labels, "pod-template-hash": v1.slice(4) } },
            template: { metadata: { labels: { ...labels, "pod-template-hash": v1.slice(4) } } },
          },
        },
        {
          kind: "Deployment",
          metadata: { name: "cat", annotations: { "deployment.kubernetes.io/revision": "1" } },
        },
      ],
      wantEvents: [`Deployment/cat Normal ScalingReplicaSet: Scaled up replica set ${v1} from 0 to 3`],
      wantStatus: {
        observedGeneration: 2,
        replicas: undefined,
        unavailableReplicas: 3,
        Available: "False MinimumReplicasUnavailable: Deployment does not have minimum availability.",
        Progressing: `True NewReplicaSetCreated: Created new replica set "${v1}"`,
      },
    },
    {
      name: "tells that a deadline passed, though no event ever came",
      given: [deployment({ progressDeadlineSeconds: 120 })],
      key,
      looks: 2,
      after: minutes(2),
      wantStatus: {
        Progressing: `False ProgressDeadlineExceeded: ReplicaSet "${v1}" has timed out progressing.`,
      },
    },
    {
      name: "asks to be woken for the deadline",
      given: [deployment({ progressDeadlineSeconds: 120 })],
      key,
      looks: 3,
      wantRequeueMs: minutes(2),
    },
    {
      name: "has no deadline when the number says so",
      given: [deployment({ progressDeadlineSeconds: 2 ** 31 - 1 })],
      key,
      looks: 3,
      wantStatus: { Progressing: undefined },
    },
    {
      name: "makes nothing while paused",
      given: [deployment({ paused: true })],
      key,
      wantStatus: { Progressing: "Unknown DeploymentPaused" },
      also: (world) => expect(world.list(ReplicaSet)).toEqual([]),
    },
    {
      name: "takes in an orphan ReplicaSet of its template",
      given: [
        deployment({ replicas: 1 }),
        existing(ReplicaSet, {
          metadata: { name: "cat-old", namespace: "models", labels },
          spec: {
            replicas: 1,
            selector: { matchLabels: labels },
            template: {
              metadata: { name: "", labels },
              spec: { containers: [{ name: "model", image: "cat:v1" }] },
            },
          },
        }),
      ],
      key,
      looks: 3,
      wantObjects: [
        { kind: "ReplicaSet", metadata: { name: "cat-old", ownerReferences: [{ name: "cat" }] } },
      ],
      also: (world) => expect(world.list(ReplicaSet)).toHaveLength(1),
    },
    {
      name: "looks for another name when a stranger has the hash",
      given: [
        deployment({ replicas: 1 }),
        existing(ReplicaSet, {
          metadata: { name: v1, namespace: "models" },
          spec: { selector: { matchLabels: { app: "dog" } } },
        }),
      ],
      key,
      looks: 4,
      wantStatus: { collisionCount: 1 },
      also: (world) => expect(world.list(ReplicaSet)).toHaveLength(2),
    },
    {
      name: "carries the ReplicaSet's failure",
      given: [
        deployment(),
        ownedChild(
          deployment(),
          existing(ReplicaSet, {
            metadata: {
              name: "cat-1",
              namespace: "models",
              labels,
              annotations: {
                "deployment.kubernetes.io/revision": "1",
                "deployment.kubernetes.io/desired-replicas": "3",
                "deployment.kubernetes.io/max-replicas": "4",
              },
            },
            spec: { replicas: 3, selector: { matchLabels: labels }, template: deployment().spec?.template },
            status: {
              replicas: 0,
              conditions: [
                {
                  type: "ReplicaFailure",
                  status: "True",
                  reason: "FailedCreate",
                  message: "exceeded quota: rq",
                },
              ],
            },
          }),
        ),
      ],
      key,
      looks: 2,
      wantStatus: {
        ReplicaFailure: "True FailedCreate: exceeded quota: rq",
        Progressing: 'True FoundNewReplicaSet: Found new replica set "cat-1"',
      },
    },
    {
      name: "says why a ReplicaSet could not be made",
      given: [deployment()],
      key,
      faults: [failAlways("create", ReplicaSet, "Forbidden", "no more of these")],
      wantStatus: {
        Progressing: `False ReplicaSetCreateError: Failed to create new replica set "${v1}": no more of these`,
      },
      wantEvents: ["Deployment/cat Warning ReplicaSetCreateError"],
    },
    {
      name: "the API stumbles: say what is known, come back",
      given: [deployment()],
      key,
      faults: [failOnce("create", ReplicaSet, "ServerTimeout")],
      wantError: "ServerTimeout",
      wantStatus: { Available: "False MinimumReplicasUnavailable" },
    },
  ]);
});

describe("a rollout", () => {
  it("comes to rest complete", async () => {
    const world = await run(deployment());
    expect(status(world)).toMatchObject({
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: world.get(Deployment, key)?.metadata.generation,
    });
    expect(status(world)).not.toHaveProperty("unavailableReplicas");
    expect(condition(world, "Available")).toBe(
      "True MinimumReplicasAvailable: Deployment has minimum availability.",
    );
    expect(condition(world, "Progressing")).toBe(
      `True NewReplicaSetAvailable: ReplicaSet "${setName(deployment())}" has successfully progressed.`,
    );
    expect(world.errors).toEqual([]);
    await world.close();
  });

  it("never has fewer available pods, nor more in all, than the strategy allows", async () => {
    const world = await run(
      deployment({
        replicas: 8,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "20%" } },
      }),
    );
    let least = 8;
    let most = 8;
    world.informers.of(Pod).subscribe(() => {
      const all = world.informers
        .of(Pod)
        .lister.list()
        .filter((pod) => pod.metadata.deletionTimestamp === undefined);
      const ready = all.filter((pod) =>
        pod.status?.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
      );
      least = Math.min(least, ready.length);
      most = Math.max(most, all.length);
    });
    await world.change(Deployment, key, images("cat:v2"));
    expect(pods(world)).toEqual(Array(8).fill("cat:v2"));
    expect(least).toBeGreaterThanOrEqual(7);
    expect(most).toBe(10);
    expect(sizes(world)).toEqual({ "cat:v1": 0, "cat:v2": 8 });
    expect(world.get(Deployment, key)?.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("2");
    await world.close();
  });

  it("keeps the old pods while the new ones do not come up, and says so", async () => {
    const world = await run(deployment({ progressDeadlineSeconds: 60 }));
    world.kubelet.decide((pod) => (pod.spec?.containers[0]?.image === "cat:v2" ? waiting : { is: "ready" }));
    await world.change(Deployment, key, images("cat:v2"));
    expect(sizes(world)).toEqual({ "cat:v1": 3, "cat:v2": 1 });
    expect(condition(world, "Available")).toContain("True");
    await world.advance(seconds(61));
    expect(condition(world, "Progressing")).toContain("False ProgressDeadlineExceeded");
    expect(status(world)).toMatchObject({
      replicas: 4,
      updatedReplicas: 1,
      availableReplicas: 3,
      unavailableReplicas: 1,
    });
    await world.close();
  });

  it("goes back to an earlier template's ReplicaSet and gives it a new revision", async () => {
    const world = await run(deployment());
    await world.change(Deployment, key, images("cat:v2"));
    await world.change(Deployment, key, images("cat:v1"));
    expect(sizes(world)).toEqual({ "cat:v1": 3, "cat:v2": 0 });
    const back = sets(world).find((set) => set.spec?.replicas === 3);
    expect(back?.metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "3",
      "deployment.kubernetes.io/revision-history": "1",
    });
    expect(condition(world, "Progressing")).toContain(
      `True NewReplicaSetAvailable: ReplicaSet "${back?.metadata.name}"`,
    );
    await world.close();
  });

  it("remembers only as many old ReplicaSets as it may", async () => {
    const world = await run(deployment({ revisionHistoryLimit: 1 }));
    for (const image of ["cat:v2", "cat:v3", "cat:v4"]) await world.change(Deployment, key, images(image));
    expect(sizes(world)).toEqual({ "cat:v3": 0, "cat:v4": 3 });
    await world.change(Deployment, key, spec({ revisionHistoryLimit: 0 }));
    expect(sizes(world)).toEqual({ "cat:v4": 3 });
    await world.close();
  });

  it("Recreate waits for the last old pod to leave", async () => {
    const world = await run(deployment({ strategy: { type: "Recreate" } }));
    world.kubelet.holdDeleted(true);
    await world.change(Deployment, key, images("cat:v2"));
    expect(sizes(world)).toEqual({ "cat:v1": 0 });
    expect(pods(world)).toEqual(["cat:v1", "cat:v1", "cat:v1"]);
    world.kubelet.holdDeleted(false);
    await world.settle();
    expect(pods(world)).toEqual(["cat:v2", "cat:v2", "cat:v2"]);
    await world.close();
  });

  it("waits while paused, but scales", async () => {
    const world = await run(deployment());
    await world.change(Deployment, key, (one) => spec({ paused: true, replicas: 5 })(images("cat:v2")(one)));
    expect(sizes(world)).toEqual({ "cat:v1": 5 });
    expect(condition(world, "Progressing")).toBe("Unknown DeploymentPaused: Deployment is paused");
    await world.change(Deployment, key, spec({ paused: false }));
    expect(sizes(world)).toEqual({ "cat:v1": 0, "cat:v2": 5 });
    await world.close();
  });

  it("shares a new size out between old and new while under way", async () => {
    const world = await run(
      deployment({
        replicas: 10,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
      }),
    );
    world.kubelet.decide((pod) => (pod.spec?.containers[0]?.image === "cat:v2" ? waiting : { is: "ready" }));
    await world.change(Deployment, key, images("cat:v2"));
    expect(sizes(world)).toEqual({ "cat:v1": 8, "cat:v2": 5 });
    await world.change(Deployment, key, spec({ replicas: 15 }));
    expect(sizes(world)).toEqual({ "cat:v1": 11, "cat:v2": 7 });
    await world.close();
  });

  it("goes to nothing and comes back", async () => {
    const world = await run(deployment());
    await world.change(Deployment, key, spec({ replicas: 0 }));
    expect(pods(world)).toEqual([]);
    expect(condition(world, "Available")).toContain("True");
    await world.change(Deployment, key, spec({ replicas: 2 }));
    expect(pods(world)).toHaveLength(2);
    expect(condition(world, "Progressing")).toContain("True NewReplicaSetAvailable");
    await world.close();
  });

  it("counts a pod only after its quiet seconds", async () => {
    const world = await run(deployment({ replicas: 1, minReadySeconds: 10 }));
    expect(status(world)).toMatchObject({ readyReplicas: 1, unavailableReplicas: 1 });
    await world.advance(seconds(10));
    expect(status(world)).toMatchObject({ readyReplicas: 1, availableReplicas: 1 });
    await world.close();
  });

  it("shows a quota's refusal, and heals when it is lifted", async () => {
    const world = await run(deployment(), {
      faults: [{ verb: "create", kind: "Pod", reason: "Forbidden", message: "exceeded quota: rq", times: 4 }],
    });
    expect(condition(world, "ReplicaFailure")).toBe("True FailedCreate: exceeded quota: rq");
    await world.advance(minutes(1));
    expect(condition(world, "ReplicaFailure")).toBeUndefined();
    expect(pods(world)).toHaveLength(3);
    await world.close();
  });
});
