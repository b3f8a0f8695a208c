// Whatever happens on the way, the end is what was last wished for. A failure names its seed.
import { expect, it } from "vitest";
import {
  dice,
  type Fault,
  minutes,
  type RunningWorld,
  seconds,
  startWorld,
} from "../../../test/world/index.js";
import { Deployment, ReplicaSet } from "../../domain/apis/apps/apps.types.js";
import { Endpoints } from "../../domain/apis/core/endpoints.types.js";
import { Pod } from "../../domain/apis/core/pod.types.js";
import { Service } from "../../domain/apis/core/service.types.js";
import type { Random } from "../../ports/index.js";
import { startGarbageCollector, workloadReconcilers } from "./index.js";

const seeds = Number(process.env["SEEDS"] ?? 4);
const steps = 25;
const key = "default/cat";
const selector = { app: "cat" };

const faults: readonly Fault[] = [
  { verb: "update", kind: "ReplicaSet", reason: "Conflict", message: "lost a race", times: 4 },
  { verb: "updateStatus", kind: "Deployment", reason: "Conflict", message: "lost a race", times: 4 },
  { verb: "create", kind: "Pod", reason: "ServerTimeout", message: "slow", times: 3 },
  { verb: "delete", kind: "Pod", reason: "ServiceUnavailable", message: "down", times: 3 },
  { verb: "update", kind: "Endpoints", reason: "ServerTimeout", message: "slow", times: 2 },
];

function template(image: string) {
  return {
    metadata: { name: "", labels: selector },
    spec: { containers: [{ name: "model", image, ports: [{ containerPort: 8012 }] }] },
  };
}

async function begin(seed: number): Promise<RunningWorld> {
  const world = await startWorld({
    seed,
    faults,
    reconcilers: (deps, { kinds }) =>
      workloadReconcilers(deps, {
        usage: () => [],
        caCertificate: "PEM",
        kinds: () => kinds,
        finalizeNamespace: async () => {},
      }),
    more: (made) =>
      startGarbageCollector({ ...made.deps, informers: made.informers, kinds: () => made.kinds }),
  });
  await world.apply(Service, {
    metadata: { name: "cat", namespace: "default" },
    spec: { selector, ports: [{ port: 80, targetPort: 8012 }] },
  });
  await world.apply(Deployment, {
    metadata: { name: "cat", namespace: "default" },
    spec: { replicas: 3, selector: { matchLabels: selector }, template: template("cat:v0") },
  });
  return world;
}

/** One thing that users, nodes or time do. */
async function happen(world: RunningWorld, random: Random): Promise<void> {
  const pick = <T>(among: readonly T[]): T => among[Math.floor(random() * among.length)] as T;
  const edit = (more: Partial<NonNullable<Deployment["spec"]>>) =>
    world.change(Deployment, key, (one) => ({ ...one, spec: { ...one.spec!, ...more } }));
  switch (pick(["image", "scale", "pause", "strategy", "kill", "fate", "hold", "time", "orphan"])) {
    case "image":
      return void (await edit({ template: template(pick(["cat:v0", "cat:v1", "cat:v2", "cat:v3"])) }));
    case "scale":
      return void (await edit({ replicas: pick([0, 1, 3, 7]) }));
    case "pause":
      return void (await edit({ paused: random() < 0.5 }));
    case "strategy":
      return void (await edit({ strategy: { type: pick(["Recreate", "RollingUpdate"]) } }));
    case "kill": {
      const pods = world.list(Pod, "default");
      if (pods.length > 0) await world.remove(Pod, `default/${pick(pods).metadata.name}`);
      return;
    }
    case "fate":
      world.kubelet.decide((pod) =>
        pod.spec?.containers[0]?.image === pick(["cat:v1", "cat:v2"])
          ? { is: "failed", exitCode: 1 }
          : pick([{ is: "ready" }, { is: "running" }, { is: "pending" }]),
      );
      return world.settle();
    case "hold":
      world.kubelet.holdDeleted(random() < 0.5);
      return world.settle();
    case "orphan": {
      const sets = world.list(ReplicaSet, "default");
      if (sets.length > 0) {
        const { namespace = "", name } = pick(sets).metadata;
        await world.client.delete(ReplicaSet, { namespace, name }, { propagationPolicy: "Orphan" });
      }
      return world.settle();
    }
    default:
      return world.advance(seconds(Math.floor(random() * 90)));
  }
}

it.each(Array.from({ length: seeds }, (_, i) => i + 1))("seed %i comes to the wished end", async (seed) => {
  const world = await begin(seed);
  const random = dice(seed * 7919);
  for (let step = 0; step < steps; step += 1) await happen(world, random);

  world.kubelet.decide(() => ({ is: "ready" }));
  world.kubelet.holdDeleted(false);
  await world.change(Deployment, key, (one) => ({
    ...one,
    spec: { ...one.spec!, paused: false, replicas: 4 },
  }));
  // Orphans of a template that is wished for no more are nobody's; people clear them away.
  for (const { metadata } of world
    .list(Pod, "default")
    .filter((pod) => pod.metadata.ownerReferences === undefined)) {
    await world.remove(Pod, `default/${metadata.name}`);
  }
  await world.advance(minutes(3));

  const { spec, status } = world.get(Deployment, key) ?? {};
  const image = spec?.template.spec?.containers[0]?.image;
  const live = world.list(Pod, "default").filter((pod) => pod.status?.phase === "Running");
  expect(live.map((pod) => pod.spec?.containers[0]?.image)).toEqual(Array(4).fill(image));
  expect(status).toMatchObject({ replicas: 4, updatedReplicas: 4, availableReplicas: 4 });
  const ports = world.get(Endpoints, key)?.subsets?.flatMap((one) => one.addresses ?? []);
  expect(ports).toHaveLength(4);
  const writes = world.writes();
  await world.advance(minutes(30));
  expect(world.writes(), "a world at rest writes").toBe(writes);
  await world.close();
});
