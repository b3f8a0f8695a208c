import { ageColumn, nameColumn, none, number, text } from "../columns/index.js";
import type { Column } from "../kind.js";
import type { HorizontalPodAutoscaler } from "./autoscalingV2.types.js";

type Spec = NonNullable<HorizontalPodAutoscaler["spec"]>;
type Metric = NonNullable<Spec["metrics"]>[number];
type MetricStatus = NonNullable<NonNullable<HorizontalPodAutoscaler["status"]>["currentMetrics"]>[number];

export const hpaColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn,
  text("Reference", ({ spec }) =>
    spec === undefined ? "" : `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
  ),
  text("Targets", targetsText),
  text("MinPods", ({ spec }) => (spec?.minReplicas === undefined ? "<unset>" : `${spec.minReplicas}`)),
  number("MaxPods", ({ spec }) => spec?.maxReplicas ?? 0),
  number("Replicas", ({ status }) => status?.currentReplicas ?? 0),
  ageColumn,
];

const mostShown = 2;

function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return none;
  const shown = metrics
    .slice(0, mostShown)
    .map((metric, index) => targetText(metric, status?.currentMetrics?.[index]));
  const more = metrics.length > mostShown ? ` + ${metrics.length - mostShown} more...` : "";
  return `${shown.join(", ")}${more}`;
}

function targetText(metric: Metric, status: MetricStatus | undefined): string {
  const { name, source } = sourceOf(metric);
  const { target } = source ?? {};
  const current = [
    status?.resource,
    status?.containerResource,
    status?.pods,
    status?.object,
    status?.external,
  ].find((one) => one !== undefined)?.current;
  const prefix = name === "" ? "" : `${name}: `;
  if (target?.averageUtilization !== undefined) {
    const now = current?.averageUtilization;
    return `${prefix}${now === undefined ? "<unknown>" : `${now}%`}/${target.averageUtilization}%`;
  }
  if (target?.averageValue !== undefined) {
    return `${prefix}${current?.averageValue ?? "<unknown>"}/${target.averageValue}${metric.type === "Resource" ? "" : " (avg)"}`;
  }
  return `${prefix}${current?.value ?? "<unknown>"}/${target?.value ?? "<auto>"}`;
}

/** Only resources are named: upstream shows the other kinds by their numbers alone. */
function sourceOf(metric: Metric) {
  const { resource, containerResource, pods, object, external } = metric;
  if (resource !== undefined) return { name: resource.name ?? "", source: resource };
  if (containerResource !== undefined)
    return { name: containerResource.name ?? "", source: containerResource };
  return { name: "", source: pods ?? object ?? external };
}
