/**
 * What is owned goes with its last owner. The collector follows every kind, knows who owns whom, and acts on
 * changes alone: it deletes what only gone owners hold, empties those that leave last, and frees orphans.
 *
 * It must never delete what still has an owner, so an owner that memory does not hold is asked for at the API,
 * and every deletion names the very version it was decided on.
 */
import { type Change, type Informers, keyOf, workqueue } from "../../../controller/index.js";
import { CustomResourceDefinition } from "../../../domain/apis/crd/index.js";
import { type Kind, qualifiedPlural, type Resource } from "../../../domain/apis/kind.js";
import type { OwnerReference } from "../../../domain/apis/meta/meta.types.js";
import { type Client, type Clock, isPortError, type Log } from "../../../ports/index.js";
import { boundedly, firstError } from "../bounded.js";
import { collectionsAtOnce, collectorWorkers, goneOwnersKept, ownerUnseenMs } from "../limits.js";
import {
  holds,
  isLeaving,
  leavesLast,
  leavesOrphans,
  makeGraph,
  type Node,
  ownersOf,
  uidOf,
} from "./graph.js";

export interface GarbageCollectorOptions {
  readonly informers: Informers;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Every kind as it is stored: one version each. Asked again whenever a CustomResourceDefinition changes. */
  readonly kinds: () => readonly Kind[];
}

export interface GarbageCollector {
  /** Nothing to judge and nothing under way. */
  readonly idle: boolean;
  close(): Promise<void>;
}

/** What becomes of an object, by what its owners are. */
interface Standing {
  /** Alive, or not known to be gone. */
  readonly solid: readonly OwnerReference[];
  readonly gone: readonly OwnerReference[];
  /** Leaving, and waiting for this one to go first. */
  readonly waiting: readonly OwnerReference[];
}

