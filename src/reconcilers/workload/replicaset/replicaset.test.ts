import { describe, expect, it } from "vitest";
import {
  existing,
  failAlways,
  failOnce,
  minutes,
  ownedChild,
  reconcilerTable,
  seconds,
  startWorld,
} from "../../../../test/world/index.js";
import { ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { pickToDelete } from "./pick.js";
import { replicasetReconciler } from "./replicaset.js";

const labels = { app: "cat" };

function set(
  replicas: number,
  more: Partial<NonNullable<ReplicaSet["spec"]>> = {},
  status?: ReplicaSet["status"],
) {
  return existing(ReplicaSet, {
    metadata: { name: "cat", namespace: "models" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { name: "", labels },
        spec: { containers: [{ name: "model", image: "cat:v1" }] },
      },
      ...more,
    },
    status,
  });
}

interface PodStory {
  readonly phase?: string;
  readonly ready?: boolean;
  readonly readySince?: string;
  readonly node?: string;
  readonly labels?: { readonly [key: string]: string };
  readonly owned?: boolean;
  readonly annotations?: { readonly [key: string]: string };
  readonly born?: string;
  readonly restarts?: number;
}

function pod(name: string, story: PodStory = {}): Pod {
  const { phase = "Running", ready = true, node = "node-1", owned = true } = story;
  const bare = existing(Pod, {
    metadata: {
      name,
      namespace: "models",
      labels: story.labels ?? labels,
      annotations: story.annotations,
      creationTimestamp: story.born,
    },
    spec: { containers: [{ name: "model", image: "cat:v1" }], ...(node === "" ? {} : { nodeName: node }) },
    status: {
      phase,
      conditions: [
        {
          type: "Ready",
          status: ready ? "True" : "False",
          lastTransitionTime: story.readySince ?? "2025-12-31T23:00:00Z",
        },
      ],
      containerStatuses: [
        { name: "model", ready, restartCount: story.restarts ?? 0, image: "cat:v1", imageID: "" },
      ],
    },
  });
  return owned ? ownedChild(set(1), bare) : bare;
}

const key = "models/cat";
const podsOf = (world: { list: (kind: typeof Pod, namespace: string) => readonly Pod[] }) =>
  world.list(Pod, "models");

