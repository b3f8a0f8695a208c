// How few, how many and how many at first: annotations, else config-autoscaler (knative-serving.md, sections 5.5 and 5.7).
import type { AutoscalerConfig } from "../../../domain/apis/config/index.js";
import { autoscaling } from "../../../domain/apis/serving/keys.js";

type Annotations = { readonly [key: string]: string } | undefined;

export function initialScale(annotations: Annotations, config: AutoscalerConfig): number {
  return numberOf(annotations?.[autoscaling.initialScale]) ?? config.initialScale;
}

export function minScale(annotations: Annotations, config: AutoscalerConfig): number {
  return numberOf(annotations?.[autoscaling.minScale]) ?? config.minScale;
}

export function maxScale(annotations: Annotations, config: AutoscalerConfig): number {
  return (numberOf(annotations?.[autoscaling.maxScale]) ?? config.maxScale) || Number.POSITIVE_INFINITY;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
