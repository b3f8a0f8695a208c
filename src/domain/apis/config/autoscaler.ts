// config-autoscaler: how many pods a Revision gets, and when none.
import { durationText, floatText, milliseconds } from "./goText.js";
import type { AutoscalerConfig } from "./servingConfig.types.js";
import { type Fault, readers, setting, settingsMap } from "./settings.js";

const { bool, duration, float, int32, text } = readers("failed to parse data: ");

const second = 1_000_000_000n;
const leastWindow = 6n * second;
const mostWindow = 3600n * second;
/** The least that a pod can be aimed at. */
const leastTarget = 0.01;

export const autoscalerMap = settingsMap({
  name: "config-autoscaler",
  component: "autoscaler",
  settings: {
    class: setting(
      "pod-autoscaler-class",
      "kpa.autoscaling.knative.dev",
      text,
      "Who scales Revisions that name nobody.",
    ),
    toZero: setting("enable-scale-to-zero", "true", bool, "Whether an idle Revision loses its last pod."),
    zeroInitial: setting(
      "allow-zero-initial-scale",
      "false",
      bool,
      "Whether a Revision may begin without a pod.",
    ),
    initial: setting("initial-scale", "1", int32, "How many pods a new Revision must bring up to be ready."),
    min: setting("min-scale", "0", int32, "The fewest pods of a Revision that says nothing."),
    max: setting(
      "max-scale",
      "0",
      int32,
      "The most pods of a Revision that says nothing; 0 is without limit.",
    ),
    maxLimit: setting("max-scale-limit", "0", int32, "The most that a Revision may say; 0 is without limit."),
    upRate: setting("max-scale-up-rate", "1000", float, "By what factor pods may grow at once."),
    downRate: setting("max-scale-down-rate", "2", float, "By what factor pods may shrink at once."),
    utilization: setting(
      "container-concurrency-target-percentage",
      "70",
      float,
      "How full pods are aimed to be, in percent of what they take at once.",
    ),
    concurrency: setting(
      "container-concurrency-target-default",
      "100",
      float,
      "Requests at once that a pod without a limit is aimed at.",
    ),
    rps: setting(
      "requests-per-second-target-default",
      "200",
      float,
      "Requests a second that a pod is aimed at where that is the metric.",
    ),
    burst: setting(
      "target-burst-capacity",
      "211",
      float,
      "Room for sudden requests below which the activator stays in their path; -1 keeps it there.",
    ),
    activator: setting("activator-capacity", "100", float, "Requests at once that one activator takes."),
    window: setting("stable-window", "60s", duration, "What time is looked back on to decide."),
    panicWindow: setting(
      "panic-window-percentage",
      "10",
      float,
      "How much of that is looked at to notice a sudden rise, in percent.",
    ),
    panicThreshold: setting(
      "panic-threshold-percentage",
      "200",
      float,
      "How many percent of what the pods can take is such a rise.",
    ),
    downDelay: setting(
      "scale-down-delay",
      "0s",
      duration,
      "How long a lower wish must stand before pods go.",
    ),
    grace: setting(
      "scale-to-zero-grace-period",
      "30s",
      duration,
      "How long the last pod waits for the activator to take over its requests.",
    ),
    retention: setting(
      "scale-to-zero-pod-retention-period",
      "0s",
      duration,
      "How long the last pod is kept after that at least.",
    ),
  },
  check(read) {
    const faults: Fault[] = [];
    const unless = (holds: boolean, message: string, ...keys: readonly string[]) => {
      if (!holds) faults.push({ keys, message });
    };
    const fraction = fractionOf(read.utilization);

    for (const [key, value] of [
      ["scale-down-delay", read.downDelay],
      ["scale-to-zero-pod-retention-period", read.retention],
    ] as const) {
      unless(value >= 0n, `${key} cannot be negative, was: ${durationText(value)}`, key);
    }
    unless(
      read.grace > 0n,
      `scale-to-zero-grace-period must be positive, was: ${durationText(read.grace)}`,
      "scale-to-zero-grace-period",
    );
    unless(
      read.downDelay % second === 0n,
      `scale-down-delay = ${durationText(read.downDelay)}, must be specified with at most second precision`,
      "scale-down-delay",
    );
    unless(
      read.burst >= 0 || read.burst === -1,
      `target-burst-capacity must be either non-negative or -1 (for unlimited), was: ${read.burst.toFixed(6)}`,
      "target-burst-capacity",
    );
    const inRange = fraction > 0 && fraction <= 1;
    unless(
      inRange,
      `container-concurrency-target-percentage = ${fraction.toFixed(6)} is outside of valid range of (0, 100]`,
      "container-concurrency-target-percentage",
    );
    const target = fraction * read.concurrency;
    unless(
      !inRange || target >= leastTarget,
      `container-concurrency-target-percentage and container-concurrency-target-default yield target concurrency of ${floatText(target)}, can't be less than ${leastTarget}`,
      "container-concurrency-target-percentage",
      "container-concurrency-target-default",
    );
    unless(
      read.rps >= leastTarget,
      `requests-per-second-target-default must be at least ${leastTarget}, was: ${floatText(read.rps)}`,
      "requests-per-second-target-default",
    );
    unless(
      read.activator >= 1,
      `activator-capacity = ${floatText(read.activator)}, must be at least 1`,
      "activator-capacity",
    );
    for (const [key, value] of [
      ["max-scale-up-rate", read.upRate],
      ["max-scale-down-rate", read.downRate],
    ] as const) {
      unless(value > 1, `${key} = ${floatText(value)}, must be greater than 1.0`, key);
    }
    const windowText = durationText(read.window);
    const windowFits = read.window >= leastWindow && read.window <= mostWindow;
    unless(
      windowFits,
      `stable-window = ${windowText}, must be in [${durationText(leastWindow)}; ${durationText(mostWindow)}] range`,
      "stable-window",
    );
    unless(
      !windowFits || read.window % second === 0n,
      `stable-window = ${windowText}, must be specified with at most second precision`,
      "stable-window",
    );
    unless(
      read.panicWindow >= 1 && read.panicWindow <= 100,
      `panic-window-percentage = ${floatText(read.panicWindow)}, must be in [1, 100] interval`,
      "panic-window-percentage",
    );
    return [...faults, ...scaleFaults(read)];
  },
  shape: (read): AutoscalerConfig => ({
    podAutoscalerClass: read.class,
    enableScaleToZero: read.toZero,
    allowZeroInitialScale: read.zeroInitial,
    initialScale: read.initial,
    minScale: read.min,
    maxScale: read.max,
    maxScaleLimit: read.maxLimit,
    maxScaleUpRate: read.upRate,
    maxScaleDownRate: read.downRate,
    containerConcurrencyTargetFraction: fractionOf(read.utilization),
    containerConcurrencyTargetDefault: read.concurrency,
    requestsPerSecondTargetDefault: read.rps,
    targetBurstCapacity: read.burst,
    activatorCapacity: read.activator,
    stableWindowMs: milliseconds(read.window),
    panicWindowPercentage: read.panicWindow,
    panicThresholdPercentage: read.panicThreshold,
    scaleDownDelayMs: milliseconds(read.downDelay),
    scaleToZeroGracePeriodMs: milliseconds(read.grace),
    scaleToZeroPodRetentionPeriodMs: milliseconds(read.retention),
  }),
});

