// What one PodAutoscaler is scaled by: its annotations, else config-autoscaler (knative-serving.md, sections 5.2, 5.3, 5.7).
import type { PodAutoscaler } from "../apis/autoscaling/podAutoscaler.types.js";
import { type Parsed, parseDuration, parseFloat64, parseInt32 } from "../apis/config/goText.js";
import type { AutoscalerConfig } from "../apis/config/index.js";
import { annotation } from "../apis/serving/metadata.validation.js";
import { scalingKeys as keys } from "../apis/serving/scaling.validation.js";
import type { Aggregation } from "./window.js";

export interface ScalingSettings {
  readonly metric: "concurrency" | "rps";
  /** What one pod can take. */
  readonly capacity: number;
  /** What one pod is meant to have: its capacity, and some of it left free. */
  readonly target: number;
  readonly burstCapacity: number;
  readonly activatorCapacity: number;
  readonly stableWindowMs: number;
  readonly panicWindowMs: number;
  /** How many times what the pods can take is a sudden rise. */
  readonly panicThreshold: number;
  readonly aggregation: Aggregation;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  /** No fewer once anything is wanted at all; 1 says nothing. */
  readonly activationScale: number;
  readonly initialScale: number;
  readonly minScale: number;
  /** Infinite where nothing limits it. */
  readonly maxScale: number;
  readonly scaleDownDelayMs: number;
  readonly enableScaleToZero: boolean;
  readonly graceMs: number;
  readonly retentionMs: number;
  /** A Revision that no Route leads to, or whose pods fail, is let go the sooner. */
  readonly reachable: boolean;
}

/** The least that a pod can be aimed at. */
const leastTarget = 0.01;

type Scaled = {
  readonly metadata: PodAutoscaler["metadata"];
  readonly spec?: Partial<PodAutoscaler["spec"]>;
};

/** Never fails: admission has judged what is said; what does not parse is as if it were not there. */
export function scalingSettings(scaler: Scaled, config: AutoscalerConfig): ScalingSettings {
  const annotations = scaler.metadata.annotations ?? {};
  const said = <T>(spellings: readonly string[], parse: (text: string) => Parsed<T>): T | undefined => {
    const found = annotation(annotations, spellings);
    if (found === undefined) return undefined;
    const parsed = parse(found.value);
    return "value" in parsed ? parsed.value : undefined;
  };
  const number = (spellings: readonly string[]) => said(spellings, parseFloat64);
  const milliseconds = (spellings: readonly string[]) => {
    const nanos = said(spellings, parseDuration);
    return nanos === undefined ? undefined : Number(nanos) / 1e6;
  };

  const metric = annotations[keys.metric[0] ?? ""] === "rps" ? "rps" : "concurrency";
  const capacity = capacityOf(metric, number(keys.target), scaler.spec?.containerConcurrency ?? 0, config);
  const share = number(keys.utilization);
  const usual = config.containerConcurrencyTargetFraction;
  const utilization = share === undefined ? (metric === "rps" ? rpsUtilization : usual) : share / 100;
  const stableWindowMs = milliseconds(keys.window) ?? config.stableWindowMs;
  const panicShare = (number(keys.panicWindow) ?? config.panicWindowPercentage) / 100;
  return {
    metric,
    capacity,
    target: Math.max(leastTarget, capacity * utilization),
    burstCapacity: number(keys.burst) ?? config.targetBurstCapacity,
    activatorCapacity: config.activatorCapacity,
    stableWindowMs,
    panicWindowMs: Math.max(1, Math.round((stableWindowMs / 1000) * panicShare)) * 1000,
    panicThreshold: (number(keys.panicThreshold) ?? config.panicThresholdPercentage) / 100,
    aggregation: annotation(annotations, keys.algorithm)?.value.startsWith("weighted")
      ? "weighted-exponential"
      : "linear",
    maxScaleUpRate: config.maxScaleUpRate,
    maxScaleDownRate: config.maxScaleDownRate,
    activationScale: said(keys.activationScale, parseInt32) ?? 1,
    initialScale: initialScale(annotations, config),
    minScale: said(keys.minScale, parseInt32) ?? config.minScale,
    maxScale: (said(keys.maxScale, parseInt32) ?? config.maxScale) || Number.POSITIVE_INFINITY,
    scaleDownDelayMs: milliseconds(keys.scaleDownDelay) ?? config.scaleDownDelayMs,
    enableScaleToZero: config.enableScaleToZero,
    graceMs: config.scaleToZeroGracePeriodMs,
    retentionMs: milliseconds(keys.retention) ?? config.scaleToZeroPodRetentionPeriodMs,
    reachable: scaler.spec?.reachability !== "Unreachable",
  };
}

/** Requests a second leave this much free, whatever is set for concurrency. */
const rpsUtilization = 0.7;

function capacityOf(
  metric: "concurrency" | "rps",
  target: number | undefined,
  limit: number,
  { requestsPerSecondTargetDefault, containerConcurrencyTargetDefault }: AutoscalerConfig,
): number {
  if (metric === "rps") return target ?? requestsPerSecondTargetDefault;
  if (limit === 0) return target ?? containerConcurrencyTargetDefault;
  // Never aimed higher than what the container lets in.
  return target === undefined ? limit : Math.min(target, limit);
}

/** None only where the cluster allows it. */
export function initialScale(
  annotations: { readonly [key: string]: string } | undefined,
  config: AutoscalerConfig,
): number {
  const found = annotation(annotations ?? {}, keys.initialScale);
  const parsed = found === undefined ? undefined : parseInt32(found.value);
  if (parsed === undefined || "because" in parsed) return config.initialScale;
  return parsed.value === 0 && !config.allowZeroInitialScale ? config.initialScale : parsed.value;
}
