/**
 * A ReplicaSet is a number of equal pods. This reconciler creates what is missing, deletes what is
 * too many, and says how the rest fare and why pods could not be had.
 */
import { asKind, type Deps, ownedBy, type Reconciler, watch } from "../../../controller/index.js";
import { ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import { labelSelectorMatches } from "../../../domain/apis/selectors/index.js";
import { isPortError, isRefusal } from "../../../ports/index.js";
import { boundedly } from "../bounded.js";
import { claim, isOrphan } from "../claim.js";
import { failedPodsKept, podsPerLook, requestsAtOnce } from "../limits.js";
import { isActive, sooner } from "../pods.js";
import { isNamespaceLeaving, refusedAgainMs, textOf } from "../refusals.js";
import { makePod, podName } from "./make.js";
import { pickToDelete, pickToForget } from "./pick.js";
import { refusedSince, reportSet, type Shortfall } from "./status.js";

/** What became of an attempt to change the number of pods. */
interface Attempt {
  readonly shortfall: Shortfall | undefined;
  /** The world's trouble, for the frame to hear once what is known is reported. */
  readonly trouble?: unknown;
}

const nothingFailed: Attempt = { shortfall: undefined };

export function replicasetReconciler({
  client,
  listers,
  clock,
  random,
  recorder,
}: Deps): Reconciler<ReplicaSet> {
  const pods = listers(Pod);

  async function createOne(set: ReplicaSet): Promise<void> {
    const name = podName(set, random);
    await client.create(Pod, ownedBy(set, makePod(set, name)));
    recorder.event(set, "Normal", "SuccessfulCreate", `Created pod: ${name}`);
  }

  /** One, two, four at once and so on: a refusal that would meet every pod is met by few. */
  async function create(set: ReplicaSet, count: number): Promise<Attempt> {
    let left = Math.min(count, podsPerLook);
    for (let batch = 1; left > 0; batch = Math.min(batch * 2, requestsAtOnce)) {
      const asked = Array.from({ length: Math.min(batch, left) }, () => set);
      const results = await boundedly(asked, requestsAtOnce, createOne);
      left -= asked.length;
      const failure = results.find((result) => result.status === "rejected");
      if (failure === undefined) continue;
      const error: unknown = failure.reason;
      if (isNamespaceLeaving(error)) return nothingFailed;
      // Someone took the name between the dice and the API: the next look rolls again.
      if (isPortError(error, "AlreadyExists")) throw error;
      recorder.event(set, "Warning", "FailedCreate", `Error creating: ${textOf(error)}`);
      const shortfall: Shortfall = { reason: "FailedCreate", message: textOf(error) };
      return isRefusal(error) ? { shortfall } : { shortfall, trouble: error };
    }
    return nothingFailed;
  }

  async function remove(set: ReplicaSet, doomed: readonly Pod[]): Promise<Attempt> {
    const results = await boundedly(doomed.slice(0, podsPerLook), requestsAtOnce, async (pod) => {
      const { name, namespace = "", uid } = pod.metadata;
      try {
        await client.delete(Pod, { namespace, name }, uid === undefined ? {} : { preconditions: { uid } });
      } catch (error) {
        // Gone already. A conflict is not that: it may be the pod that changed, so this look is taken again.
        if (isPortError(error, "NotFound")) return;
        recorder.event(set, "Warning", "FailedDelete", `Error deleting: ${textOf(error)}`);
        throw error;
      }
      recorder.event(set, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
    });
    const failure = results.find((result) => result.status === "rejected");
    if (failure === undefined) return nothingFailed;
    const error: unknown = failure.reason;
    return { shortfall: { reason: "FailedDelete", message: textOf(error) }, trouble: error };
  }

  return {
    kind: ReplicaSet,
    owns: [asKind(Pod)],
    watches: [
      watch(Pod, (pod) => {
        if (!isOrphan(pod)) return [];
        const namespace = pod.metadata.namespace ?? "";
        return listers(ReplicaSet)
          .list({ namespace })
          .filter((set) => labelSelectorMatches(set.spec?.selector, pod.metadata.labels))
          .map((set) => ({ namespace, name: set.metadata.name }));
      }),
    ],

    async reconcile(set, status) {
      const mine = await claim(client, ReplicaSet, set, Pod, {
        owned: pods.controlledBy(set.metadata.uid ?? ""),
        around: pods.list({
          namespace: set.metadata.namespace ?? "",
          labels: set.spec?.selector?.matchLabels ?? {},
        }),
      });
      const active = mine.filter(isActive);

      const missing = (set.spec?.replicas ?? 1) - active.length;
      const attempt =
        missing > 0 ? await create(set, missing) : await remove(set, pickToDelete(active, -missing));
      await remove(set, pickToForget(mine.filter(hasFailed), failedPodsKept));

      const present = pods.controlledBy(set.metadata.uid ?? "").filter(isActive);
      const report = reportSet(set, present, attempt.shortfall, clock.now());
      status.set(report.fields);
      if (attempt.trouble !== undefined) throw attempt.trouble;

      const againMs =
        attempt.shortfall === undefined ? undefined : refusedAgainMs(refusedSince(set), clock.now());
      return { requeueAfterMs: sooner(report.lookAgainInMs, againMs) };
    },
  };
}

function hasFailed(pod: Pod): boolean {
  return pod.status?.phase === "Failed" && pod.metadata.deletionTimestamp === undefined;
}
