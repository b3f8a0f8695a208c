/**
 * How many replicas one metric asks for, as Kubernetes' HorizontalPodAutoscaler has it: by the ratio of what pods use
 * to what they are meant to use, with a tolerance, and with care for pods that said nothing or have only begun.
 */

/** What one pod uses, in milli-units. */
export interface PodSample {
  readonly name: string;
  /** Undefined when nothing was measured. */
  readonly used: number | undefined;
  /** What it asked for; undefined when a container asked for nothing. */
  readonly requested: number | undefined;
  /** Not ready, or too young for its processor time to mean anything. */
  readonly unready: boolean;
}

export type UsageTarget =
  | { readonly type: "Utilization"; readonly percent: number }
  | { readonly type: "AverageValue"; readonly milli: number };

export type UsageProposal =
  | {
      readonly outcome: "proposed";
      readonly replicas: number;
      /** Of those that count: percent of the request, and milli-units. */
      readonly percent: number | undefined;
      readonly averageMilli: number;
    }
  | { readonly outcome: "unknown"; readonly because: string };

const tolerance = 0.1;

export function proposeByUsage(
  current: number,
  pods: readonly PodSample[],
  target: UsageTarget,
  resource: string,
): UsageProposal {
  const unready = pods.filter((pod) => pod.unready);
  const missing = pods.filter((pod) => !pod.unready && pod.used === undefined);
  const counting = pods.filter((pod) => !pod.unready && pod.used !== undefined);
  if (counting.length === 0) {
    const why = "no metrics returned from resource metrics API for its pods (pods might be unready)";
    return { outcome: "unknown", because: `failed to get ${resource} utilization: ${why}` };
  }
  const silent = pods.find((pod) => pod.requested === undefined);
  if (target.type === "Utilization" && silent !== undefined) {
    const why = `missing request for ${resource} in a container of Pod ${silent.name}`;
    return { outcome: "unknown", because: `failed to get ${resource} utilization: ${why}` };
  }

  const measured = ratioOf(
    counting.map((pod) => [pod.used ?? 0, pod.requested ?? 0]),
    target,
  );
  const proposed = (replicas: number): UsageProposal => ({
    outcome: "proposed",
    replicas,
    percent: target.type === "Utilization" ? measured.percent : undefined,
    averageMilli: measured.averageMilli,
  });
  const upWithUnready = unready.length > 0 && measured.ratio > 1;
  if (!upWithUnready && missing.length === 0) {
    return proposed(isClose(measured.ratio) ? current : Math.ceil(measured.ratio * counting.length));
  }

  // Whoever said nothing is taken to use all it may when pods would go, and nothing when pods would come.
  const supposed = ({ requested = 0 }: PodSample): number => {
    if (measured.ratio >= 1) return 0;
    return target.type === "AverageValue" ? target.milli : (Math.max(100, target.percent) * requested) / 100;
  };
  const guessed = [
    ...counting.map((pod) => [pod.used ?? 0, pod.requested ?? 0] as const),
    ...(measured.ratio === 1 ? [] : missing.map((pod) => [supposed(pod), pod.requested ?? 0] as const)),
    ...(upWithUnready ? unready.map((pod) => [0, pod.requested ?? 0] as const) : []),
  ];
  const { ratio } = ratioOf(guessed, target);
  const turned = (measured.ratio < 1 && ratio > 1) || (measured.ratio > 1 && ratio < 1);
  if (isClose(ratio) || turned) return proposed(current);
  const replicas = Math.ceil(ratio * guessed.length);
  const against = (ratio < 1 && replicas > current) || (ratio > 1 && replicas < current);
  return proposed(against ? current : replicas);
}

function ratioOf(samples: readonly (readonly [used: number, requested: number])[], target: UsageTarget) {
  const used = samples.reduce((sum, [one]) => sum + one, 0);
  const requested = samples.reduce((sum, [, one]) => sum + one, 0);
  const averageMilli = used / samples.length;
  // Whole percents, as Kubernetes compares them.
  const percent = requested === 0 ? 0 : Math.trunc((used * 100) / requested);
  const ratio = target.type === "Utilization" ? percent / target.percent : averageMilli / target.milli;
  return { ratio, percent, averageMilli };
}

function isClose(ratio: number): boolean {
  return Math.abs(1 - ratio) <= tolerance;
}
