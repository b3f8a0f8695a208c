// The autoscaling annotations: what each may say (knative-serving.md, section 5.7).

import { parseDuration, parseFloat64, parseInt32, parseInteger } from "../config/goText.js";
import type { AutoscalerConfig } from "../config/index.js";
import { fault, invalidValue, type KnativeErrors, outOfBounds } from "./knativeError.js";
import { type Annotations, annotation } from "./metadata.validation.js";

const domain = "autoscaling.knative.dev";
const kpa = `kpa.${domain}`;
const hpa = `hpa.${domain}`;
const maxInt32 = 2147483647;

/** The spellings of one annotation, the one that wins first. */
function spelled(...names: readonly string[]): readonly string[] {
  return names.map((name) => `${domain}/${name}`);
}

/** What an object may say about its own scaling; the spelling that wins first. */
export const scalingKeys = {
  class: spelled("class"),
  metric: spelled("metric"),
  target: spelled("target"),
  utilization: spelled("target-utilization-percentage", "targetUtilizationPercentage"),
  burst: spelled("target-burst-capacity", "targetBurstCapacity"),
  minScale: spelled("min-scale", "minScale"),
  maxScale: spelled("max-scale", "maxScale"),
  initialScale: spelled("initial-scale", "initialScale"),
  activationScale: spelled("activation-scale"),
  window: spelled("window"),
  panicWindow: spelled("panic-window-percentage", "panicWindowPercentage"),
  panicThreshold: spelled("panic-threshold-percentage", "panicThresholdPercentage"),
  scaleDownDelay: spelled("scale-down-delay", "scaleDownDelay"),
  retention: spelled("scale-to-zero-pod-retention-period", "scaleToZeroPodRetentionPeriod"),
  algorithm: spelled("metric-aggregation-algorithm", "metricAggregationAlgorithm"),
} as const;

const keys = scalingKeys;

const algorithms: ReadonlySet<string> = new Set([
  "",
  "linear",
  "weighted-exponential",
  "weightedExponential",
]);

/** Paths are the annotations' keys. */
export function validateScaling(annotations: Annotations = {}, config: AutoscalerConfig): KnativeErrors {
  return [
    ...validateClass(annotations),
    ...validateBounds(annotations, config),
    ...validateInitialScale(annotations, config),
    ...within(annotations, keys.panicWindow, 1, 100),
    ...within(annotations, keys.panicThreshold, 110, 1000),
    ...within(annotations, keys.utilization, 1, 100),
    ...number(annotations, keys.target, (value, text, key) =>
      value < 0.01 ? fault(`target ${text} should be at least 0.01`, [key]) : [],
    ),
    ...number(annotations, keys.burst, (value, text, key) =>
      value < 0 && value !== -1 ? invalidValue(text, key) : [],
    ),
    ...span(annotations, keys.window, "6s", { wholeSeconds: true }),
    ...span(annotations, keys.scaleDownDelay, "0s", { wholeSeconds: true }),
    ...span(annotations, keys.retention, "0s", { wholeSeconds: false }),
  ];
}

function validateClass(annotations: Annotations): KnativeErrors {
  const found = annotation(annotations, keys.class);
  const named = found?.value ?? kpa;
  const metric = annotation(annotations, keys.metric);
  const algorithm = annotation(annotations, keys.algorithm);
  const unknownClass = found?.value.endsWith(domain) === true && named !== kpa && named !== hpa;
  const unknownMetric =
    (named === kpa && !["concurrency", "rps"].includes(metric?.value ?? "")) ||
    (named === hpa && metric?.value === "");
  return [
    ...(found !== undefined && unknownClass ? invalidValue(named, found.key) : []),
    ...(metric !== undefined && unknownMetric ? invalidValue(metric.value, metric.key) : []),
    // Autoscalers of others may have algorithms of their own.
    ...(found?.value === kpa && algorithm !== undefined && !algorithms.has(algorithm.value)
      ? invalidValue(algorithm.value, algorithm.key)
      : []),
  ];
}

interface Scale {
  readonly value: number;
  readonly errors: KnativeErrors;
}