describe("a ReplicaSet", () => {
  reconcilerTable(replicasetReconciler, [
    {
      name: "creates what is missing, as its own, with the template's labels",
      given: [set(3)],
      key,
      wantStatus: { replicas: 3, fullyLabeledReplicas: 3, readyReplicas: undefined, observedGeneration: 1 },
      wantEvents: ["ReplicaSet/cat Normal SuccessfulCreate: Created pod: cat-"],
      also: (world) => {
        for (const { metadata, spec } of podsOf(world)) {
          expect(metadata.name).toMatch(/^cat-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
          expect(metadata.generateName).toBe("cat-");
          expect(metadata.labels).toEqual(labels);
          expect(metadata.ownerReferences).toMatchObject([
            {
              kind: "ReplicaSet",
              name: "cat",
              uid: "replicaset-models-cat",
              controller: true,
              blockOwnerDeletion: true,
            },
          ]);
          expect(spec?.containers[0]?.image).toBe("cat:v1");
        }
      },
    },
    {
      name: "counts what is ready and what is available",
      given: [set(2), pod("cat-1"), pod("cat-2", { ready: false })],
      key,
      wantStatus: { replicas: 2, readyReplicas: 1, availableReplicas: 1 },
    },
    {
      name: "calls a pod available only after its quiet seconds, and comes back for it",
      given: [set(1, { minReadySeconds: 10 }), pod("cat-1", { readySince: "2025-12-31T23:59:56Z" })],
      key,
      wantStatus: { readyReplicas: 1, availableReplicas: undefined },
      wantRequeueMs: seconds(6),
    },
    {
      name: "counts the pod once the seconds have passed",
      given: [set(1, { minReadySeconds: 10 }), pod("cat-1", { readySince: "2025-12-31T23:59:56Z" })],
      key,
      after: seconds(6),
      wantStatus: { readyReplicas: 1, availableReplicas: 1 },
    },
    {
      name: "replaces a failed pod and leaves it lying for people to read",
      given: [set(1), pod("cat-1", { phase: "Failed", ready: false })],
      key,
      wantStatus: { replicas: 1 },
      also: (world) => expect(podsOf(world)).toHaveLength(2),
    },
    {
      name: "clears failed pods away when they pile up, the oldest first",
      given: [
        set(0),
        ...Array.from({ length: 7 }, (_, i) =>
          pod(`cat-${i}`, { phase: "Failed", ready: false, born: `2025-12-31T23:0${i}:00Z` }),
        ),
      ],
      key,
      wantGone: ["Pod/cat-0", "Pod/cat-1"],
      also: (world) => expect(podsOf(world)).toHaveLength(5),
    },
    {
      name: "deletes the least useful pods when there are too many",
      given: [
        set(1),
        pod("cat-1", { node: "", phase: "Pending", ready: false }),
        pod("cat-2"),
        pod("cat-3", { ready: false, node: "" }),
      ],
      key,
      wantGone: ["Pod/cat-1", "Pod/cat-3"],
      wantStatus: { replicas: 1, availableReplicas: 1 },
      wantEvents: ["ReplicaSet/cat Normal SuccessfulDelete: Deleted pod: cat-1"],
    },
    {
      name: "takes in an orphan that matches",
      given: [set(1), pod("stray", { owned: false })],
      key,
      wantStatus: { replicas: 1 },
      wantObjects: [
        { kind: "Pod", metadata: { name: "stray", ownerReferences: [{ name: "cat", controller: true }] } },
      ],
    },
    {
      name: "leaves alone what another controls",
      given: [
        set(0),
        ownedChild(
          existing(ReplicaSet, { metadata: { name: "dog", namespace: "models" }, spec: { selector: {} } }),
          pod("dog-1", { owned: false }),
        ),
      ],
      key,
      wantObjects: [{ kind: "Pod", metadata: { name: "dog-1", ownerReferences: [{ name: "dog" }] } }],
    },
    {
      name: "lets go of a pod whose labels match no more",
      given: [set(1), pod("cat-1", { labels: { app: "dog" } })],
      key,
      wantStatus: { replicas: 1 },
      also: (world) => expect(world.get(Pod, "models/cat-1")?.metadata.ownerReferences).toBeUndefined(),
    },
    {
      name: "says why pods are refused, in the API's words, and asks again later",
      given: [set(3)],
      key,
      faults: [failAlways("create", Pod, "Forbidden", 'pods "cat-x" is forbidden: exceeded quota: rq')],
      wantStatus: {
        replicas: 0,
        ReplicaFailure: 'True FailedCreate: pods "cat-x" is forbidden: exceeded quota: rq',
      },
      wantEvents: [
        'ReplicaSet/cat Warning FailedCreate: Error creating: pods "cat-x" is forbidden: exceeded quota: rq',
      ],
      wantRequeueMs: seconds(1),
    },
    {
      name: "asks less and less often while it stays refused",
      given: [set(3)],
      key,
      after: minutes(5),
      faults: [failAlways("create", Pod, "Forbidden", "no")],
      wantRequeueMs: seconds(30),
    },
    {
      name: "forgets the failure once all pods are there",
      given: [
        set(
          1,
          {},
          { replicas: 0, conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate" }] },
        ),
      ],
      key,
      wantStatus: { replicas: 1, conditions: undefined },
    },
    {
      name: "the API stumbles: say what is known, come back",
      given: [set(2), pod("cat-1")],
      key,
      faults: [failOnce("create", Pod, "ServerTimeout")],
      wantError: "ServerTimeout",
      wantStatus: { replicas: 1, readyReplicas: 1, ReplicaFailure: "True FailedCreate" },
    },
  ]);

  it("meets a refusal with one request, not with one for each pod", async () => {
    const world = await startWorld({
      reconcilers: (deps) => [replicasetReconciler(deps)],
      faults: [failAlways("create", Pod, "Forbidden", "no")],
      given: [set(100)],
    });
    // Once, and once more when its own status comes by.
    expect(world.events.filter((event) => event.includes("FailedCreate"))).toHaveLength(2);
    await world.close();
  });

  it("keeps its number whatever happens to its pods", async () => {
    const world = await startWorld({ reconcilers: (deps) => [replicasetReconciler(deps)], given: [set(40)] });
    expect(world.get(ReplicaSet, key)?.status).toMatchObject({
      replicas: 40,
      readyReplicas: 40,
      availableReplicas: 40,
    });
    await world.remove(Pod, `models/${podsOf(world)[7]?.metadata.name}`);
    expect(world.get(ReplicaSet, key)?.status).toMatchObject({ replicas: 40, availableReplicas: 40 });
    await world.change(ReplicaSet, key, (one) => ({ ...one, spec: { ...one.spec!, replicas: 3 } }));
    expect(podsOf(world)).toHaveLength(3);
    expect(world.errors).toEqual([]);
    await world.close();
  });
});

describe("the picking order", () => {
  const order = (pods: readonly Pod[]) => pickToDelete(pods, pods.length).map((one) => one.metadata.name);

  it.each([
    ["unplaced first", [pod("b"), pod("a", { node: "" })]],
    ["then what is not running", [pod("b"), pod("a", { phase: "Pending" })]],
    ["then what is not ready", [pod("b"), pod("a", { ready: false })]],
    [
      "then what says it is cheap",
      [pod("b"), pod("a", { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-1" } })],
    ],
    ["then what became ready last", [pod("b"), pod("a", { readySince: "2026-01-01T00:00:00Z" })]],
    ["then what restarted most", [pod("b"), pod("a", { restarts: 3 })]],
    ["then the newest", [pod("b"), pod("a", { born: "2026-01-01T01:00:00Z" })]],
  ])("%s", (_, pods) => expect(order(pods)).toEqual(["a", "b"]));
});
