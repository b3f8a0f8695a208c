// What must hold of a container within its pod.
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { labelProblems } from "../names/index.js";
import { compareQuantities } from "../quantity/index.js";
import type { Container, ContainerPort, EnvVar, Probe, ResourceRequirements } from "./container.types.js";
import type { VolumeMount } from "./volume.types.js";

const pullPolicies = ["Always", "IfNotPresent", "Never"];
const protocols = ["SCTP", "TCP", "UDP"];

export function portErrors(path: string, port: number): readonly FieldError[] {
  const detail = "must be between 1 and 65535, inclusive";
  return port >= 1 && port <= 65535 ? [] : [fieldErrors.invalid(path, port, detail)];
}

export function supported(
  path: string,
  value: string | undefined,
  values: readonly string[],
): readonly FieldError[] {
  return value === undefined || values.includes(value) ? [] : [fieldErrors.notSupported(path, value, values)];
}

/** The name of a container or a volume: there, well formed. */
export function labelNameErrors(path: string, name: string): readonly FieldError[] {
  if (name === "") return [fieldErrors.required(path)];
  return labelProblems(name).map((problem) => fieldErrors.invalid(path, name, problem));
}

/** An error for each value that was there before. */
export function repeated(
  values: readonly (string | undefined)[],
  path: (index: number) => string,
): readonly FieldError[] {
  return values.flatMap((value, index) =>
    value !== undefined && value !== "" && values.indexOf(value) < index
      ? [fieldErrors.duplicate(path(index), value)]
      : [],
  );
}

export function containerErrors(
  container: Container,
  path: string,
  volumes: ReadonlySet<string>,
): readonly FieldError[] {
  const errors: FieldError[] = [...labelNameErrors(`${path}.name`, container.name)];
  if (container.image === "") errors.push(fieldErrors.required(`${path}.image`));
  else if (container.image !== container.image.trim()) {
    errors.push(
      fieldErrors.invalid(`${path}.image`, container.image, "must not have leading or trailing whitespace"),
    );
  }
  const ports = container.ports ?? [];
  return [
    ...errors,
    ...supported(`${path}.imagePullPolicy`, container.imagePullPolicy, pullPolicies),
    ...ports.flatMap((port, index) => containerPortErrors(port, `${path}.ports[${index}]`)),
    ...repeated(
      ports.map((port) => port.name),
      (index) => `${path}.ports[${index}].name`,
    ),
    ...(container.env ?? []).flatMap((variable, index) => envErrors(variable, `${path}.env[${index}]`)),
    ...mountErrors(container.volumeMounts ?? [], `${path}.volumeMounts`, volumes),
    ...probeErrors(container.livenessProbe, `${path}.livenessProbe`, true),
    ...probeErrors(container.readinessProbe, `${path}.readinessProbe`, false),
    ...probeErrors(container.startupProbe, `${path}.startupProbe`, true),
    ...resourceErrors(container.resources ?? {}, `${path}.resources`),
  ];
}

function containerPortErrors(port: ContainerPort, path: string): readonly FieldError[] {
  return [
    ...(port.name === undefined ? [] : portNameErrors(`${path}.name`, port.name)),
    ...portErrors(`${path}.containerPort`, port.containerPort),
    ...(port.hostPort === undefined || port.hostPort === 0
      ? []
      : portErrors(`${path}.hostPort`, port.hostPort)),
    ...supported(`${path}.protocol`, port.protocol, protocols),
  ];
}

/** The rule for names of services at IANA, which port names follow. */
export function portNameErrors(path: string, name: string): readonly FieldError[] {
  const problems: string[] = [];
  if (name.length > 15) problems.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]+$/.test(name)) {
    problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(name)) problems.push("must contain at least one letter (a-z)");
  if (name.includes("--")) problems.push("must not contain consecutive hyphens");
  if (/^-|-$/.test(name)) problems.push("must not begin or end with a hyphen");
  return problems.map((problem) => fieldErrors.invalid(path, name, problem));
}

