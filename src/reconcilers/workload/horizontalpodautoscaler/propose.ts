// What all metrics of a HorizontalPodAutoscaler ask for together: the most of them. Pure.
import type { HorizontalPodAutoscaler } from "../../../domain/apis/autoscaling/autoscalingV2.types.js";
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import { asMilli, formatQuantity } from "../../../domain/apis/quantity/index.js";
import { proposeByUsage, type UsageProposal, type UsageTarget } from "../../../domain/autoscaling/index.js";
import type { PodUsage } from "../../../ports/index.js";
import { samplesOf } from "./samples.js";

type Spec = NonNullable<HorizontalPodAutoscaler["spec"]>;
type Metric = NonNullable<Spec["metrics"]>[number];
type Shown = NonNullable<NonNullable<HorizontalPodAutoscaler["status"]>["currentMetrics"]>[number];

export interface Proposal {
  /** Undefined when no metric could be read, or when only some could and those would take pods away. */
  readonly replicas: number | undefined;
  /** What asked for the most. */
  readonly source: string;
  readonly shown: readonly Shown[];
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
}

export interface Measured {
  readonly current: number;
  readonly pods: readonly Pod[];
  readonly usage: readonly PodUsage[];
  readonly nowMs: number;
}

export function proposeReplicas(metrics: readonly Metric[], measured: Measured): Proposal {
  const read = metrics.map((metric) => readMetric(metric, measured));
  const known = read.flatMap((one) =>
    one.proposal.outcome === "proposed" ? [{ ...one, ...one.proposal }] : [],
  );
  const failed = read.find(({ proposal }) => proposal.outcome === "unknown");
  const most = known.reduce<(typeof known)[number] | undefined>(
    (max, one) => (max === undefined || one.replicas > max.replicas ? one : max),
    undefined,
  );
  const failure =
    failed === undefined || failed.proposal.outcome !== "unknown"
      ? undefined
      : {
          reason: failed.reason,
          message: `the HPA was unable to compute the replica count: ${failed.proposal.because}`,
        };
  // A metric that cannot be read may be the one that needs the pods.
  const unsafe = failure !== undefined && (most?.replicas ?? 0) < measured.current;
  return {
    replicas: unsafe ? undefined : most?.replicas,
    source: most?.source ?? "",
    shown: known.map(({ shown }) => shown),
    failure: unsafe || most === undefined ? failure : undefined,
  };
}

interface Read {
  readonly proposal: UsageProposal;
  readonly source: string;
  readonly reason: string;
  readonly shown: Shown;
}

function readMetric(metric: Metric, { current, pods, usage, nowMs }: Measured): Read {
  const source = metric.resource ?? metric.containerResource;
  if (source?.name === undefined) {
    const because = `metrics of type ${metric.type ?? ""} need a metrics API that nobody serves here; Resource and ContainerResource are measured`;
    return {
      proposal: { outcome: "unknown", because },
      source: "",
      reason: `FailedGet${metric.type ?? ""}Metric`,
      shown: { type: metric.type ?? "" },
    };
  }
  const { name, target } = source;
  const container = metric.containerResource?.container;
  const proposal = proposeByUsage(
    current,
    samplesOf(pods, usage, name, container, nowMs),
    targetOf(target),
    name,
  );
  const current_ = proposal.outcome === "proposed" ? measuredValue(proposal, name) : {};
  const what = container === undefined ? "resource" : "container resource";
  const how = target?.averageUtilization === undefined ? "" : " utilization (percentage of request)";
  return {
    proposal,
    source: `${name} ${what}${how}`,
    reason: container === undefined ? "FailedGetResourceMetric" : "FailedGetContainerResourceMetric",
    shown:
      container === undefined
        ? { type: "Resource", resource: { name, current: current_ } }
        : { type: "ContainerResource", containerResource: { name, container, current: current_ } },
  };
}

function targetOf(target: NonNullable<Metric["resource"]>["target"]): UsageTarget {
  if (target?.averageUtilization !== undefined)
    return { type: "Utilization", percent: target.averageUtilization };
  return { type: "AverageValue", milli: asMilli(target?.averageValue ?? "0") };
}

function measuredValue(
  { percent, averageMilli }: Extract<UsageProposal, { outcome: "proposed" }>,
  measured: string,
) {
  const averageValue =
    measured === "cpu"
      ? formatQuantity({ nano: BigInt(Math.round(averageMilli)) * 1_000_000n, family: "decimal" })
      : formatQuantity({ nano: BigInt(Math.round(averageMilli / 1000)) * 1_000_000_000n, family: "binary" });
  return { averageValue, ...(percent === undefined ? {} : { averageUtilization: percent }) };
}
