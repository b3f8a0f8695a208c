/**
 * What is the same around every reconcile: the key's turn, the finalizer, one status write and only if
 * something changed, and what becomes of an error. A reconciler itself only observes, decides, acts, reports.
 */
import type { Kind, Resource } from "../domain/apis/kind.js";
import { isoSeconds } from "../domain/apis/meta/time.js";
import { type Client, isPortError, type Key, type Log } from "../ports/index.js";
import { keyFromText, keyOf, keyText } from "./informer.js";
import type { Informers } from "./informers.js";
import { statusTries, workersPerKind } from "./limits.js";
import type { Quiet } from "./quiet.js";
import type { Deps, Reconciler } from "./reconciler.js";
import { roundStatus } from "./status.js";
import { type Workqueue, workqueue } from "./workqueue.js";

export interface Controller {
  /** Nothing to do and nothing under way. */
  readonly idle: boolean;
  readonly counts: { readonly rounds: number; readonly failures: number };
  close(): Promise<void>;
}

export function startController(
  reconciler: Reconciler,
  informers: Informers,
  deps: Deps & { readonly log: Log; readonly quiet?: Quiet },
): Controller {
  const queue = workqueue(deps.clock);
  const counts = { rounds: 0, failures: 0 };
  const { quiet } = deps;
  const later = quiet === undefined ? undefined : addsLater(queue, quiet);
  const told = (key: string) => (later !== undefined && quiet?.isHurried() ? later : queue).add(key);
  listen(reconciler, informers, { add: queue.add, told, news: later?.add ?? queue.add });
  const workers = Array.from({ length: workersPerKind }, () => work());

  async function work(): Promise<void> {
    await informers.synced();
    for (;;) {
      const key = await queue.take();
      if (key === undefined) return;
      counts.rounds += 1;
      quiet?.enter();
      try {
        const afterMs = await reconcileOnce(reconciler, keyFromText(key), deps);
        queue.forget(key);
        if (afterMs !== undefined) queue.addAfter(key, afterMs);
      } catch (error) {
        counts.failures += 1;
        // A lost race is everyday life: look again, say nothing.
        if (!isPortError(error, "Conflict")) {
          deps.log.error("reconcile failed", {
            kind: reconciler.kind.kind,
            key,
            error:
              error instanceof Error
                ? isPortError(error)
                  ? error.message
                  : (error.stack ?? error.message)
                : String(error),
          });
        }
        queue.retry(key);
      } finally {
        queue.done(key);
        quiet?.leave();
      }
    }
  }

  return {
    get idle() {
      return queue.idle && !later?.isOwing();
    },
    counts,
    close: async () => {
      queue.close();
      await Promise.all(workers);
    },
  };
}

/** Adds keys once it is quiet, each once however often it was asked for meanwhile. */
function addsLater(queue: Workqueue, quiet: Quiet) {
  const owed = new Set<string>();
  return {
    add(key: string): void {
      if (owed.has(key)) return;
      owed.add(key);
      quiet.soon(() => {
        owed.delete(key);
        queue.add(key);
      });
    },
    isOwing: () => owed.size > 0,
  };
}

function listen(
  reconciler: Reconciler,
  informers: Informers,
  { add, told, news }: { readonly [how in "add" | "told" | "news"]: (key: string) => void },
): void {
  informers.of(reconciler.kind).subscribe(({ object, old }) => {
    (isWished(object, old) ? add : told)(keyText(keyOf(object)));
  });
  for (const owned of reconciler.owns ?? []) {
    informers.of(owned).subscribe(({ object }) => {
      const owner = object.metadata.ownerReferences?.find((one) => one.controller === true);
      if (
        owner === undefined ||
        owner.kind !== reconciler.kind.kind ||
        groupOf(owner.apiVersion) !== reconciler.kind.group
      )
        return;
      told(
        keyText({
          namespace: reconciler.kind.namespaced ? (object.metadata.namespace ?? "") : "",
          name: owner.name,
        }),
      );
    });
  }
  reconciler.wokenBy?.((key) => add(keyText(key)));
  for (const { kind, wakes, isNews, isUrgent } of reconciler.watches ?? []) {
    informers.of(kind).subscribe(({ object, old }) => {
      const hear = isNews ? news : isUrgent?.(object, old) ? add : told;
      for (const key of wakes(object)) hear(keyText(key));
      if (old !== undefined) for (const key of wakes(old)) hear(keyText(key));
    });
  }
}

