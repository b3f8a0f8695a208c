// What must hold of the metadata of Knative's objects (knative-serving.md, section 1.7.1).
import { parseDuration } from "../config/goText.js";
import type { AdmissionContext, Resource } from "../kind.js";
import type { ObjectMeta } from "../meta/meta.types.js";
import { nameProblems } from "../names/index.js";
import { namePrefixProblems } from "../names/names.js";
import { equalJson } from "../schema/index.js";
import { serving } from "./keys.js";
import { fault, invalidKey, invalidValue, type KnativeErrors, missing, under } from "./knativeError.js";

export type Annotations = { readonly [key: string]: string };

/** Status has no rules here, and whatever is on its way out must be able to go, whatever the rules have become. */
export function isJudged(
  { metadata }: Pick<Resource, "metadata">,
  { subresource }: Pick<AdmissionContext<never>, "subresource">,
): boolean {
  return subresource === "" && metadata.deletionTimestamp === undefined;
}

/** The name's own rules; paths are relative to `metadata`. */
export function validateNames({ name, generateName }: ObjectMeta): KnativeErrors {
  if (generateName) {
    const problems = namePrefixProblems("dns1035", generateName);
    if (problems.length > 0)
      return fault(`not a DNS 1035 label prefix: [${problems.join(" ")}]`, ["generateName"]);
  }
  if (name) {
    const problems = nameProblems("dns1035", name);
    return problems.length === 0 ? [] : fault(`not a DNS 1035 label: [${problems.join(" ")}]`, ["name"]);
  }
  return generateName ? [] : fault("name or generateName is required", ["name"]);
}

export function validateNoScaling(annotations: Annotations = {}): KnativeErrors {
  return Object.keys(annotations)
    .filter((key) => key.startsWith("autoscaling.knative.dev"))
    .flatMap((key) =>
      invalidKey(
        key,
        "annotations",
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work',
      ),
    );
}

/** The first spelling that is there, with its value. */
export function annotation(
  annotations: Annotations,
  keys: readonly string[],
): { readonly key: string; readonly value: string } | undefined {
  const key = keys.find((one) => Object.hasOwn(annotations, one));
  return key === undefined ? undefined : { key, value: annotations[key] ?? "" };
}

/** A span of whole seconds; `what` is how its complaints begin. */
export function validateSeconds(
  annotations: Annotations,
  keys: readonly string[],
  what: string,
): KnativeErrors {
  const found = annotation(annotations, keys);
  if (found === undefined || found.value === "") return [];
  const { key, value } = found;
  const parsed = parseDuration(value);
  if ("because" in parsed) return invalidValue(value, key);
  if (parsed.value % 1_000_000_000n !== 0n)
    return fault(`${what}=${value} is not at second precision`, [key]);
  return parsed.value < 0n ? fault(`${what}=${value} must be positive`, [key]) : [];
}

export function validateRolloutDuration(annotations: Annotations = {}): KnativeErrors {
  const keys = [serving.rolloutDuration, "serving.knative.dev/rolloutDuration"];
  return under("annotations", validateSeconds(annotations, keys, "rollout-duration"));
}

/** A label that names an owner must be borne out by an owner reference. */
export function validateOwnerLabel(
  { labels, ownerReferences = [] }: ObjectMeta,
  label: string,
  ownerKind: string,
): KnativeErrors {
  const named = labels?.[label];
  const owned = ownerReferences.some((owner) => owner.kind === ownerKind && owner.name === named);
  return named === undefined || owned ? [] : missing(`labels.${label}`);
}

/** Who made it never changes, and who changed it last only with what it wishes for. */
export function validateSignature<T extends Resource & { readonly spec?: unknown }>(
  object: T,
  { operation, old }: AdmissionContext<T>,
): KnativeErrors {
  if (operation !== "update" || old === undefined) return [];
  const now = object.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  const creator =
    now[serving.creator] === before[serving.creator]
      ? []
      : fault("annotation value is immutable", [`annotations.${serving.creator}`]);
  const modifier = now[serving.lastModifier];
  const unsigned = modifier !== before[serving.lastModifier] && equalJson(old.spec, object.spec);
  return [
    ...creator,
    ...(unsigned ? invalidValue(modifier ?? "", `annotations.${serving.lastModifier}`) : []),
  ];
}

const networkingAnnotations: ReadonlySet<string> = new Set(
  [
    "ingress.class",
    "ingress-class",
    "certificate.class",
    "certificate-class",
    "disableAutoTLS",
    "disable-auto-tls",
    "disable-external-domain-tls",
    "httpOption",
    "http-protocol",
  ].map((name) => `networking.knative.dev/${name}`),
);

/** Of the annotations of networking.knative.dev only those that mean something. */
export function validateNetworking(annotations: Annotations = {}): KnativeErrors {
  return Object.keys(annotations)
    .filter((key) => key.startsWith("networking.knative.dev") && !networkingAnnotations.has(key))
    .flatMap((key) => invalidKey(key, "annotations"));
}
