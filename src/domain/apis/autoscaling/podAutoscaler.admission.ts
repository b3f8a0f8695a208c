// Admission of a PodAutoscaler and of a Metric (knative-serving.md, sections 1.5 and 1.7.7).
import type { AdmissionContext, Resource, WebhookAnswer } from "../kind.js";
import { labelKeyProblems, labelProblems } from "../names/index.js";
import { autoscaling } from "../serving/keys.js";
import {
  invalidValue,
  type KnativeErrors,
  missing,
  setFields,
  under,
  webhookAnswer,
} from "../serving/knativeError.js";
import { isJudged, validateNames } from "../serving/metadata.validation.js";
import { validateScaling } from "../serving/scaling.validation.js";
import { validateConcurrency } from "../serving/template.validation.js";
import type { Metric } from "./metric.types.js";
import type { PodAutoscaler } from "./podAutoscaler.types.js";

/** Which autoscaler, and what it looks at: said on the object, so that nobody has to guess it again. */
export function defaultPodAutoscaler(
  scaler: PodAutoscaler,
  { subresource, config }: AdmissionContext<PodAutoscaler>,
): PodAutoscaler {
  if (subresource !== "") return scaler;
  const { metadata } = scaler;
  const given = metadata.annotations ?? {};
  const scalerClass = given[autoscaling.class] ?? config().autoscaler.podAutoscalerClass;
  const metric = given[autoscaling.metric] ?? usualMetric(scalerClass);
  const annotations = {
    ...given,
    [autoscaling.class]: scalerClass,
    ...(metric === undefined ? {} : { [autoscaling.metric]: metric }),
  };
  return { ...scaler, metadata: { ...metadata, annotations } };
}

function usualMetric(scalerClass: string): string | undefined {
  if (scalerClass === "kpa.autoscaling.knative.dev") return "concurrency";
  return scalerClass === "hpa.autoscaling.knative.dev" ? "cpu" : undefined;
}

export function judgePodAutoscaler(
  scaler: PodAutoscaler,
  context: AdmissionContext<PodAutoscaler>,
): WebhookAnswer | undefined {
  if (!isJudged(scaler, context)) return undefined;
  const { scaleTargetRef: target = {}, containerConcurrency } = scaler.spec as Partial<PodAutoscaler["spec"]>;
  return webhookAnswer([
    ...judgeMetadata(scaler, context),
    ...under(
      "spec",
      setFields(scaler.spec).length === 0
        ? missing("")
        : [
            ...under("scaleTargetRef", validateReference(target)),
            ...under(
              "containerConcurrency",
              validateConcurrency(containerConcurrency, context.config().defaults),
            ),
          ],
    ),
  ]);
}

export function judgeMetric(metric: Metric, context: AdmissionContext<Metric>): WebhookAnswer | undefined {
  if (!isJudged(metric, context)) return undefined;
  const empty = setFields(metric.spec).length === 0;
  return webhookAnswer([...judgeMetadata(metric, context), ...(empty ? missing("spec") : [])]);
}

function judgeMetadata<T extends Resource>({ metadata }: T, { config }: AdmissionContext<T>): KnativeErrors {
  return under("metadata", [
    ...validateNames(metadata),
    ...under("annotations", validateScaling(metadata.annotations, config().autoscaler)),
  ]);
}

export interface Reference {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
}

const identifier = "[A-Za-z_][A-Za-z0-9_]*";
const identifierRule = `a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '${identifier}')`;

/** To an object in the same namespace. */
export function validateReference({ apiVersion, kind, name }: Reference): KnativeErrors {
  const kindProblems = new RegExp(`^${identifier}$`).test(kind ?? "") ? [] : [identifierRule];
  return [
    ...member("apiVersion", apiVersion, labelKeyProblems(apiVersion ?? "")),
    ...member("kind", kind, kindProblems),
    ...member("name", name, labelProblems(name ?? "")),
  ];
}

function member(path: string, value: string | undefined, problems: readonly string[]): KnativeErrors {
  if (!value) return missing(path);
  return problems.length === 0 ? [] : invalidValue(problems.join(", "), path);
}