export function startGarbageCollector(options: GarbageCollectorOptions): GarbageCollector {
  const { informers, client, clock, log, kinds } = options;
  const graph = makeGraph();
  const queue = workqueue(clock);
  const followed = new Map<string, Kind>();
  const goneOwners = new Set<string>();
  /** Objects with an owner of a kind that nobody serves: kept until somebody does. */
  const unresolved = new Set<string>();

  function follow(): void {
    const wanted = new Map(
      kinds()
        .filter(mayOwnOrBeOwned)
        .map((kind) => [qualifiedPlural(kind), kind]),
    );
    for (const [name, kind] of followed) {
      if (wanted.get(name)?.version === kind.version) continue;
      followed.delete(name);
      informers.drop(kind);
      for (const { object } of graph.of(kind)) lose(object);
    }
    for (const [name, kind] of wanted) {
      if (followed.has(name)) continue;
      followed.set(name, kind);
      informers.of(kind).subscribe((change) => hear(kind, change));
    }
    for (const uid of unresolved) queue.add(uid);
    unresolved.clear();
  }

  function hear(kind: Kind, { type, object, old }: Change): void {
    if (old !== undefined && (type === "deleted" || uidOf(old) !== uidOf(object))) forget(old);
    if (type === "deleted") return;
    graph.put({ kind, object });
    const isOurs = leavesLast(object) || leavesOrphans(object);
    if (isOurs || ownersOf(object).some(isDoubtful)) queue.add(uidOf(object));
    if (old !== undefined) wakeWaiting(old);
  }

  function forget(object: Resource): void {
    goneOwners.add(uidOf(object));
    const [oldest] = goneOwners;
    if (goneOwners.size > goneOwnersKept && oldest !== undefined) goneOwners.delete(oldest);
    lose(object);
    wakeWaiting(object);
  }

  /** Out of sight is not gone: its kind may only be served no more, or in another version. */
  function lose(object: Resource): void {
    const uid = uidOf(object);
    graph.remove(uid);
    unresolved.delete(uid);
    for (const dependent of graph.dependents(uid)) queue.add(uidOf(dependent.object));
  }

  /** Owners that leave last look again when something they waited for has changed. */
  function wakeWaiting(object: Resource): void {
    for (const { uid } of ownersOf(object)) {
      const owner = graph.get(uid);
      if (owner !== undefined && leavesLast(owner.object)) queue.add(uid);
    }
  }

  function isDoubtful({ uid }: OwnerReference): boolean {
    const owner = graph.get(uid);
    return owner === undefined || leavesLast(owner.object);
  }

  async function judge(uid: string): Promise<void> {
    const node = graph.get(uid);
    if (node === undefined) return;
    if (leavesOrphans(node.object)) await freeOrphans(node);
    else if (leavesLast(node.object)) await emptyFirst(node);
    else if (!isLeaving(node.object) && ownersOf(node.object).length > 0) await collect(node);
  }

  async function collect(node: Node): Promise<void> {
    const { kind, object } = node;
    const { solid, gone, waiting } = await standingOf(object);
    if (solid.length > 0) {
      const lost = new Set([...gone, ...waiting].map((owner) => owner.uid));
      if (lost.size > 0) await writeOwners(node, (owners) => owners.filter((one) => !lost.has(one.uid)));
      return;
    }
    const below = graph.dependents(uidOf(object));
    const isRing = waiting.length > 0 && below.some((dependent) => leavesLast(dependent.object));
    // Two that wait for each other would wait for ever.
    const resourceVersion = isRing ? await unblock(node) : object.metadata.resourceVersion;
    await client.delete(kind, keyOf(object), {
      propagationPolicy: waiting.length > 0 && below.length > 0 ? "Foreground" : policyOf(object),
      preconditions: { uid: uidOf(object), resourceVersion },
    });
  }

  async function standingOf(object: Resource): Promise<Standing> {
    const solid: OwnerReference[] = [];
    const gone: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const reference of ownersOf(object)) {
      const owner = await ownerOf(object, reference);
      if (owner === "unknown") solid.push(reference);
      else if (owner === undefined) gone.push(reference);
      else if (leavesLast(owner)) waiting.push(reference);
      else solid.push(reference);
    }
    return { solid, gone, waiting };
  }

  /** The owner as memory or the API has it; undefined when it is gone for certain. */
  async function ownerOf(
    object: Resource,
    { apiVersion, kind: kindName, name, uid }: OwnerReference,
  ): Promise<Resource | undefined | "unknown"> {
    const { namespace = "" } = object.metadata;
    const known = graph.get(uid);
    if (known !== undefined && (!known.kind.namespaced || known.object.metadata.namespace === namespace)) {
      return known.object;
    }
    if (goneOwners.has(uid)) return undefined;
    const group = groupOf(apiVersion);
    const kind = [...followed.values()].find((one) => one.group === group && one.kind === kindName);
    if (kind === undefined) {
      unresolved.add(uidOf(object));
      return "unknown";
    }
    // Upstream calls such a reference unresolvable, and leaves the object alone.
    if (kind.namespaced && namespace === "") return "unknown";
    const live = await client.get(kind, { namespace: kind.namespaced ? namespace : "", name });
    if (live === undefined || live.metadata.uid !== uid) return undefined;
    // It may go again before memory ever holds it, and then no event would tell.
    if (known === undefined) queue.addAfter(uidOf(object), ownerUnseenMs);
    return live;
  }

  /** Foreground: the owner goes once nothing is left that blocks it. */
  async function emptyFirst(owner: Node): Promise<void> {
    const uid = uidOf(owner.object);
    const blocking = graph
      .dependents(uid)
      .filter(({ object }) => ownersOf(object).some((one) => one.uid === uid && one.blockOwnerDeletion));
    if (blocking.length === 0) return release(owner, "foregroundDeletion");
    for (const { object } of blocking) if (!isLeaving(object)) queue.add(uidOf(object));
  }

  /** Orphan: its dependents are asked for at the API, since one that memory lacks would be lost later. */
  async function freeOrphans(owner: Node): Promise<void> {
    const uid = uidOf(owner.object);
    const within = owner.kind.namespaced ? { namespace: owner.object.metadata.namespace ?? "" } : {};
    const homes = [...followed.values()].filter((kind) => kind.namespaced || !owner.kind.namespaced);
    const freed = await boundedly(homes, collectionsAtOnce, async (kind) => {
      const { items } = await client.list(kind, within);
      for (const object of items) {
        if (!ownersOf(object).some((one) => one.uid === uid)) continue;
        await writeOwners({ kind, object }, (owners) => owners.filter((one) => one.uid !== uid));
      }
    });
    const error = firstError(freed);
    if (error !== undefined) throw error;
    await release(owner, "orphan");
  }

  async function release({ kind, object }: Node, finalizer: string): Promise<void> {
    const live = await client.get(kind, keyOf(object));
    if (live === undefined || uidOf(live) !== uidOf(object) || !holds(live, finalizer)) return;
    const finalizers = live.metadata.finalizers?.filter((one) => one !== finalizer);
    await client.update(kind, { ...live, metadata: { ...live.metadata, finalizers } });
  }

  async function unblock(node: Node): Promise<string | undefined> {
    return writeOwners(node, (owners) => owners.map((one) => ({ ...one, blockOwnerDeletion: false })));
  }

  async function writeOwners(
    { kind, object }: Node,
    edit: (owners: readonly OwnerReference[]) => readonly OwnerReference[],
  ): Promise<string | undefined> {
    const ownerReferences = edit(ownersOf(object));
    const written = await client.update(kind, {
      ...object,
      metadata: { ...object.metadata, ownerReferences },
    });
    return written.metadata.resourceVersion;
  }

  async function work(): Promise<void> {
    await informers.synced();
    for (;;) {
      const uid = await queue.take();
      if (uid === undefined) return;
      try {
        await judge(uid);
        queue.forget(uid);
      } catch (error) {
        // Gone already is what was wanted; a lost race is looked at again.
        if (isPortError(error, "NotFound") && graph.get(uid) === undefined) queue.forget(uid);
        else {
          if (!isPortError(error, "Conflict") && !isPortError(error, "NotFound")) {
            log.error("garbage collection failed", { uid, error: String(error) });
          }
          queue.retry(uid);
        }
      } finally {
        queue.done(uid);
      }
    }
  }

  follow();
  informers.of(CustomResourceDefinition).subscribe(follow);
  const workers = Array.from({ length: collectorWorkers }, () => work());

  return {
    get idle() {
      return queue.idle;
    },
    close: async () => {
      queue.close();
      await Promise.all(workers);
    },
  };
}

/** Events come by the thousand, own nothing and are owned by nobody. */
function mayOwnOrBeOwned({ kind, group }: Kind): boolean {
  return !(kind === "Event" && (group === "" || group === "events.k8s.io"));
}

function policyOf(object: Resource): "Orphan" | "Foreground" | "Background" {
  if (holds(object, "orphan")) return "Orphan";
  return holds(object, "foregroundDeletion") ? "Foreground" : "Background";
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}