/** Up to 1 it is a fraction already: older ConfigMaps wrote it so. */
function fractionOf(percentage: number): number {
  return percentage > 1 ? percentage / 100 : percentage;
}

function scaleFaults(read: {
  readonly initial: number;
  readonly zeroInitial: boolean;
  readonly min: number;
  readonly max: number;
  readonly maxLimit: number;
}): readonly Fault[] {
  const { initial, zeroInitial, min, max, maxLimit } = read;
  const faults: Fault[] = [];
  if (initial < 0 || (initial === 0 && !zeroInitial)) {
    faults.push({
      keys: ["initial-scale"],
      message: `initial-scale = ${initial}, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)`,
    });
  }
  if (min < 0) faults.push({ keys: ["min-scale"], message: `min-scale = ${min}, must be at least 0` });
  const leastMax = maxLimit > 0 ? 1 : 0;
  if (max < leastMax || (maxLimit > 0 && max > maxLimit)) {
    faults.push({
      keys: ["max-scale", "max-scale-limit"],
      message: `max-scale = ${max}, must be in [${leastMax}, max-scale-limit(${maxLimit})] range`,
    });
  } else if (max > 0 && min > max) {
    faults.push({
      keys: ["min-scale", "max-scale"],
      message: `min-scale (${min}) must be less than max-scale (${max})`,
    });
  }
  if (maxLimit < 0) {
    faults.push({
      keys: ["max-scale-limit"],
      message: `max-scale-limit = ${maxLimit}, must be at least 0`,
    });
  }
  return faults;
}