/** Whether the change is a wish, and not merely what became of one. */
function isWished({ metadata }: Resource, old: Resource | undefined): boolean {
  return (
    old === undefined ||
    metadata.generation === undefined ||
    metadata.generation !== old.metadata.generation ||
    metadata.deletionTimestamp !== old.metadata.deletionTimestamp
  );
}

/** One round for one key; resolves to when to look again. */
export async function reconcileOnce(
  reconciler: Reconciler,
  key: Key,
  deps: Deps & { readonly quiet?: Quiet },
): Promise<number | undefined> {
  const object = deps.listers(reconciler.kind).get(key);
  if (object === undefined) {
    reconciler.forget?.(key);
    return undefined;
  }
  if (reconciler.isOurs?.(object) === false) return undefined;
  const isLeaving = object.metadata.deletionTimestamp !== undefined;
  if (isLeaving && reconciler.leave === undefined) {
    await finalize(reconciler, object, deps.client);
    return undefined;
  }
  const held = isLeaving ? object : await hold(reconciler, object, deps.client);

  const status = roundStatus(held, reconciler);
  const report = async () => {
    const made = status.outcome(isoSeconds(deps.clock.now()));
    if (made === undefined) return;
    // Whoever waits for a pod waits for what was done, and not for its being told.
    if (deps.quiet?.isHurried()) await deps.quiet.letPass();
    await writeStatus(reconciler.kind, held, made, deps.client);
  };
  let outcome: Awaited<ReturnType<Reconciler["reconcile"]>>;
  try {
    outcome = await (isLeaving ? reconciler.leave?.(held, status) : reconciler.reconcile(held, status));
  } catch (error) {
    // What is known stays known, even when the rest of the round failed; that failure is the one to tell of.
    await report().catch(() => undefined);
    throw error;
  }
  await report();
  return outcome?.requeueAfterMs;
}

async function writeStatus(kind: Kind, object: Resource, status: unknown, client: Client): Promise<void> {
  let latest: Resource | undefined = object;
  for (let tries = 0; latest !== undefined; tries += 1) {
    try {
      await client.updateStatus(kind, { ...latest, status } as Resource);
      return;
    } catch (error) {
      if (isPortError(error, "NotFound")) return;
      if (!isPortError(error, "Conflict") || tries >= statusTries) throw error;
      latest = await client.get(kind, keyOf(object));
      // Another generation or another object under the name: this verdict is not about it.
      if (
        latest?.metadata.uid !== object.metadata.uid ||
        latest?.metadata.generation !== object.metadata.generation
      )
        return;
    }
  }
}

async function hold(reconciler: Reconciler, object: Resource, client: Client): Promise<Resource> {
  const { finalizer } = reconciler;
  const held = object.metadata.finalizers ?? [];
  if (finalizer === undefined || held.includes(finalizer)) return object;
  return client.update(reconciler.kind, {
    ...object,
    metadata: { ...object.metadata, finalizers: [...held, finalizer] },
  });
}

async function finalize(reconciler: Reconciler, object: Resource, client: Client): Promise<void> {
  const { finalizer } = reconciler;
  const held = object.metadata.finalizers ?? [];
  if (finalizer === undefined || !held.includes(finalizer)) return;
  await reconciler.finalize?.(object);
  await client.update(reconciler.kind, {
    ...object,
    metadata: { ...object.metadata, finalizers: held.filter((one) => one !== finalizer) },
  });
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}
