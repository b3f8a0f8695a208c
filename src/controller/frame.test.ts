import { afterEach, describe, expect, it } from "vitest";
import { existing, makeWorld, type World } from "../../test/world/index.js";
import { Pod } from "../domain/apis/core/pod.types.js";
import { reconcileOnce } from "./frame.js";
import { makeQuiet } from "./quiet.js";
import type { Reconciler } from "./reconciler.js";

let world: World | undefined;
afterEach(() => world?.close());

describe("a status", () => {
  it("is written at once, but lets pass what somebody waits for", async () => {
    const made = await makeWorld({
      given: [existing(Pod, { metadata: { name: "cat", namespace: "models" }, spec: { containers: [] } })],
    });
    world = made;
    made.informers.of(Pod);
    await made.informers.synced();
    const key = { namespace: "models", name: "cat" };
    const steps: string[] = [];
    let round = 0;
    const reconciler: Reconciler<Pod> = {
      kind: Pod,
      async reconcile(_pod, status) {
        round += 1;
        status.set({ message: `round-${round}` });
      },
    };
    const quiet = {
      ...makeQuiet(),
      letPass: async () => void steps.push(`passed before round ${round} was told`),
    };
    const told = () => made.get(Pod, "models/cat")?.status?.message;

    await reconcileOnce(reconciler as unknown as Reconciler, key, { ...made.deps, quiet });
    await made.drain();
    expect([told(), ...steps]).toEqual(["round-1"]);

    quiet.hurry();
    await reconcileOnce(reconciler as unknown as Reconciler, key, { ...made.deps, quiet });
    await made.drain();
    expect([told(), ...steps]).toEqual(["round-2", "passed before round 2 was told"]);
    quiet.close();
  });
});
