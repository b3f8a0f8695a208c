// What of a pod a revision may ask for, as the flags of config-features allow (knative-serving.md, section 1.7.3).
import type { FeaturesConfig } from "../config/index.js";
import type { Container } from "../core/container.types.js";
import type { PodSpec } from "../core/pod.types.js";
import { nameProblems } from "../names/index.js";
import { type Surroundings, validateInit, validateServing, validateSidecar } from "./container.validation.js";
import { disallowedFields, fault, invalidValue, type KnativeErrors, missing, under } from "./knativeError.js";
import { validatePodSecurity, warnOfInsecureDefaults } from "./security.validation.js";
import { validateVolumes } from "./volume.validation.js";

/** Always there for the asking. */
export const openPodFields = [
  "containers",
  "volumes",
  "serviceAccountName",
  "imagePullSecrets",
  "enableServiceLinks",
  "automountServiceAccountToken",
] as const;

/** Each behind a flag of its own; `disabled` refuses the field. */
export const gatedPodFields = {
  affinity: "podSpecAffinity",
  dnsConfig: "podSpecDnsConfig",
  dnsPolicy: "podSpecDnsPolicy",
  hostAliases: "podSpecHostAliases",
  hostIPC: "podSpecHostIpc",
  hostNetwork: "podSpecHostNetwork",
  hostPID: "podSpecHostPid",
  initContainers: "podSpecInitContainers",
  nodeSelector: "podSpecNodeSelector",
  priorityClassName: "podSpecPriorityClassName",
  runtimeClassName: "podSpecRuntimeClassName",
  schedulerName: "podSpecSchedulerName",
  securityContext: "podSpecSecurityContext",
  shareProcessNamespace: "podSpecShareProcessNamespace",
  tolerations: "podSpecTolerations",
  topologySpreadConstraints: "podSpecTopologySpreadConstraints",
} as const satisfies { readonly [field: string]: keyof FeaturesConfig };

const pointers: ReadonlySet<string> = new Set([
  "automountServiceAccountToken",
  "enableServiceLinks",
  "runtimeClassName",
  "shareProcessNamespace",
]);

export function validatePodSpec(spec: PodSpec, features: FeaturesConfig): KnativeErrors {
  const around: Surroundings = { features, volumes: spec.volumes ?? [] };
  const account = spec.serviceAccountName ?? "";
  return [
    ...disallowedFields(spec, allowedFields(spec, features), pointers),
    ...under("securityContext", validatePodSecurity(spec.securityContext, features)),
    ...warnOfInsecureDefaults(spec, features),
    ...under("volumes", validateVolumes(spec, features)),
    ...validateInitContainers(spec, around),
    ...validatePorts(spec.containers),
    ...validateContainers(spec.containers, around),
    ...(account === ""
      ? []
      : nameProblems("subdomain", account).flatMap((problem) =>
          invalidValue(account, "serviceAccountName", problem),
        )),
  ];
}

function allowedFields(spec: PodSpec, features: FeaturesConfig): ReadonlySet<string> {
  const allowed = new Set<string>(openPodFields);
  for (const [field, flag] of Object.entries(gatedPodFields)) {
    if (features[flag] !== "disabled") allowed.add(field);
  }
  if (features.securePodDefaults !== "disabled") allowed.add("securityContext");
  if (spec.automountServiceAccountToken !== false) allowed.delete("automountServiceAccountToken");
  return allowed;
}

// Upstream speaks of init containers under `containers` too.
function validateInitContainers(
  { containers, initContainers = [] }: PodSpec,
  around: Surroundings,
): KnativeErrors {
  if (initContainers.length === 0) return [];
  if (around.features.podSpecInitContainers !== "enabled") {
    return fault(
      `pod spec support for init-containers is off, but found ${initContainers.length} init containers`,
    );
  }
  const taken = new Set(containers.map((container) => container.name));
  return initContainers.flatMap((container, index) =>
    under(["containers", index], [...validateUnique(container, taken), ...validateInit(container, around)]),
  );
}

function validateUnique({ name }: Container, taken: Set<string>): KnativeErrors {
  if (taken.has(name)) return fault(`duplicate container name ${JSON.stringify(name)}`, ["name"]);
  taken.add(name);
  return [];
}

function validatePorts(containers: readonly Container[]): KnativeErrors {
  const count = containers.reduce((sum, container) => sum + (container.ports?.length ?? 0), 0);
  if (count === 0 && containers.length > 1) return missing("containers[*].ports");
  if (count <= 1) return [];
  return fault(
    "more than one container port is set",
    ["containers[*].ports"],
    "Only a single port is allowed across all containers",
  );
}

function validateContainers(containers: readonly Container[], around: Surroundings): KnativeErrors {
  // An unnamed port is spoken of as http.
  const portName = containers.flatMap(({ ports }) => ports?.slice(0, 1) ?? []).at(-1)?.name || "http";
  const [first] = containers;
  if (first === undefined) return missing("containers");
  if (containers.length === 1) return under(["containers", 0], validateServing(first, portName, around));
  if (around.features.multiContainer !== "enabled")
    return fault(`multi-container is off, but found ${containers.length} containers`);
  const taken = new Set<string>();
  return containers.flatMap((container, index) =>
    under(
      ["containers", index],
      [
        ...validateUnique(container, taken),
        ...(container.ports?.length
          ? validateServing(container, portName, around)
          : validateSidecar(container, around)),
      ],
    ),
  );
}
