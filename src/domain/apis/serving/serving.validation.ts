// What Knative's webhook says of its four kinds (knative-serving.md, section 1.7).
import type { AdmissionContext, WebhookAnswer } from "../kind.js";
import type { Configuration } from "./configuration.types.js";
import { serving } from "./keys.js";
import { fault, knativeWebhook, under, webhookAnswer } from "./knativeError.js";
import {
  isJudged,
  validateNames,
  validateNoScaling,
  validateOwnerLabel,
  validateRolloutDuration,
  validateSignature,
} from "./metadata.validation.js";
import type { Revision } from "./revision.types.js";
import type { Route } from "./route.types.js";
import type { KnativeService } from "./service.types.js";
import { shortDiff } from "./shortDiff.js";
import {
  validateNameChange,
  validateRevisionSpec,
  validateTemplate,
  validateTemplateAnnotations,
} from "./template.validation.js";
import { validateTraffic } from "./traffic.validation.js";

type Answer = WebhookAnswer | undefined;

export function judgeKnativeService(
  service: KnativeService,
  context: AdmissionContext<KnativeService>,
): Answer {
  if (!isJudged(service, context)) return undefined;
  const { metadata, spec } = service;
  const answer = webhookAnswer([
    ...under("metadata", [
      ...validateNames(metadata),
      ...validateNoScaling(metadata.annotations),
      ...validateRolloutDuration(metadata.annotations),
      ...validateSignature(service, context),
    ]),
    ...under("spec.template", [
      ...validateTemplate(spec.template, metadata, context.config()),
      ...validateNameChange(spec.template, context.old?.spec.template),
    ]),
    ...under("spec.traffic", validateTraffic(spec.traffic, { inService: true })),
  ]);
  return { webhook: knativeWebhook, ...answer, pod: podOf(spec.template) };
}

export function judgeConfiguration(
  configuration: Configuration,
  context: AdmissionContext<Configuration>,
): Answer {
  if (!isJudged(configuration, context)) return undefined;
  const { metadata, spec } = configuration;
  const answer = webhookAnswer([
    ...under("metadata", [
      ...validateNames(metadata),
      ...validateNoScaling(metadata.annotations),
      ...validateOwnerLabel(metadata, serving.service, "Service"),
      ...(metadata.ownerReferences?.length ? [] : validateSignature(configuration, context)),
    ]),
    ...under("spec.template", [
      ...validateTemplate(spec.template, metadata, context.config()),
      ...validateNameChange(spec.template, context.old?.spec.template),
    ]),
  ]);
  // That of a Service was tried with the Service.
  return metadata.labels?.[serving.service] === undefined
    ? { webhook: knativeWebhook, ...answer, pod: podOf(spec.template) }
    : answer;
}

/** What a dry run tries beyond these rules: the template as a pod. */
function podOf(template: KnativeService["spec"]["template"]): NonNullable<Answer>["pod"] {
  if (template === undefined) return undefined;
  const {
    containerConcurrency: _concurrency,
    timeoutSeconds: _timeout,
    responseStartTimeoutSeconds: _start,
    idleTimeoutSeconds: _idle,
    buildName: _build,
    ...spec
  } = template.spec;
  const containers = spec.containers.map(({ readinessProbe: _probe, ...container }) => container);
  const { labels, annotations } = template.metadata ?? {};
  return { metadata: { labels, annotations }, spec: { ...spec, containers } };
}

export function judgeRoute(route: Route, context: AdmissionContext<Route>): Answer {
  if (!isJudged(route, context)) return undefined;
  const { metadata, spec } = route;
  return webhookAnswer([
    ...under("metadata", [
      ...validateNames(metadata),
      ...validateNoScaling(metadata.annotations),
      ...validateRolloutDuration(metadata.annotations),
      ...validateOwnerLabel(metadata, serving.service, "Service"),
      ...(metadata.ownerReferences?.length ? [] : validateSignature(route, context)),
    ]),
    ...under("spec.traffic", validateTraffic(spec.traffic, { inService: false })),
  ]);
}

/** Its spec never changes; its labels and annotations may, and some of them have effect. */
export function judgeRevision(revision: Revision, context: AdmissionContext<Revision>): Answer {
  if (!isJudged(revision, context)) return undefined;
  const { metadata, spec } = revision;
  const config = context.config();
  const diff =
    context.old === undefined ? "" : shortDiff("{v1.RevisionSpec}", context.old.spec, revision.spec);
  if (diff !== "") return webhookAnswer(fault("Immutable fields changed (-old +new)", ["spec"], diff));
  return webhookAnswer([
    ...under("metadata", [
      ...validateNames(metadata),
      ...validateTemplateAnnotations(metadata.annotations, config),
      ...validateOwnerLabel(metadata, serving.configuration, "Configuration"),
    ]),
    // What was admitted once is not judged again by rules that may have changed since.
    ...(context.operation === "update"
      ? []
      : under("spec", validateRevisionSpec(spec, metadata.annotations, config))),
  ]);
}
