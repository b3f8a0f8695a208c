import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { existing, makeWorld, type World } from "../../test/world/index.js";
import { Deployment } from "../domain/apis/apps/apps.types.js";
import { PodAutoscaler } from "../domain/apis/autoscaling/podAutoscaler.types.js";
import type { PodSpec } from "../domain/apis/core/pod.types.js";
import { sleepers } from "./sleepers.js";

let world: World | undefined;
afterEach(() => world?.close());

const namespace = "models";
const deployment = (name: string, replicas: number) =>
  existing(Deployment, {
    metadata: { name: `${name}-deployment`, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { name, labels: { app: name } },
        spec: { containers: [{ name, image: `drydock/${name}` }] },
      },
    },
  });

async function open() {
  const made = await makeWorld({
    given: [
      deployment("cat", 0),
      deployment("dog", 2),
      existing(PodAutoscaler, {
        metadata: { name: "cat", namespace },
        spec: {
          protocolType: "http1",
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "cat-deployment" },
        },
      }),
    ],
  });
  const did: string[] = [];
  const imageOf = ({ containers }: PodSpec) => containers[0]?.image;
  const asleep = sleepers(made.informers.listers, {
    stir: (spec) => void did.push(`stir ${imageOf(spec)}`),
    warm: async (spec) => void did.push(`warm ${imageOf(spec)}`),
  });
  world = made;
  for (const kind of [Deployment, PodAutoscaler]) made.informers.of(kind as never);
  await made.informers.synced();
  return { did, ...asleep };
}

describe("what sleeps", () => {
  it("is foreseen when a request wakes it", async () => {
    const { did, wake } = await open();
    wake({ namespace, name: "cat" });
    wake({ namespace, name: "nobody" });
    await nextTurn();
    expect(did).toEqual(["stir drydock/cat"]);
  });

  it("is made ready for, and what runs is not", async () => {
    const { did, warm } = await open();
    await warm();
    expect(did).toEqual(["warm drydock/cat"]);
  });
});
