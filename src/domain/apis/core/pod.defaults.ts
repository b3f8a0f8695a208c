// What a pod means when it does not say (kubernetes-api.md, section 17).
import type { AdmissionContext } from "../kind.js";
import { canonicalQuantities, compareQuantities } from "../quantity/index.js";
import type { Container, EphemeralContainer, ResourceRequirements } from "./container.types.js";
import { type Pod, PodSchema, type PodSpec, type PodTemplateSpec } from "./pod.types.js";
import type { Toleration } from "./scheduling.types.js";
import type { Volume } from "./volume.types.js";

export function defaultPod(given: Pod, context: AdmissionContext<Pod>): Pod {
  const { value: pod } = canonicalQuantities(PodSchema, given);
  // A status write cannot touch the spec, so there is nothing to fill in.
  if (pod.spec === undefined || context.subresource === "status") return pod;
  const spec = admitted(defaultPodSpec(pod.spec));
  if (context.operation === "update") return { ...pod, spec };
  return {
    ...pod,
    spec,
    status: { qosClass: qosClass(spec), ...pod.status, phase: pod.status?.phase ?? "Pending" },
  };
}

/** What templates get as well: nothing that depends on the pod being real. */
export function defaultPodSpec(spec: PodSpec): PodSpec {
  const account = spec.serviceAccountName ?? spec.serviceAccount;
  return {
    ...spec,
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(defaultVolume) }),
    ...(spec.initContainers === undefined
      ? {}
      : { initContainers: spec.initContainers.map(defaultContainer) }),
    containers: spec.containers.map(defaultContainer),
    ...(spec.ephemeralContainers === undefined
      ? {}
      : { ephemeralContainers: spec.ephemeralContainers.map(defaultEphemeral) }),
    // The older name of the same field; clients of both kinds are about.
    ...(account === undefined ? {} : { serviceAccountName: account, serviceAccount: account }),
  };
}

export function defaultTemplate(template: PodTemplateSpec): PodTemplateSpec {
  return template.spec === undefined ? template : { ...template, spec: defaultPodSpec(template.spec) };
}

function defaultContainer(container: Container): Container {
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy ?? pullPolicy(container.image),
    resources: container.resources ?? {},
  };
}

function defaultEphemeral(container: EphemeralContainer): EphemeralContainer {
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy ?? pullPolicy(container.image ?? ""),
    resources: container.resources ?? {},
    terminationMessagePath: container.terminationMessagePath ?? "/dev/termination-log",
    terminationMessagePolicy: container.terminationMessagePolicy ?? "File",
  };
}

/** What has no fixed tag may have changed since it was last pulled. */
function pullPolicy(image: string): string {
  const name = image.slice(image.lastIndexOf("/") + 1);
  if (name.includes("@")) return "IfNotPresent";
  const tag = name.split(":")[1] ?? "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}

function defaultVolume(volume: Volume): Volume {
  return Object.keys(volume).length === 1 && volume.name !== undefined ? { ...volume, emptyDir: {} } : volume;
}

/** What upstream's admission adds when a pod is made. */
function admitted(spec: PodSpec): PodSpec {
  const account = spec.serviceAccountName ?? "default";
  return {
    ...spec,
    containers: spec.containers.map(withRequests),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withRequests) }),
    serviceAccountName: account,
    serviceAccount: account,
    priority: spec.priority ?? 0,
    preemptionPolicy: spec.preemptionPolicy ?? "PreemptLowerPriority",
    tolerations: withNodeTolerations(spec.tolerations ?? []),
  };
}

/** Who names a limit and no request means to have all of it. */
function withRequests(container: Container): Container {
  const { limits, requests } = container.resources ?? {};
  if (limits === undefined || Object.keys(limits).every((name) => requests?.[name] !== undefined))
    return container;
  return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } };
}

const nodeTroubles = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

function withNodeTolerations(tolerations: readonly Toleration[]): readonly Toleration[] {
  const tolerated = (key: string) =>
    tolerations.some(
      (one) =>
        (one.key === key || (one.key === undefined && one.operator === "Exists")) &&
        (one.effect === undefined || one.effect === "NoExecute"),
    );
  const added = nodeTroubles
    .filter((key) => !tolerated(key))
    .map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }));
  return added.length === 0 ? tolerations : [...tolerations, ...added];
}

const counted = ["cpu", "memory"] as const;

/** How a pod is treated when its node runs short. */
export function qosClass(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const asked = [...(spec.initContainers ?? []), ...spec.containers].map((one) => one.resources ?? {});
  const amounts = asked.flatMap(({ limits, requests }) =>
    counted.flatMap((name) => [limits?.[name], requests?.[name]]),
  );
  if (amounts.every((amount) => amount === undefined || compareQuantities(amount, 0) === 0))
    return "BestEffort";
  return asked.every(isGuaranteed) ? "Guaranteed" : "Burstable";
}

function isGuaranteed({ limits, requests }: ResourceRequirements): boolean {
  return counted.every((name) => {
    const limit = limits?.[name];
    return limit !== undefined && compareQuantities(limit, requests?.[name] ?? limit) === 0;
  });
}
