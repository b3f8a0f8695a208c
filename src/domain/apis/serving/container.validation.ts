// What a container of a revision may be (knative-serving.md, section 1.7.4).
import type { FeaturesConfig } from "../config/index.js";
import type { Container, ContainerPort, EnvFromSource, EnvVar } from "../core/container.types.js";
import type { Volume } from "../core/volume.types.js";
import { isImageReference } from "./imageReference.js";
import {
  disallowed,
  disallowedFields,
  fault,
  invalidValue,
  type KnativeErrors,
  missing,
  missingOneOf,
  multipleOneOf,
  outOfBounds,
  under,
} from "./knativeError.js";
import { refuseProbe, validateProbe, validateReadinessProbe } from "./probe.validation.js";
import { validateContainerSecurity } from "./security.validation.js";
import { validateMounts } from "./volume.validation.js";

export interface Surroundings {
  readonly features: FeaturesConfig;
  readonly volumes: readonly Volume[];
}

/** Upstream's CRD knows these of a container; the webhook admits no others. */
export const containerFields = [
  "args",
  "command",
  "env",
  "envFrom",
  "image",
  "imagePullPolicy",
  "livenessProbe",
  "name",
  "ports",
  "readinessProbe",
  "resources",
  "securityContext",
  "startupProbe",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "volumeMounts",
  "workingDir",
] as const;
const allowedFields: ReadonlySet<string> = new Set(containerFields);

/** The one that requests go to. `portName` is what its probes may call its port. */
export function validateServing(container: Container, portName: string, around: Surroundings): KnativeErrors {
  return [
    ...under("livenessProbe", validateProbe(container.livenessProbe, portName)),
    ...under("startupProbe", validateProbe(container.startupProbe, portName)),
    ...under("readinessProbe", validateReadinessProbe(container.readinessProbe, portName)),
    ...validateContainer(container, around, "serving"),
  ];
}

export function validateSidecar(container: Container, around: Surroundings): KnativeErrors {
  const { livenessProbe, startupProbe, readinessProbe } = container;
  const probing = around.features.multiContainerProbing === "enabled";
  return [
    ...under("livenessProbe", probing ? validateProbe(livenessProbe, undefined) : refuseProbe(livenessProbe)),
    ...under("startupProbe", probing ? validateProbe(startupProbe, undefined) : refuseProbe(startupProbe)),
    ...under(
      "readinessProbe",
      probing ? validateReadinessProbe(readinessProbe, undefined) : refuseProbe(readinessProbe),
    ),
    ...validateContainer(container, around, "sidecar"),
  ];
}

const notInInit = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] as const;

export function validateInit(container: Container, around: Surroundings): KnativeErrors {
  return [
    ...notInInit
      .filter((name) => container[name] !== undefined)
      .flatMap((name) => fault("field not allowed in an init container", [name])),
    ...validateContainer(container, around, "init"),
  ];
}

type Part = "serving" | "sidecar" | "init";

const terminationPolicies = ["", "File", "FallbackToLogsOnError"];

function validateContainer(
  container: Container,
  { features, volumes }: Surroundings,
  part: Part,
): KnativeErrors {
  if (Object.values(container).every((value) => value === undefined)) return missing("");
  const { name, env = [], envFrom = [], ports = [], resources = {}, securityContext } = container;
  const policy = container.terminationMessagePolicy ?? "";
  // Of a serving container's ports the first is the one; that there is only one is said elsewhere.
  const judged = part === "init" ? ports : ports.slice(0, 1);
  return [
    ...disallowedFields(container, allowedFields),
    ...(name === "queue-proxy"
      ? fault(`${JSON.stringify(name)} is a reserved container name`, ["name"])
      : []),
    ...env.flatMap((one, index) => under(["env", index], validateEnv(one, features, part))),
    ...under("envFrom", validateEnvFrom(envFrom)),
    ...validateImage(container.image),
    ...under(
      "ports",
      judged.flatMap((port) => validatePort(port, part)),
    ),
    ...under("resources", disallowedFields(resources, resourceFields)),
    ...under("securityContext", validateContainerSecurity(securityContext, features)),
    ...(terminationPolicies.includes(policy) ? [] : invalidValue(policy, "terminationMessagePolicy")),
    ...under("volumeMounts", validateMounts(container.volumeMounts, volumes, features)),
  ];
}

const resourceFields: ReadonlySet<string> = new Set(["limits", "requests"]);
const reservedNames: ReadonlySet<string> = new Set(["K_SERVICE", "K_CONFIGURATION", "K_REVISION"]);
const openEnvSources: ReadonlySet<string> = new Set(["configMapKeyRef", "secretKeyRef"]);
const envSources: ReadonlySet<string> = new Set([...openEnvSources, "fieldRef", "resourceFieldRef"]);

function validateEnv({ name, valueFrom = {} }: EnvVar, features: FeaturesConfig, part: Part): KnativeErrors {
  // Only one container listens where PORT says.
  const reserved = reservedNames.has(name) || (name === "PORT" && part === "serving");
  const allowed = features.podSpecFieldRef === "disabled" ? openEnvSources : envSources;
  return [
    ...(name ? [] : missing("name")),
    ...(reserved ? fault(`${JSON.stringify(name)} is a reserved environment variable`, ["name"]) : []),
    ...under("valueFrom", disallowedFields(valueFrom, allowed)),
  ];
}

function validateEnvFrom(sources: readonly EnvFromSource[]): KnativeErrors {
  return sources.flatMap(({ configMapRef, secretRef }) => {
    if (configMapRef !== undefined && secretRef !== undefined)
      return multipleOneOf("configMapRef", "secretRef");
    return configMapRef === undefined && secretRef === undefined
      ? missingOneOf("configMapRef", "secretRef")
      : [];
  });
}

function validateImage(image: string | undefined): KnativeErrors {
  if (!image) return missing("image");
  if (isImageReference(image)) return [];
  return fault(
    "Failed to parse image reference",
    ["image"],
    `image: ${JSON.stringify(image)}, error: could not parse reference: ${image}`,
  );
}

/** The queue-proxy listens on these. */
const reservedPorts: ReadonlySet<number> = new Set([8008, 8012, 8013, 8022, 9090, 9091]);

function validatePort(port: ContainerPort, part: Part): KnativeErrors {
  const { containerPort = 0, protocol = "", name = "", hostIP, hostPort } = port;
  const odd = part !== "init" && !["", "h2c", "http1"].includes(name);
  return [
    ...(hostIP ? disallowed("hostIP") : []),
    ...(hostPort ? disallowed("hostPort") : []),
    ...(reservedPorts.has(containerPort)
      ? invalidValue(
          `${containerPort} is a reserved port`,
          "containerPort",
          `${containerPort} is a reserved port, please use a different value`,
        )
      : []),
    ...(containerPort < 0 || containerPort > 65535
      ? outOfBounds(containerPort, 0, 65535, "containerPort")
      : []),
    ...(part !== "init" && protocol !== "" && protocol !== "TCP" ? invalidValue(protocol, "protocol") : []),
    ...(odd
      ? fault(`Port name ${name} is not allowed`, [""], "Name must be empty, or one of: 'h2c', 'http1'")
      : []),
  ];
}
