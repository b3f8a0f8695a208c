// autoscaling/v1: the autoscaler as it was when CPU was all there was.
import { HorizontalPodAutoscalerSchema } from "../../domain/apis/autoscaling/autoscalingV1.types.js";
import { HorizontalPodAutoscaler } from "../../domain/apis/autoscaling/autoscalingV2.types.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import type { View } from "../registry/index.js";

const v2 = HorizontalPodAutoscaler as unknown as Kind;
// The hooks know the newer shape only; they run on the way to storage.
const { defaults: _defaults, validate: _validate, ...named } = v2;

interface Metric {
  readonly type: string;
  readonly resource?: {
    readonly name: string;
    readonly target?: { readonly type: string; readonly averageUtilization?: number };
    readonly current?: { readonly averageUtilization?: number };
  };
}

type Bag = { readonly [name: string]: unknown };
type Autoscaler = Resource & { readonly spec?: Bag; readonly status?: Bag };

export const autoscalerView: View = {
  kind: { ...named, version: "v1", schema: HorizontalPodAutoscalerSchema as Kind["schema"], columns: [] },
  of: v2,
  toView(object) {
    const { spec = {}, status, ...rest } = object as Autoscaler;
    const { metrics, behavior: _behavior, ...kept } = spec;
    const wished = cpu(metrics)?.resource?.target?.averageUtilization;
    return {
      ...rest,
      apiVersion: "autoscaling/v1",
      spec: { ...kept, ...(wished === undefined ? {} : { targetCPUUtilizationPercentage: wished }) },
      ...(status === undefined ? {} : { status: statusView(status) }),
    } as Resource;
  },
  fromView(object, old) {
    const { spec = {}, ...rest } = object as Autoscaler;
    const { targetCPUUtilizationPercentage: wished, ...kept } = spec;
    const before = (old as Autoscaler | undefined)?.spec ?? {};
    // What this version cannot say is not lost by writing through it.
    const others = ((before["metrics"] ?? []) as readonly Metric[]).filter((metric) => !isCpu(metric));
    const metrics = [...(typeof wished === "number" ? [cpuMetric(wished)] : []), ...others];
    return {
      ...rest,
      apiVersion: "autoscaling/v2",
      spec: {
        ...kept,
        ...(metrics.length === 0 ? {} : { metrics }),
        ...(before["behavior"] === undefined ? {} : { behavior: before["behavior"] }),
      },
      ...(old === undefined ? {} : { status: (old as Autoscaler).status }),
    } as Resource;
  },
};

function statusView(status: Bag): Bag {
  const { currentMetrics, conditions: _conditions, ...kept } = status;
  const now = cpu(currentMetrics)?.resource?.current?.averageUtilization;
  return { ...kept, ...(now === undefined ? {} : { currentCPUUtilizationPercentage: now }) };
}

function cpu(metrics: unknown): Metric | undefined {
  return ((metrics ?? []) as readonly Metric[]).find(isCpu);
}

function isCpu(metric: Metric): boolean {
  return metric.type === "Resource" && metric.resource?.name === "cpu";
}

function cpuMetric(averageUtilization: number): Metric {
  return { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } };
}
