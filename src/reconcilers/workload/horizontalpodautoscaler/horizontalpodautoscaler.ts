/**
 * A HorizontalPodAutoscaler keeps a Deployment or ReplicaSet as large as its pods' use of the machine asks for.
 * What it remembers (wishes of the last minutes, changes of the last) is memory; after a restart it is gathered anew.
 */
import type { Deps, Reconciler } from "../../../controller/index.js";
import { Deployment, ReplicaSet } from "../../../domain/apis/apps/apps.types.js";
import { HorizontalPodAutoscaler } from "../../../domain/apis/autoscaling/autoscalingV2.types.js";
import { Pod } from "../../../domain/apis/core/pod.types.js";
import type { Kind, Resource } from "../../../domain/apis/kind.js";
import { isoSeconds } from "../../../domain/apis/meta/time.js";
import { labelSelectorMatches } from "../../../domain/apis/selectors/index.js";
import { allowReplicas, type BehaviorMemory, noMemory } from "../../../domain/autoscaling/index.js";
import type { Key, PodUsage } from "../../../ports/index.js";
import { usageEveryMs } from "../limits.js";
import { proposeReplicas } from "./propose.js";

export interface UsageOptions {
  /** What every pod uses now. */
  readonly usage: () => readonly PodUsage[];
}

type Scalable = Resource & Pick<Deployment, "spec" | "status">;

interface Memory {
  readonly generation: number | undefined;
  readonly nextMs: number;
  readonly behavior: BehaviorMemory;
}

