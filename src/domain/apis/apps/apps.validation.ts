// What must hold of Deployments and ReplicaSets.
import { supported } from "../core/container.validation.js";
import type { PodTemplateSpec } from "../core/pod.types.js";
import { templateErrors } from "../core/pod.validation.js";
import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { LabelSelector } from "../meta/meta.types.js";
import { quantityErrors } from "../quantity/index.js";
import { equalJson } from "../schema/index.js";
import { labelSelectorMatches } from "../selectors/index.js";
import {
  type Deployment,
  DeploymentSchema,
  type DeploymentSpec,
  type ReplicaSet,
  ReplicaSetSchema,
} from "./apps.types.js";

export function validateDeployment(
  deployment: Deployment,
  context: AdmissionContext<Deployment>,
): readonly FieldError[] {
  if (context.subresource === "status") return [];
  const { spec } = deployment;
  if (spec === undefined) {
    return [fieldErrors.required("spec.selector"), fieldErrors.required("spec.template.spec.containers")];
  }
  const deadline = spec.progressDeadlineSeconds;
  return [
    ...quantityErrors(DeploymentSchema, deployment),
    ...nonNegative("spec.replicas", spec.replicas),
    ...selectorErrors(spec.selector, spec.template, "deployment"),
    ...templateErrors(spec.template, "spec.template"),
    ...alwaysRestarts(spec.template),
    ...strategyErrors(spec.strategy),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...(deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)
      ? [
          fieldErrors.invalid(
            "spec.progressDeadlineSeconds",
            deadline,
            "must be greater than minReadySeconds",
          ),
        ]
      : []),
    ...selectorChangeErrors(spec.selector, context.old?.spec?.selector),
  ];
}

export function validateReplicaSet(
  set: ReplicaSet,
  context: AdmissionContext<ReplicaSet>,
): readonly FieldError[] {
  if (context.subresource === "status") return [];
  const { spec } = set;
  if (spec === undefined) return [fieldErrors.required("spec.selector")];
  return [
    ...quantityErrors(ReplicaSetSchema, set),
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...selectorErrors(spec.selector, spec.template, "replica set"),
    ...(spec.template === undefined
      ? [fieldErrors.required("spec.template")]
      : [...templateErrors(spec.template, "spec.template"), ...alwaysRestarts(spec.template)]),
    ...selectorChangeErrors(spec.selector, context.old?.spec?.selector),
  ];
}

function nonNegative(path: string, value: number | undefined): readonly FieldError[] {
  const detail = "must be greater than or equal to 0";
  return value !== undefined && value < 0 ? [fieldErrors.invalid(path, value, detail)] : [];
}

function alwaysRestarts(template: PodTemplateSpec): readonly FieldError[] {
  return supported("spec.template.spec.restartPolicy", template.spec?.restartPolicy, ["Always"]);
}

function selectorErrors(
  selector: LabelSelector,
  template: PodTemplateSpec | undefined,
  owner: string,
): readonly FieldError[] {
  const size = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;
  if (size === 0) {
    return [
      {
        reason: "FieldValueInvalid",
        field: "spec.selector",
        message: `Invalid value: ${goSelector(selector)}: empty selector is invalid for ${owner}`,
      },
    ];
  }
  const labels = template?.metadata?.labels;
  if (template === undefined || labelSelectorMatches(selector, labels)) return [];
  return [
    {
      reason: "FieldValueInvalid",
      field: "spec.template.metadata.labels",
      message: `Invalid value: ${goStrings(labels)}: \`selector\` does not match template \`labels\``,
    },
  ];
}

function selectorChangeErrors(
  selector: LabelSelector,
  old: LabelSelector | undefined,
): readonly FieldError[] {
  if (old === undefined || equalJson(selector, old)) return [];
  const message = `Invalid value: ${goSelector(selector)}: field is immutable`;
  return [{ reason: "FieldValueInvalid", field: "spec.selector", message }];
}

type Strategy = DeploymentSpec["strategy"];

function strategyErrors(strategy: Strategy): readonly FieldError[] {
  const path = "spec.strategy.rollingUpdate";
  const { type, rollingUpdate } = strategy ?? {};
  const known = supported("spec.strategy.type", type, ["Recreate", "RollingUpdate"]);
  if (type === "Recreate" && rollingUpdate !== undefined) {
    return [...known, fieldErrors.forbidden(path, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (type !== "RollingUpdate" || rollingUpdate === undefined) return known;
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const each = [
    ...known,
    ...amountErrors(`${path}.maxUnavailable`, maxUnavailable),
    ...amountErrors(`${path}.maxSurge`, maxSurge),
  ];
  if (!isNone(maxSurge) || !isNone(maxUnavailable)) return each;
  const detail = "may not be 0 when `maxSurge` is 0";
  return [...each, fieldErrors.invalid(`${path}.maxUnavailable`, maxUnavailable, detail)];
}

function isNone(amount: number | string | undefined): boolean {
  return amount === 0 || amount === "0%";
}

function amountErrors(path: string, amount: number | string | undefined): readonly FieldError[] {
  if (typeof amount === "number") return nonNegative(path, amount);
  if (amount === undefined || /^[0-9]+%$/.test(amount)) return [];
  const detail =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [fieldErrors.invalid(path, amount, detail)];
}

// Upstream quotes these as Go prints them, and people paste the text into searches.

function goStrings(labels: { readonly [key: string]: string } | undefined): string {
  if (labels === undefined) return "map[string]string(nil)";
  const members = Object.keys(labels)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(labels[key])}`);
  return `map[string]string{${members.join(", ")}}`;
}

function goSelector({ matchLabels, matchExpressions }: LabelSelector): string {
  const expressions = matchExpressions?.map(({ key, operator, values }) => {
    const texts =
      values === undefined
        ? "[]string(nil)"
        : `[]string{${values.map((one) => JSON.stringify(one)).join(", ")}}`;
    return `v1.LabelSelectorRequirement{Key:${JSON.stringify(key)}, Operator:${JSON.stringify(operator)}, Values:${texts}}`;
  });
  const list =
    expressions === undefined
      ? "[]v1.LabelSelectorRequirement(nil)"
      : `[]v1.LabelSelectorRequirement{${expressions.join(", ")}}`;
  return `v1.LabelSelector{MatchLabels:${goStrings(matchLabels)}, MatchExpressions:${list}}`;
}
