// What must hold of a pod, and of what may become one.
import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { annotationErrors, labelErrors } from "../names/index.js";
import { quantityErrors } from "../quantity/index.js";
import { equalJson } from "../schema/index.js";
import { containerErrors, labelNameErrors, repeated, supported } from "./container.validation.js";
import { type Pod, PodSchema, type PodSpec, type PodTemplateSpec } from "./pod.types.js";
import { podFreezeErrors } from "./podFreeze.js";
import type { Volume } from "./volume.types.js";

export function validatePod(pod: Pod, context: AdmissionContext<Pod>): readonly FieldError[] {
  if (context.subresource === "status") return [];
  if (pod.spec === undefined) return [fieldErrors.required("spec.containers")];
  // What was admitted once and is still the same needs no second look.
  if (context.old !== undefined && equalJson(pod.spec, context.old.spec)) return [];
  return [
    ...quantityErrors(PodSchema, pod),
    ...podSpecErrors(pod.spec, "spec"),
    ...(context.old?.spec === undefined ? [] : podFreezeErrors(pod.spec, context.old.spec)),
  ];
}

/** A template is held to what its pods will be held to. */
export function templateErrors(template: PodTemplateSpec, path: string): readonly FieldError[] {
  const { labels, annotations } = template.metadata ?? {};
  return [
    ...labelErrors(`${path}.metadata.labels`, labels),
    ...annotationErrors(`${path}.metadata.annotations`, annotations),
    ...(template.spec === undefined
      ? [fieldErrors.required(`${path}.spec.containers`)]
      : podSpecErrors(template.spec, `${path}.spec`)),
  ];
}

const restartPolicies = ["Always", "OnFailure", "Never"];
const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

export function podSpecErrors(spec: PodSpec, path: string): readonly FieldError[] {
  const volumes = spec.volumes ?? [];
  const volumeNames = new Set(volumes.map((volume) => volume.name));
  const init = spec.initContainers ?? [];
  const names = [...init, ...spec.containers].map((container) => container.name);
  const place = (index: number) =>
    index < init.length ? `${path}.initContainers[${index}]` : `${path}.containers[${index - init.length}]`;
  return [
    ...volumes.flatMap((volume, index) => volumeErrors(volume, `${path}.volumes[${index}]`)),
    ...repeated(
      volumes.map((volume) => volume.name),
      (index) => `${path}.volumes[${index}].name`,
    ),
    ...(spec.containers.length === 0 ? [fieldErrors.required(`${path}.containers`)] : []),
    ...init.flatMap((one, index) => containerErrors(one, `${path}.initContainers[${index}]`, volumeNames)),
    ...spec.containers.flatMap((one, index) =>
      containerErrors(one, `${path}.containers[${index}]`, volumeNames),
    ),
    ...repeated(names, (index) => `${place(index)}.name`),
    ...supported(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies),
    ...supported(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies),
    ...atLeast(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds, 0),
    ...atLeast(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 1),
    ...labelErrors(`${path}.nodeSelector`, spec.nodeSelector),
  ];
}

function atLeast(path: string, value: number | undefined, least: 0 | 1): readonly FieldError[] {
  if (value === undefined || value >= least) return [];
  const detail =
    least === 0 ? "must be greater than or equal to 0" : "must be between 1 and 2147483647, inclusive";
  return [fieldErrors.invalid(path, value, detail)];
}

function volumeErrors(volume: Volume, path: string): readonly FieldError[] {
  const errors: FieldError[] = [...labelNameErrors(`${path}.name`, volume.name)];
  const { name: _name, ...sources } = volume;
  const given = Object.entries(sources).filter(([, source]) => source !== undefined);
  if (given.length === 0) errors.push(fieldErrors.required(path, "must specify a volume type"));
  for (const [source] of given.slice(1)) {
    errors.push(fieldErrors.forbidden(`${path}.${source}`, "may not specify more than 1 volume type"));
  }
  const required: readonly (readonly [string, string | undefined])[] = [
    ["secret.secretName", volume.secret && (volume.secret.secretName ?? "")],
    ["configMap.name", volume.configMap && (volume.configMap.name ?? "")],
    ["persistentVolumeClaim.claimName", volume.persistentVolumeClaim?.claimName],
    ["hostPath.path", volume.hostPath?.path],
  ];
  for (const [field, value] of required)
    if (value === "") errors.push(fieldErrors.required(`${path}.${field}`));
  return errors;
}