interface Told {
  readonly type: "AbleToScale" | "ScalingActive" | "ScalingLimited";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

export function horizontalPodAutoscalerReconciler(
  { client, listers, clock, recorder }: Deps,
  { usage }: UsageOptions,
): Reconciler<HorizontalPodAutoscaler> {
  const memories = new Map<string, Memory>();
  const targets = {
    Deployment: Deployment as unknown as Kind<Scalable>,
    ReplicaSet: ReplicaSet as unknown as Kind<Scalable>,
  };
  const lists = { Deployment: listers(targets.Deployment), ReplicaSet: listers(targets.ReplicaSet) };
  const pods = listers(Pod);

  return {
    kind: HorizontalPodAutoscaler,
    forget: (key) => memories.delete(textOf(key)),

    async reconcile(hpa, status) {
      const { namespace = "", name, generation } = hpa.metadata;
      const nowMs = clock.now();
      const memory = memories.get(textOf({ namespace, name }));
      // Its own status wakes it, too: what was decided stands until its time.
      if (memory !== undefined && memory.generation === generation && nowMs < memory.nextMs)
        return { requeueAfterMs: memory.nextMs - nowMs };
      const remember = (behavior: BehaviorMemory) =>
        memories.set(textOf({ namespace, name }), { generation, nextMs: nowMs + usageEveryMs, behavior });
      remember(memory?.behavior ?? noMemory);

      const { scaleTargetRef, minReplicas = 1, maxReplicas = 1, metrics = [], behavior } = hpa.spec ?? {};
      const { kind = "", name: targetName = "" } = scaleTargetRef ?? {};
      const told = (...conditions: readonly Told[]) => conditionsOf(hpa, conditions, nowMs);
      const target = isScalable(kind) ? lists[kind].get({ namespace, name: targetName }) : undefined;
      if (target === undefined || !isScalable(kind)) {
        const message = `the HPA controller was unable to get the target's current scale: ${
          isScalable(kind)
            ? `${kind} ${targetName} not found`
            : `${kind} cannot be scaled here, only Deployment and ReplicaSet`
        }`;
        status.set({
          conditions: told({ type: "AbleToScale", status: "False", reason: "FailedGetScale", message }),
        });
        return { requeueAfterMs: usageEveryMs };
      }

      const current = target.spec?.replicas ?? 1;
      const fields = { observedGeneration: generation, currentReplicas: target.status?.replicas ?? 0 };
      if (current === 0) {
        const message = "scaling is disabled since the replica count of the target is zero";
        const off: Told = { type: "ScalingActive", status: "False", reason: "ScalingDisabled", message };
        status.set({ ...fields, desiredReplicas: 0, currentMetrics: undefined, conditions: told(able, off) });
        return { requeueAfterMs: usageEveryMs };
      }

      const selector = target.spec?.selector;
      const selected = pods
        .list({ namespace })
        .filter(({ metadata }) => labelSelectorMatches(selector, metadata.labels));
      const proposal = proposeReplicas(metrics, { current, pods: selected, usage: usage(), nowMs });
      const bounds = { min: minReplicas, max: maxReplicas };
      const outside = current < minReplicas || current > maxReplicas;
      if (proposal.replicas === undefined && !outside) {
        const { reason = "FailedGetResourceMetric", message = "there is no metric" } = proposal.failure ?? {};
        const off: Told = { type: "ScalingActive", status: "False", reason, message };
        status.set({
          ...fields,
          desiredReplicas: hpa.status?.desiredReplicas ?? current,
          currentMetrics: proposal.shown.length === 0 ? undefined : proposal.shown,
          conditions: told(able, off),
        });
        return { requeueAfterMs: usageEveryMs };
      }

      const wished = outside
        ? Math.min(Math.max(current, minReplicas), maxReplicas)
        : (proposal.replicas ?? current);
      const allowed = allowReplicas(bounds, behavior, current, wished, memory?.behavior ?? noMemory, nowMs);
      // Bounds are kept at once, whatever the policies say.
      const replicas = outside ? wished : allowed.replicas;
      remember(allowed.memory);
      if (replicas !== current) {
        const key = { namespace, name: target.metadata.name };
        await client.patch(targets[kind], key, { spec: { replicas } }, { type: "merge" });
        const why = outside
          ? "the replica count was out of bounds"
          : `${proposal.source} ${replicas > current ? "above" : "below"} target`;
        recorder.event(hpa, "Normal", "SuccessfulRescale", `New size: ${replicas}; reason: ${why}`);
      }
      const valid = `the HPA was able to successfully calculate a replica count from ${proposal.source}`;
      status.set({
        ...fields,
        desiredReplicas: replicas,
        currentMetrics: proposal.shown.length === 0 ? undefined : proposal.shown,
        ...(replicas === current ? {} : { lastScaleTime: isoSeconds(nowMs) }),
        conditions: told(
          ableTo(replicas, current, allowed.stabilized),
          outside
            ? {
                type: "ScalingActive",
                status: "True",
                reason: "ValidMetricFound",
                message: "the replica count was out of bounds",
              }
            : { type: "ScalingActive", status: "True", reason: "ValidMetricFound", message: valid },
          limitedBy(allowed.limited),
        ),
      });
      return { requeueAfterMs: usageEveryMs };
    },
  };
}

const able: Told = {
  type: "AbleToScale",
  status: "True",
  reason: "SucceededGetScale",
  message: "the HPA controller was able to get the target's current scale",
};

function ableTo(replicas: number, current: number, stabilized: string | undefined): Told {
  const type = "AbleToScale";
  const status = "True";
  if (replicas !== current) {
    const message = `the HPA controller was able to update the target scale to ${replicas}`;
    return { type, status, reason: "SucceededRescale", message };
  }
  if (stabilized === "ScaleDownStabilized") {
    const message =
      "recent recommendations were higher than current one, applying the highest recent recommendation";
    return { type, status, reason: "ScaleDownStabilized", message };
  }
  if (stabilized === "ScaleUpStabilized") {
    const message =
      "recent recommendations were lower than current one, applying the lowest recent recommendation";
    return { type, status, reason: "ScaleUpStabilized", message };
  }
  return { type, status, reason: "ReadyForNewScale", message: "recommended size matches current size" };
}

function limitedBy(limited: { readonly reason: string; readonly message: string } | undefined): Told {
  if (limited !== undefined) return { type: "ScalingLimited", status: "True", ...limited };
  const message = "the desired count is within the acceptable range";
  return { type: "ScalingLimited", status: "False", reason: "DesiredWithinRange", message };
}

/** What was said before stays where nothing new is said, as upstream has it. */
function conditionsOf({ status }: HorizontalPodAutoscaler, told: readonly Told[], nowMs: number) {
  const before = status?.conditions ?? [];
  const kept = before.filter(({ type }) => !told.some((one) => one.type === type));
  const said = told.map((one) => {
    const old = before.find(({ type }) => type === one.type);
    const lastTransitionTime = old?.status === one.status ? old.lastTransitionTime : isoSeconds(nowMs);
    return { ...one, lastTransitionTime };
  });
  const order = ["AbleToScale", "ScalingActive", "ScalingLimited"];
  return [...kept, ...said].sort((a, b) => order.indexOf(a.type ?? "") - order.indexOf(b.type ?? ""));
}

function isScalable(kind: string): kind is "Deployment" | "ReplicaSet" {
  return kind === "Deployment" || kind === "ReplicaSet";
}

function textOf({ namespace, name }: Key): string {
  return `${namespace}/${name}`;
}
