// What a revision's template, or a revision, must be (knative-serving.md, section 1.7.2).
import { floatText, parseFloat64 } from "../config/goText.js";
import type { DefaultsConfig, ServingConfig } from "../config/index.js";
import type { ObjectMeta } from "../meta/meta.types.js";
import { nameProblems } from "../names/index.js";
import { namePrefixProblems } from "../names/names.js";
import { parseQuantity } from "../quantity/index.js";
import { withoutInjected } from "./injected.js";
import { serving } from "./keys.js";
import {
  asWarnings,
  disallowed,
  fault,
  invalidValue,
  type KnativeErrors,
  keyPart,
  outOfBounds,
  under,
} from "./knativeError.js";
import { type Annotations, annotation, validateNetworking, validateSeconds } from "./metadata.validation.js";
import { validatePodSpec } from "./podSpec.validation.js";
import { validateScaling } from "./scaling.validation.js";
import { shortDiff } from "./shortDiff.js";
import type { RevisionSpec, RevisionTemplate } from "./template.types.js";

/** A template that says nothing says that it has no containers. Paths are relative to the template. */
export function validateTemplate(
  template: RevisionTemplate | undefined,
  parent: ObjectMeta,
  config: ServingConfig,
): KnativeErrors {
  const { metadata = {}, spec = { containers: [] } } = template ?? {};
  return [
    ...under("spec", validateRevisionSpec(spec, metadata.annotations, config)),
    ...under("metadata", validateRevisionName(metadata, parent)),
    ...under("metadata", validateTemplateAnnotations(metadata.annotations, config)),
  ];
}

/** The annotations are those of the template or of the revision: they tell which part of the pod is not the user's. */
export function validateRevisionSpec(
  spec: RevisionSpec,
  annotations: Annotations | undefined,
  { defaults, features }: ServingConfig,
): KnativeErrors {
  const {
    timeoutSeconds = 0,
    containerConcurrency,
    responseStartTimeoutSeconds: _start,
    idleTimeoutSeconds: _idle,
    buildName: _build,
    ...pod
  } = spec;
  const longest = defaults.maxRevisionTimeoutSeconds;
  return [
    ...validatePodSpec(withoutInjected(pod, annotations), features),
    ...(timeoutSeconds < 0 || timeoutSeconds > longest
      ? outOfBounds(timeoutSeconds, 0, longest, "timeoutSeconds")
      : []),
    ...under("containerConcurrency", validateConcurrency(containerConcurrency, defaults)),
  ];
}

export function validateConcurrency(
  concurrency: number | undefined,
  { allowContainerConcurrencyZero, containerConcurrencyMaxLimit: most }: DefaultsConfig,
): KnativeErrors {
  const least = allowContainerConcurrencyZero ? 0 : 1;
  return concurrency !== undefined && (concurrency < least || concurrency > most)
    ? outOfBounds(concurrency, least, most, "")
    : [];
}

type TemplateMetadata = NonNullable<RevisionTemplate["metadata"]> & { readonly generateName?: unknown };

function validateRevisionName(metadata: TemplateMetadata, parent: ObjectMeta): KnativeErrors {
  const { name, generateName } = metadata;
  if (typeof generateName === "string" && generateName !== "") {
    const problems = namePrefixProblems("dns1035", generateName);
    if (problems.length > 0)
      return invalidValue(`not a DNS 1035 label prefix: [${problems.join(" ")}]`, "generateName");
  }
  if (!name) return [];
  const problems = nameProblems("dns1035", name);
  if (problems.length > 0) return invalidValue(`not a DNS 1035 label: [${problems.join(" ")}]`, "name");
  if (isGenerated(parent)) return disallowed("name");
  const prefix = `${parent.name}-`;
  return name.startsWith(prefix)
    ? []
    : invalidValue(`${JSON.stringify(name)} must have prefix ${JSON.stringify(prefix)}`, "name");
}

/** The server has just made its name up (a prefix and five letters), so nobody can have known it. */
function isGenerated({ name, generateName, resourceVersion }: ObjectMeta): boolean {
  if (!generateName || resourceVersion !== undefined) return false;
  return name.length === generateName.length + 5 && name.startsWith(generateName);
}

/** Paths are relative to `metadata`. */
export function validateTemplateAnnotations(
  annotations: Annotations = {},
  config: ServingConfig,
): KnativeErrors {
  return [
    ...validateNetworking(annotations),
    ...under("annotations", [
      ...validateScaling(annotations, config.autoscaler),
      ...validateSidecar(annotations),
      ...validateSeconds(annotations, [serving.progressDeadline], "progress-deadline"),
    ]),
  ];
}

const sidecar = "queue.sidecar.serving.knative.dev";
const percentageKeys = [`${sidecar}/resource-percentage`, `${sidecar}/resourcePercentage`];
const resourceKeys = ["cpu", "memory", "ephemeral-storage"].flatMap((name) =>
  ["request", "limit"].map((which) => `${sidecar}/${name}-resource-${which}`),
);

function validateSidecar(annotations: Annotations): KnativeErrors {
  const share = annotation(annotations, percentageKeys);
  return [
    ...(share === undefined ? [] : validateShare(share.key, share.value)),
    ...resourceKeys.flatMap((key) => {
      const value = annotations[key];
      return value === undefined || parseQuantity(value) !== undefined
        ? []
        : under(keyPart(key), invalidValue(value, ""));
    }),
  ];
}

function validateShare(key: string, text: string): KnativeErrors {
  const deprecated = fault(`${key} is deprecated: set the resources by name instead`, [""]);
  const parsed = parseFloat64(text);
  const wrong =
    "because" in parsed
      ? invalidValue(text, "")
      : parsed.value < 0.1 || parsed.value > 100
        ? outOfBounds(floatText(parsed.value), 0.1, 100, "")
        : [];
  return under(keyPart(key), [...asWarnings(deprecated), ...wrong]);
}

/** A template with a name of its own is one revision: whoever changes it must name it anew. */
export function validateNameChange(
  now: RevisionTemplate | undefined,
  old: RevisionTemplate | undefined,
): KnativeErrors {
  const name = now?.metadata?.name;
  if (!name || name !== old?.metadata?.name) return [];
  const diff = shortDiff("{*v1.RevisionTemplateSpec}", old, now);
  return diff === ""
    ? []
    : fault("Saw the following changes without a name change (-old +new)", ["metadata.name"], diff);
}