function scale(annotations: Annotations, spellings: readonly string[]): Scale {
  const found = annotation(annotations, spellings);
  if (found === undefined) return { value: 0, errors: [] };
  const { key, value: text } = found;
  const parsed = parseInt32(text);
  if ("because" in parsed && !parsed.because.endsWith("out of range"))
    return { value: 0, errors: invalidValue(text, key) };
  if ("because" in parsed || parsed.value < 0)
    return { value: 0, errors: outOfBounds(text, 0, maxInt32, key) };
  return { value: parsed.value, errors: [] };
}

function validateBounds(annotations: Annotations, { maxScaleLimit }: AutoscalerConfig): KnativeErrors {
  const min = scale(annotations, keys.minScale);
  const max = scale(annotations, keys.maxScale);
  const [minKey = "", maxKey = ""] = [keys.minScale[0], keys.maxScale[0]];
  const crossed = max.value !== 0 && max.value < min.value;
  const limited = annotation(annotations, keys.maxScale);
  return [
    ...min.errors,
    ...max.errors,
    ...(crossed ? fault(`max-scale=${max.value} is less than min-scale=${min.value}`, [maxKey, minKey]) : []),
    ...(limited === undefined || maxScaleLimit === 0
      ? []
      : aboveLimit(max.value, maxScaleLimit, limited.key)),
    ...validateActivationScale(annotations, min.value, max.value),
  ];
}

function aboveLimit(max: number, limit: number, key: string): KnativeErrors {
  if (max === 0) return fault(`max-scale=0 (unlimited), must be less than ${limit}`, [key]);
  return max > limit ? outOfBounds(max, 1, limit, key) : [];
}

function validateActivationScale(annotations: Annotations, min: number, max: number): KnativeErrors {
  const found = annotation(annotations, keys.activationScale);
  if (found === undefined) return [];
  const { key, value: text } = found;
  const parsed = parseInt32(text);
  if ("because" in parsed) return invalidValue(text, key);
  const wanted = parsed.value;
  if (min > wanted) return fault(`min-scale=${min} is greater than activation-scale=${wanted}`, [key]);
  if (max !== 0 && max < wanted)
    return fault(`max-scale=${max} is less than activation-scale=${wanted}`, [key]);
  return wanted < 2 ? fault(`activation-scale=${wanted} must be greater than 1`, [key]) : [];
}

function validateInitialScale(annotations: Annotations, config: AutoscalerConfig): KnativeErrors {
  const found = annotation(annotations, keys.initialScale);
  if (found === undefined) return [];
  const { key, value: text } = found;
  const parsed = parseInteger(text);
  if ("because" in parsed) return invalidValue(text, key);
  // Upstream puts the reason into the path.
  if (parsed.value < 0) return invalidValue(text, `${key} must be greater than 0`);
  return parsed.value === 0 && !config.allowZeroInitialScale
    ? invalidValue(text, `${key}=0 not allowed by cluster`)
    : [];
}

function number(
  annotations: Annotations,
  spellings: readonly string[],
  check: (value: number, text: string, key: string) => KnativeErrors,
): KnativeErrors {
  const found = annotation(annotations, spellings);
  if (found === undefined) return [];
  const parsed = parseFloat64(found.value);
  return "because" in parsed
    ? invalidValue(found.value, found.key)
    : check(parsed.value, found.value, found.key);
}

function within(
  annotations: Annotations,
  spellings: readonly string[],
  low: number,
  high: number,
): KnativeErrors {
  return number(annotations, spellings, (value, text, key) =>
    value < low || value > high ? outOfBounds(text, low, high, key) : [],
  );
}

const second = 1_000_000_000n;
const hour = 3600n * second;

function span(
  annotations: Annotations,
  spellings: readonly string[],
  least: "0s" | "6s",
  { wholeSeconds }: { readonly wholeSeconds: boolean },
): KnativeErrors {
  const found = annotation(annotations, spellings);
  if (found === undefined) return [];
  const { key, value: text } = found;
  const parsed = parseDuration(text);
  if ("because" in parsed) return invalidValue(text, key);
  const low = least === "6s" ? 6n * second : 0n;
  if (parsed.value < low || parsed.value > hour) return outOfBounds(text, least, "1h0m0s", key);
  return wholeSeconds && parsed.value % second !== 0n
    ? fault("must be specified with at most second precision", [key])
    : [];
}
