import type { AdmissionContext } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import { labelErrors } from "../names/index.js";
import { labelNameErrors, portErrors, portNameErrors, repeated, supported } from "./container.validation.js";
import type { Service, ServicePort, ServiceSpec } from "./service.types.js";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const affinities = ["ClientIP", "None"];
const protocols = ["SCTP", "TCP", "UDP"];
const trafficPolicies = ["Cluster", "Local"];

export function validateService(service: Service, context: AdmissionContext<Service>): readonly FieldError[] {
  if (context.subresource === "status") return [];
  const spec = service.spec ?? {};
  return [
    ...supported("spec.type", spec.type, types),
    ...supported("spec.sessionAffinity", spec.sessionAffinity, affinities),
    ...supported("spec.internalTrafficPolicy", spec.internalTrafficPolicy, trafficPolicies),
    ...supported("spec.externalTrafficPolicy", spec.externalTrafficPolicy, trafficPolicies),
    ...labelErrors("spec.selector", spec.selector),
    ...portsErrors(spec),
    ...(spec.type === "ExternalName" && (spec.externalName ?? "") === ""
      ? [fieldErrors.required("spec.externalName")]
      : []),
    ...addressErrors(spec, context.old?.spec),
  ];
}

function portsErrors(spec: ServiceSpec): readonly FieldError[] {
  const ports = spec.ports ?? [];
  const portless = spec.clusterIP === "None" || spec.type === "ExternalName";
  if (ports.length === 0) return portless ? [] : [fieldErrors.required("spec.ports")];
  const seen = new Set<string>();
  return [
    ...ports.flatMap((port, index) => {
      const errors = [...portFieldErrors(port, `spec.ports[${index}]`, ports.length > 1)];
      const identity = `${port.protocol}:${port.port}`;
      if (seen.has(identity)) errors.push(fieldErrors.duplicate(`spec.ports[${index}]`, port));
      seen.add(identity);
      return errors;
    }),
    ...repeated(
      ports.map((port) => port.name),
      (index) => `spec.ports[${index}].name`,
    ),
  ];
}

function portFieldErrors(port: ServicePort, path: string, needsName: boolean): readonly FieldError[] {
  const { name = "", targetPort } = port;
  return [
    ...(name === "" && !needsName ? [] : labelNameErrors(`${path}.name`, name)),
    ...portErrors(`${path}.port`, port.port),
    ...supported(`${path}.protocol`, port.protocol, protocols),
    ...(typeof targetPort === "number" ? portErrors(`${path}.targetPort`, targetPort) : []),
    ...(typeof targetPort === "string" ? portNameErrors(`${path}.targetPort`, targetPort) : []),
  ];
}

function addressErrors(spec: ServiceSpec, old: ServiceSpec | undefined): readonly FieldError[] {
  const before = old?.clusterIP ?? "";
  const now = spec.clusterIP ?? "";
  const leaves = spec.type === "ExternalName" || old?.type === "ExternalName";
  if (before === "" || now === "" || now === before || leaves) return [];
  const message = `Invalid value: []string{${JSON.stringify(now)}}: may not change once set`;
  return [{ reason: "FieldValueInvalid", field: "spec.clusterIPs[0]", message }];
}
