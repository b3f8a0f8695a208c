/**
 * A Deployment is pods from a template, rolled over when it changes. This reconciler keeps one ReplicaSet
 * a template, moves pods from the old ones to the present one as its strategy allows, and says how that goes.
 */
import { asKind, type Deps, ownedBy, type Reconciler, watch } from "../../../controller/index.js";
import { Deployment, ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { labelSelectorMatches } from "../../../domain/apis/selectors/index.js";
import { isPortError, isRefusal, type Key } from "../../../ports/index.js";
import { claim, isOrphan } from "../claim.js";
import { hasEnded, sooner } from "../pods.js";
import { isNamespaceLeaving, refusedAgainMs, textOf } from "../refusals.js";
import { isRecreate } from "./bounds.js";
import { annotated, findNewSet, hasTemplateOf, makeReplicaSet, pickToForget, scaled } from "./make.js";
import { revisionAnnotation, revisionOf, setName } from "./names.js";
import { isScaling, planRolling, planScaling, type Sizes, sizeOf, sizeOfNew, total } from "./rollout.js";
import { type NewSetNews, reportDeployment } from "./status.js";

/** What one look has come to so far. */
interface Round {
  readonly newSet: ReplicaSet | undefined;
  readonly oldSets: readonly ReplicaSet[];
  readonly news: NewSetNews;
  readonly trouble?: unknown;
  readonly collided?: boolean;
}

export function deploymentReconciler({ client, listers, clock, recorder }: Deps): Reconciler<Deployment> {
  const sets = listers(ReplicaSet);
  const pods = listers(Pod);

  async function ensureNewSet(deployment: Deployment, round: Round): Promise<Round> {
    const { newSet, oldSets } = round;
    const revision = 1 + Math.max(0, ...oldSets.map(revisionOf));
    if (newSet !== undefined) {
      const wish = annotated(newSet, deployment, revision);
      return wish === newSet ? round : { ...round, newSet: await client.update(ReplicaSet, wish) };
    }
    const name = setName(deployment);
    const size = sizeOfNew(deployment, 0, oldSets);
    try {
      const wish = ownedBy(deployment, makeReplicaSet(deployment, size, revision));
      const created = await client.create(ReplicaSet, wish);
      if (size > 0) tellScaled(deployment, name, 0, size);
      return { ...round, newSet: created, news: { outcome: "created", name } };
    } catch (error) {
      if (isPortError(error, "AlreadyExists")) return collision(deployment, round, name);
      if (isNamespaceLeaving(error)) return round;
      const because = textOf(error);
      const message = `Failed to create new replica set "${name}": ${because}`;
      recorder.event(deployment, "Warning", "ReplicaSetCreateError", message);
      return { ...round, news: { outcome: "failed", name, because }, trouble: error };
    }
  }

  /** The name is taken: by our own, seen too late, or by a template of equal hash. */
  async function collision(deployment: Deployment, round: Round, name: string): Promise<Round> {
    const other = await client.get(ReplicaSet, { namespace: deployment.metadata.namespace ?? "", name });
    const isOurs = other?.metadata.ownerReferences?.some((one) => one.uid === deployment.metadata.uid);
    if (other !== undefined && isOurs === true && hasTemplateOf(other, deployment)) {
      return { ...round, newSet: other, news: { outcome: "found", name } };
    }
    return { ...round, collided: other !== undefined };
  }

  /** Writes the sizes that differ. */
  async function resize(deployment: Deployment, round: Round, sizes: Sizes): Promise<Round> {
    const oldSets: ReplicaSet[] = [];
    for (const set of round.oldSets) oldSets.push(await resizeOne(deployment, set, sizes));
    const { newSet } = round;
    return {
      ...round,
      oldSets,
      newSet: newSet === undefined ? undefined : await resizeOne(deployment, newSet, sizes),
    };
  }

  async function resizeOne(deployment: Deployment, set: ReplicaSet, sizes: Sizes): Promise<ReplicaSet> {
    const { name } = set.metadata;
    const size = sizes.get(name);
    if (size === undefined) return set;
    const wish = scaled(set, deployment, size);
    if (wish === set) return set;
    const written = await client.update(ReplicaSet, wish);
    if (size !== sizeOf(set)) tellScaled(deployment, name, sizeOf(set), size);
    return written;
  }

  async function roll(deployment: Deployment, before: Round): Promise<Round> {
    const round = await ensureNewSet(deployment, before);
    const { newSet, oldSets } = round;
    return newSet === undefined ? round : resize(deployment, round, planRolling(deployment, newSet, oldSets));
  }

  async function recreate(deployment: Deployment, before: Round): Promise<Round> {
    const emptied = await resize(deployment, before, sizesOf(before.oldSets, 0));
    if (oldPodsRemain(emptied.oldSets)) return emptied;
    const round = await ensureNewSet(deployment, emptied);
    const { newSet } = round;
    if (newSet === undefined) return round;
    return resize(deployment, round, sizesOf([newSet], deployment.spec?.replicas ?? 1));
  }

  function tellScaled(deployment: Deployment, name: string, from: number, to: number): void {
    const way = to > from ? "up" : "down";
    const message = `Scaled ${way} replica set ${name} from ${from} to ${to}`;
    recorder.event(deployment, "Normal", "ScalingReplicaSet", message);
  }

  /** Recreate: a new pod only once the last old one has left, the terminating ones included. */
  function oldPodsRemain(oldSets: readonly ReplicaSet[]): boolean {
    return (
      total(oldSets) > 0 ||
      oldSets.some((set) => pods.controlledBy(set.metadata.uid ?? "").some((pod) => !hasEnded(pod)))
    );
  }

  async function forget(deployment: Deployment, oldSets: readonly ReplicaSet[]): Promise<void> {
    for (const { metadata } of pickToForget(deployment, oldSets)) {
      const key = { namespace: metadata.namespace ?? "", name: metadata.name };
      try {
        await client.delete(ReplicaSet, key, { preconditions: { uid: metadata.uid } });
      } catch (error) {
        if (!isPortError(error, "NotFound")) throw error;
      }
    }
  }

  return {
    kind: Deployment,
    owns: [asKind(ReplicaSet)],
    watches: [
      watch(ReplicaSet, (set) => {
        if (!isOrphan(set)) return [];
        const namespace = set.metadata.namespace ?? "";
        return listers(Deployment)
          .list({ namespace })
          .filter(({ spec }) => labelSelectorMatches(spec?.selector, set.metadata.labels))
          .map(({ metadata }) => ({ namespace, name: metadata.name }));
      }),
      watch(Pod, (pod) => recreatedBy(pod)),
    ],

    async reconcile(deployment, status) {
      const all = await claim(client, Deployment, deployment, ReplicaSet, {
        owned: sets.controlledBy(deployment.metadata.uid ?? ""),
        around: sets.list({
          namespace: deployment.metadata.namespace ?? "",
          labels: deployment.spec?.selector.matchLabels ?? {},
        }),
      });
      const newSet = findNewSet(deployment, all);
      const oldSets = all.filter((set) => set !== newSet);
      const seen: Round = { newSet, oldSets, news: newsOf(newSet) };
      const isRolling = !isRecreate(deployment.spec);

      const round =
        deployment.spec?.paused === true || (isRolling && isScaling(deployment, all))
          ? await resize(deployment, seen, planScaling(deployment, newSet, oldSets))
          : await (isRolling ? roll : recreate)(deployment, seen);

      const report = reportDeployment(deployment, round.newSet, round.oldSets, round.news, clock.now());
      status.set(report.fields);
      if (round.collided === true) {
        status.set({ collisionCount: (deployment.status?.collisionCount ?? 0) + 1 });
      }
      if (report.isComplete) await forget(deployment, round.oldSets);
      if (round.trouble !== undefined && !isRefusal(round.trouble)) throw round.trouble;
      if (round.news.outcome === "found") await annotateRevision(deployment, round.newSet);

      const againMs = round.trouble === undefined ? undefined : refusedAgainMs(undefined, clock.now());
      return { requeueAfterMs: sooner(report.lookAgainInMs, againMs) };
    },
  };

  /** A pod whose leaving lets a Recreate go on. */
  function recreatedBy(pod: Pod): readonly Key[] {
    const owner = pod.metadata.ownerReferences?.find((one) => one.controller === true);
    if (owner?.kind !== "ReplicaSet") return [];
    const namespace = pod.metadata.namespace ?? "";
    const set = sets.get({ namespace, name: owner.name });
    const over = set?.metadata.ownerReferences?.find((one) => one.controller === true);
    if (over?.kind !== "Deployment") return [];
    const key = { namespace, name: over.name };
    return isRecreate(listers(Deployment).get(key)?.spec) ? [key] : [];
  }

  /** Last of all: it changes the Deployment itself, and with it the generation that status speaks of. */
  async function annotateRevision(deployment: Deployment, set: ReplicaSet | undefined): Promise<void> {
    const revision = set?.metadata.annotations?.[revisionAnnotation];
    const { annotations } = deployment.metadata;
    if (revision === undefined || annotations?.[revisionAnnotation] === revision) return;
    await client.update(Deployment, {
      ...deployment,
      metadata: { ...deployment.metadata, annotations: { ...annotations, [revisionAnnotation]: revision } },
    });
  }
}

function newsOf(newSet: ReplicaSet | undefined): NewSetNews {
  return newSet === undefined ? { outcome: "none" } : { outcome: "found", name: newSet.metadata.name };
}

function sizesOf(sets: readonly ReplicaSet[], size: number): Sizes {
  return new Map(sets.map((set) => [set.metadata.name, size]));
}
