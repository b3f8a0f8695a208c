// What a pod and its containers may say about their rights (knative-serving.md, sections 1.7.3 and 1.7.4).
import type { FeaturesConfig } from "../config/index.js";
import type { Container, SecurityContext } from "../core/container.types.js";
import type { PodSecurityContext, PodSpec } from "../core/pod.types.js";
import {
  asWarnings,
  disallowed,
  disallowedFields,
  fault,
  invalidValue,
  type KnativeErrors,
  outOfBounds,
  under,
} from "./knativeError.js";

const maxId = 2147483647;

function validateIds(
  context: SecurityContext | PodSecurityContext,
  names: readonly ("runAsUser" | "runAsGroup" | "fsGroup")[],
): KnativeErrors {
  const ids = context as Pick<PodSecurityContext, "runAsUser" | "runAsGroup" | "fsGroup">;
  return names.flatMap((name) => validateId(ids[name], name));
}

function validateId(id: number | undefined, path: string): KnativeErrors {
  return id === undefined || (id >= 0 && id <= maxId) ? [] : outOfBounds(id, 0, maxId, path);
}

const podFields = [
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "fsGroup",
  "supplementalGroups",
  "seccompProfile",
];
const podPointers = new Set(["runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup"]);

export function validatePodSecurity(
  context: PodSecurityContext | undefined,
  features: FeaturesConfig,
): KnativeErrors {
  if (context === undefined) return [];
  const profile = context.seccompProfile?.type ?? "";
  // Whoever has secure defaults must be able to opt out of them.
  const optsOut =
    features.securePodDefaults !== "disabled" && ["RuntimeDefault", "Unconfined"].includes(profile);
  const allowed = new Set([
    ...(features.podSpecSecurityContext === "disabled" ? [] : podFields),
    ...(optsOut ? ["seccompProfile"] : []),
  ]);
  const groups = context.supplementalGroups ?? [];
  return [
    ...disallowedFields(context, allowed, podPointers),
    ...validateIds(context, ["runAsUser", "runAsGroup", "fsGroup"]),
    ...groups.flatMap((id, index) => under(["supplementalGroups", index], validateId(id, ""))),
  ];
}

const containerFields = [
  "allowPrivilegeEscalation",
  "capabilities",
  "readOnlyRootFilesystem",
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
  "seccompProfile",
];
const containerPointers = new Set([
  "allowPrivilegeEscalation",
  "privileged",
  "readOnlyRootFilesystem",
  "runAsUser",
  "runAsGroup",
  "runAsNonRoot",
]);

export function validateContainerSecurity(
  context: SecurityContext | undefined,
  features: FeaturesConfig,
): KnativeErrors {
  if (context === undefined) return [];
  const allowed = new Set([...containerFields, ...(context.privileged === false ? ["privileged"] : [])]);
  return [
    ...disallowedFields(context, allowed, containerPointers),
    ...under("capabilities", validateAddedCapabilities(context.capabilities?.add, features)),
    ...validateIds(context, ["runAsUser", "runAsGroup"]),
  ];
}

function validateAddedCapabilities(
  add: readonly string[] | undefined,
  features: FeaturesConfig,
): KnativeErrors {
  if (add === undefined || features.containerSpecAddCapabilities === "enabled") return [];
  const lowPortsOnly = add.length === 1 && add[0] === "NET_BIND_SERVICE";
  return lowPortsOnly && features.securePodDefaults !== "disabled" ? [] : disallowed("add");
}

/** What Kubernetes would leave open, unless somebody says otherwise. */
export function warnOfInsecureDefaults(spec: PodSpec, features: FeaturesConfig): KnativeErrors {
  if (features.securePodDefaults !== "disabled") return [];
  const about = (name: string, containers: readonly Container[] = []) =>
    containers.flatMap((container, index) =>
      under([name, index, "securityContext"], insecure(spec.securityContext, container.securityContext)),
    );
  return asWarnings([
    ...about("containers", spec.containers),
    ...about("initContainers", spec.initContainers),
  ]);
}

function insecure(pod: PodSecurityContext = {}, container: SecurityContext = {}): KnativeErrors {
  const open: string[] = [];
  if (pod.runAsNonRoot === undefined && container.runAsNonRoot === undefined) open.push("runAsNonRoot");
  if (container.allowPrivilegeEscalation === undefined) open.push("allowPrivilegeEscalation");
  if (pod.seccompProfile === undefined && container.seccompProfile === undefined) open.push("seccompProfile");
  else if (!pod.seccompProfile?.type && !container.seccompProfile?.type) open.push("seccompProfile.type");
  if (container.capabilities === undefined) open.push("capabilities");
  else if (container.capabilities.drop === undefined) open.push("capabilities.drop");
  return [
    ...(open.length === 0
      ? []
      : fault(
          "Kubernetes default value is insecure, Knative may default this to secure in a future release",
          open,
        )),
    ...(container.capabilities?.drop?.[0] === "all"
      ? invalidValue("all", "capabilities.drop", "Must be spelled as 'ALL'")
      : []),
  ];
}
