// How far and how fast a HorizontalPodAutoscaler may go: stabilization, policies, bounds. Kubernetes' own rules and defaults.
import type { HorizontalPodAutoscaler } from "../apis/autoscaling/autoscalingV2.types.js";

type Behavior = NonNullable<NonNullable<HorizontalPodAutoscaler["spec"]>["behavior"]>;
type Rules = NonNullable<Behavior["scaleUp"]>;

export interface Recommendation {
  readonly atMs: number;
  readonly replicas: number;
}

/** Replicas that came (above zero) or went (below). */
export interface ScaleEvent {
  readonly atMs: number;
  readonly change: number;
}

/** What is remembered from one decision to the next. */
export interface BehaviorMemory {
  readonly recommendations: readonly Recommendation[];
  readonly events: readonly ScaleEvent[];
}

export const noMemory: BehaviorMemory = { recommendations: [], events: [] };

export interface Allowed {
  readonly replicas: number;
  readonly memory: BehaviorMemory;
  /** Held where it was wished otherwise a while ago. */
  readonly stabilized: "ScaleUpStabilized" | "ScaleDownStabilized" | undefined;
  readonly limited: { readonly reason: string; readonly message: string } | undefined;
}

const usual = {
  up: {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  },
  down: {
    stabilizationWindowSeconds: 300,
    selectPolicy: "Max",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  },
} as const;

/** No rule looks back further than this (Kubernetes: half an hour for policies, an hour for windows). */
const longestMs = 3_600_000;

export function allowReplicas(
  { min, max }: { readonly min: number; readonly max: number },
  behavior: Behavior | undefined,
  current: number,
  wished: number,
  before: BehaviorMemory,
  nowMs: number,
): Allowed {
  const up = { ...usual.up, ...behavior?.scaleUp } as Rules;
  const down = { ...usual.down, ...behavior?.scaleDown } as Rules;
  const recommendations = [
    ...before.recommendations.filter(({ atMs }) => atMs > nowMs - longestMs),
    { atMs: nowMs, replicas: wished },
  ];
  const since = ({ stabilizationWindowSeconds = 0 }: Rules) =>
    recommendations
      .filter(({ atMs }) => atMs > nowMs - stabilizationWindowSeconds * 1000 || atMs === nowMs)
      .map(({ replicas }) => replicas);
  const highest = Math.max(...since(down));
  const lowest = Math.min(...since(up));
  const stable = Math.min(Math.max(current, lowest), highest);

  const bounded = withinRules(stable);
  const events = before.events.filter(({ atMs }) => atMs > nowMs - longestMs);
  return {
    replicas: bounded.replicas,
    memory: {
      recommendations,
      events:
        bounded.replicas === current
          ? events
          : [...events, { atMs: nowMs, change: bounded.replicas - current }],
    },
    stabilized: stable === wished ? undefined : stable > wished ? "ScaleDownStabilized" : "ScaleUpStabilized",
    limited: bounded.limited,
  };

  function withinRules(wish: number): Pick<Allowed, "replicas" | "limited"> {
    if (wish > current) {
      const most = Math.max(current, farthest(up, 1));
      if (wish > most && most < max)
        return limit(
          most,
          "ScaleUpLimit",
          "the desired replica count is increasing faster than the maximum scale rate",
        );
      if (wish > max)
        return limit(
          max,
          "TooManyReplicas",
          "the desired replica count is more than the maximum replica count",
        );
    } else if (wish < current) {
      const fewest = Math.min(current, farthest(down, -1));
      if (wish < fewest && fewest > min)
        return limit(
          fewest,
          "ScaleDownLimit",
          "the desired replica count is decreasing faster than the maximum scale rate",
        );
    }
    if (wish < min)
      return limit(min, "TooFewReplicas", "the desired replica count is less than the minimum replica count");
    if (wish > max)
      return limit(
        max,
        "TooManyReplicas",
        "the desired replica count is more than the maximum replica count",
      );
    return { replicas: wish, limited: undefined };
  }

  /** How far the policies let it go in one direction, each counted from where its period began. */
  function farthest({ selectPolicy, policies = [] }: Rules, direction: 1 | -1): number {
    if (selectPolicy === "Disabled") return current;
    const reaches = policies.map(({ type, value = 0, periodSeconds = 0 }) => {
      const changed = before.events
        .filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000)
        .reduce((sum, { change }) => sum + change, 0);
      const begun = current - changed;
      if (type === "Pods") return begun + direction * value;
      const share = begun * (1 + (direction * value) / 100);
      return direction > 0 ? Math.ceil(share) : Math.trunc(share);
    });
    if (reaches.length === 0) return current;
    const far = selectPolicy === "Min" ? -direction : direction;
    return far > 0 ? Math.max(...reaches) : Math.min(...reaches);
  }

  function limit(replicas: number, reason: string, message: string) {
    return { replicas, limited: { reason, message } };
  }
}
