/**
 * What is done about a wish: bounds, and the careful way down to zero (knative-serving.md, section 5.5). The last pod
 * goes only when nobody has asked for a while, and when requests are sure to be held once it is gone.
 */
import type { Condition } from "../apis/meta/meta.types.js";
import type { ScalingSettings } from "./settings.js";

export interface ApplyInput {
  /** The decider's wish; -1 before there is one. */
  readonly desired: number;
  /** The PodAutoscaler's `Active`, as it stands. */
  readonly active: Pick<Condition, "status" | "reason" | "lastTransitionTime"> | undefined;
  /** Whether as many pods as it was to start with were ready once. */
  readonly initialized: boolean;
  /** No Route leads to it any more: there is no request that anybody would have to be ready for. */
  readonly unrouted: boolean;
  /** A start is given up this long after it began, unless that is undefined: then it is still under way. */
  readonly giveUpAfterMs: number | undefined;
  /** Since when the activator stands in the path; undefined when it does not. */
  readonly proxySinceMs: number | undefined;
  /** Whether the activator answers for the Revision by now. */
  readonly activatorInPath: boolean;
  readonly nowMs: number;
}

export interface Applied {
  /** What the PodAutoscaler says that it wants; -1 is nothing new. */
  readonly want: number;
  /** The replicas to write; undefined leaves the scale target alone. */
  readonly replicas: number | undefined;
  readonly lookAgainInMs?: number | undefined;
  readonly because: string;
}

/** Nothing was asked for, and nothing changes by itself that would tell us: look again. */
const proxiedAlreadyMs = 3_000;
/** An activator that does not answer yet is asked again after this. */
const probeAgainMs = 1_000;

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** How few and how many. A Revision that never had its initial scale is held to that, too. */
export function boundsOf(settings: ScalingSettings, initialized: boolean): Bounds {
  const { reachable, minScale, maxScale, initialScale } = settings;
  if (!reachable) return { min: 0, max: maxScale };
  const start = initialScale > 1 && !initialized ? initialScale : 0;
  return { min: Math.max(minScale, start), max: maxScale };
}

export function decideApply(settings: ScalingSettings, input: ApplyInput): Applied {
  const activating = input.active === undefined || input.active.status === "Unknown";
  const letGo = input.unrouted && input.initialized;
  if (input.desired < 0 && !activating && !letGo) {
    return { want: input.desired, replicas: undefined, because: "no counts yet" };
  }
  const { min, max } = boundsOf(settings, input.initialized);
  const wish = Math.min(Math.max(input.desired, min), max);
  if (wish > 0) return scaled(wish, wish === input.desired ? "as wished" : `bounds ${min} to ${max}`);
  if (letGo) return scaled(0, "no traffic can reach it");
  if (!settings.enableScaleToZero) return scaled(1, "enable-scale-to-zero is false");
  if (activating) return whileActivating(input);
  return input.active?.status === "True" ? whileActive(settings, input) : whileIdle(settings, input);
}

function whileActivating({ active, giveUpAfterMs, nowMs }: ApplyInput): Applied {
  const kept = { want: -1, replicas: undefined };
  if (giveUpAfterMs === undefined) return { ...kept, because: "its pods are starting" };
  const leftMs = sinceMs(active, nowMs) + giveUpAfterMs - nowMs;
  if (leftMs <= 0) return scaled(0, "it could not be activated in time");
  return { ...kept, lookAgainInMs: leftMs, because: "its pods fail, and are kept a while for reading" };
}

function whileActive({ stableWindowMs }: ScalingSettings, input: ApplyInput): Applied {
  const leftMs = sinceMs(input.active, input.nowMs) + stableWindowMs - input.nowMs;
  if (leftMs > 0) return { ...scaled(1, "active for less than its window"), lookAgainInMs: leftMs };
  const proxied = input.proxySinceMs !== undefined;
  return {
    want: 0,
    replicas: undefined,
    lookAgainInMs: proxied ? proxiedAlreadyMs : undefined,
    because: "idle: the activator takes over",
  };
}

function whileIdle(settings: ScalingSettings, input: ApplyInput): Applied {
  const waiting = (lookAgainInMs: number, because: string): Applied => ({
    want: 0,
    replicas: undefined,
    lookAgainInMs,
    because,
  });
  // With the activator always in the path there is nobody to ask.
  if (!input.activatorInPath && settings.burstCapacity !== -1) {
    return waiting(probeAgainMs, "the activator does not answer for it yet");
  }
  const { nowMs, active, proxySinceMs } = input;
  const retentionMs = settings.reachable ? settings.retentionMs : 0;
  const idleMs = nowMs - sinceMs(active, nowMs);
  if (idleMs >= Math.max(settings.graceMs, retentionMs)) return scaled(0, "idle, and long enough");
  if (idleMs < retentionMs) return waiting(retentionMs - idleMs, "its last pod is kept a while");
  const leftMs = settings.graceMs - (proxySinceMs === undefined ? 0 : nowMs - proxySinceMs);
  if (leftMs <= 0) return scaled(0, "idle, and the activator has it");
  return waiting(leftMs, "the activator must have it for the grace period");
}

function scaled(replicas: number, because: string): Applied {
  return { want: replicas, replicas, because };
}

/** A condition that is not there yet begins now. */
function sinceMs(condition: ApplyInput["active"], nowMs: number): number {
  return Date.parse(condition?.lastTransitionTime ?? "") || nowMs;
}