function envErrors({ name, value, valueFrom }: EnvVar, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (name === "") errors.push(fieldErrors.required(`${path}.name`));
  else if (!/^[ -<>-~]+$/.test(name)) {
    const rule =
      "a valid environment variable name must consist only of printable ASCII characters other than '='";
    errors.push(fieldErrors.invalid(`${path}.name`, name, rule));
  }
  if (valueFrom === undefined) return errors;
  const sources = Object.values(valueFrom).filter((source) => source !== undefined).length;
  if (sources === 0) {
    const detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
    errors.push(fieldErrors.invalid(`${path}.valueFrom`, "", detail));
  } else if ((value ?? "") !== "") {
    errors.push(
      fieldErrors.invalid(`${path}.valueFrom`, "", "may not be specified when `value` is not empty"),
    );
  } else if (sources > 1) {
    errors.push(
      fieldErrors.invalid(`${path}.valueFrom`, "", "may not have more than one field specified at a time"),
    );
  }
  return errors;
}

function mountErrors(
  mounts: readonly VolumeMount[],
  path: string,
  volumes: ReadonlySet<string>,
): readonly FieldError[] {
  const paths = mounts.map((mount) => mount.mountPath);
  return mounts.flatMap(({ name, mountPath }, index) => {
    const errors: FieldError[] = [];
    if (name === "") errors.push(fieldErrors.required(`${path}[${index}].name`));
    else if (!volumes.has(name)) errors.push(fieldErrors.notFound(`${path}[${index}].name`, name));
    if (mountPath === "") errors.push(fieldErrors.required(`${path}[${index}].mountPath`));
    else if (paths.indexOf(mountPath) < index) {
      errors.push(fieldErrors.invalid(`${path}[${index}].mountPath`, mountPath, "must be unique"));
    }
    return errors;
  });
}

const handlers = ["exec", "httpGet", "tcpSocket", "grpc"] as const;

function probeErrors(probe: Probe | undefined, path: string, onceIsEnough: boolean): readonly FieldError[] {
  if (probe === undefined) return [];
  const errors: FieldError[] = [];
  const named = handlers.filter((handler) => probe[handler] !== undefined);
  if (named.length === 0) errors.push(fieldErrors.required(path, "must specify a handler type"));
  for (const handler of named.slice(1)) {
    errors.push(fieldErrors.forbidden(`${path}.${handler}`, "may not specify more than 1 handler type"));
  }
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
  if (typeof port === "number") {
    errors.push(...portErrors(`${path}.${probe.httpGet === undefined ? "tcpSocket" : "httpGet"}.port`, port));
  }
  if (probe.grpc !== undefined) errors.push(...portErrors(`${path}.grpc.port`, probe.grpc.port));
  const numbers = [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const;
  for (const name of numbers) {
    if ((probe[name] ?? 0) < 0) {
      errors.push(fieldErrors.invalid(`${path}.${name}`, probe[name], "must be greater than or equal to 0"));
    }
  }
  if (onceIsEnough && (probe.successThreshold ?? 1) !== 1) {
    errors.push(fieldErrors.invalid(`${path}.successThreshold`, probe.successThreshold, "must be 1"));
  }
  return errors;
}

function resourceErrors({ limits, requests }: ResourceRequirements, path: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, amounts] of [
    ["limits", limits],
    ["requests", requests],
  ] as const) {
    for (const [name, amount] of Object.entries(amounts ?? {})) {
      if (compareQuantities(amount, 0) < 0) {
        errors.push(
          fieldErrors.invalid(`${path}.${field}[${name}]`, amount, "must be greater than or equal to 0"),
        );
      }
    }
  }
  for (const [name, request] of Object.entries(requests ?? {})) {
    const limit = limits?.[name];
    if (limit !== undefined && compareQuantities(request, limit) > 0) {
      const detail = `must be less than or equal to ${name} limit of ${limit}`;
      errors.push(fieldErrors.invalid(`${path}.requests`, request, detail));
    }
  }
  return errors;
}
