// Several controllers together, until nothing moves any more.
import {
  type Controller,
  type Deps,
  keyFromText,
  type Reconciler,
  reconcileOnce,
  startController,
} from "../../src/controller/index.js";
import { apiVersionOf, type Kind, type Resource } from "../../src/domain/apis/kind.js";
import type { Log, Unsaved } from "../../src/ports/index.js";
import { type FakeKubelet, startKubelet } from "./kubelet.js";
import { makeWorld, type World, type WorldOptions } from "./world.js";

export interface RunningWorldOptions extends WorldOptions {
  readonly reconcilers: (deps: Deps & { readonly log: Log }, world: World) => readonly unknown[];
  /** A kubelet that makes every pod ready unless told otherwise; on unless said. */
  readonly kubelet?: boolean;
  /** What else runs in this world, such as the garbage collector; it is closed with it. */
  readonly more?: (world: World) => { readonly idle?: boolean; close(): void | Promise<void> };
}

export interface RunningWorld extends World {
  readonly kubelet: FakeKubelet;
  /** Creates the object, or replaces it whatever its version; then lets the world come to rest. */
  apply<T extends Resource>(kind: Kind<T>, object: Unsaved<T>): Promise<T>;
  /** Changes what is there; then lets the world come to rest. */
  change<T extends Resource>(kind: Kind<T>, key: string, edit: (object: T) => T): Promise<T>;
  remove<T extends Resource>(kind: Kind<T>, key: string): Promise<void>;
  /** Until nothing more happens without time passing; fails when someone still waits for time. */
  settle(): Promise<void>;
  /** Lets time pass, timer by timer, the world at rest after each. */
  advance(ms: number): Promise<void>;
  /** Every reconciler looks at every object of its kind once more, though nothing has happened. */
  lookAgain(): Promise<void>;
}

export async function startWorld(options: RunningWorldOptions): Promise<RunningWorld> {
  const world = await makeWorld(options);
  const { client, informers, clock, deps } = world;
  const reconcilers = options.reconcilers(deps, world) as readonly Reconciler[];
  const controllers = reconcilers.map((one): [Reconciler, Controller] => [
    one,
    startController(one, informers, deps),
  ]);
  const kubelet =
    options.kubelet === false
      ? { decide: () => {}, holdDeleted: () => {} }
      : startKubelet(client, informers, clock);
  const more = options.more?.(world);

  async function settle(): Promise<void> {
    await world.drain();
    const busy = controllers.filter(([, controller]) => !controller.idle).map(([one]) => one.kind.kind);
    if (more?.idle === false) busy.push("what else runs");
    if (busy.length === 0) return;
    throw new Error(`${busy.join(", ")} wait for time that nobody advances: ${world.errors.join("\n")}`);
  }

  await settle();
  return {
    ...world,
    kubelet,
    settle,
    async apply<T extends Resource>(kind: Kind<T>, object: Unsaved<T>) {
      const { namespace = "", name } = object.metadata;
      const live = await client.get(kind, { namespace, name });
      const whole = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object } as unknown as T;
      const written =
        live === undefined
          ? await client.create(kind, object)
          : await client.update(kind, {
              ...whole,
              metadata: {
                ...live.metadata,
                ...object.metadata,
                resourceVersion: live.metadata.resourceVersion,
              },
            });
      await settle();
      return world.get(kind, `${namespace}/${name}`) ?? written;
    },
    async change<T extends Resource>(kind: Kind<T>, key: string, edit: (object: T) => T) {
      const live = world.get(kind, key);
      if (live === undefined) throw new Error(`no ${kind.kind} ${key}`);
      const written = await client.update(kind, edit(live));
      await settle();
      return world.get(kind, key) ?? written;
    },
    async remove(kind, key) {
      await client.delete(kind as unknown as Kind, keyFromText(key));
      await settle();
    },
    async advance(ms) {
      const endMs = clock.now() + ms;
      for (;;) {
        const nextMs = clock.nextAtMs();
        if (nextMs === undefined || nextMs > endMs) break;
        clock.moveTo(nextMs);
        await world.drain();
      }
      clock.moveTo(endMs);
      await settle();
    },
    async lookAgain() {
      for (const reconciler of reconcilers) {
        for (const { metadata } of world.list(reconciler.kind as Kind)) {
          const key = { namespace: metadata.namespace ?? "", name: metadata.name };
          const looked = reconcileOnce(reconciler, key, deps);
          await world.drain();
          await looked;
        }
      }
      await settle();
    },
    async close() {
      for (const [, controller] of controllers) void controller.close();
      await more?.close();
      await world.close();
    },
  };
}
