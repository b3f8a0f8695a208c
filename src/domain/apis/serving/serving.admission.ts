// Admission of Knative's four kinds: defaults, then what a schema cannot say.
import type { AdmissionContext, Resource } from "../kind.js";
import { type FieldError, fieldErrors } from "../meta/fieldError.js";
import type { Configuration } from "./configuration.types.js";
import { serving } from "./keys.js";
import type { Revision } from "./revision.types.js";
import type { Route } from "./route.types.js";
import type { KnativeService } from "./service.types.js";
import { defaultRevisionSpec, defaultTemplate } from "./template.defaults.js";
import type { TrafficTarget } from "./traffic.types.js";

export function defaultKnativeService(
  service: KnativeService,
  context: AdmissionContext<KnativeService>,
): KnativeService {
  const { template, traffic } = service.spec;
  return signed(
    {
      ...service,
      spec: {
        ...service.spec,
        ...(template === undefined ? {} : { template: defaultTemplate(template) }),
        traffic: defaultTraffic(traffic?.length ? traffic : [{ percent: 100, latestRevision: true }]),
      },
    },
    context,
  );
}

export function defaultConfiguration(
  configuration: Configuration,
  context: AdmissionContext<Configuration>,
): Configuration {
  const { template } = configuration.spec;
  const filled =
    template === undefined
      ? configuration
      : { ...configuration, spec: { ...configuration.spec, template: defaultTemplate(template) } };
  return filled.metadata.ownerReferences?.length ? filled : signed(filled, context);
}

export function defaultRevision(revision: Revision, context: AdmissionContext<Revision>): Revision {
  return context.operation === "create"
    ? { ...revision, spec: defaultRevisionSpec(revision.spec) }
    : revision;
}

export function defaultRoute(route: Route, context: AdmissionContext<Route>): Route {
  const filled = { ...route, spec: { ...route.spec, traffic: defaultTraffic(route.spec.traffic ?? []) } };
  return filled.metadata.ownerReferences?.length ? filled : signed(filled, context);
}

function defaultTraffic(traffic: readonly TrafficTarget[]): readonly TrafficTarget[] {
  return traffic.map((target) => ({
    ...target,
    latestRevision: target.latestRevision ?? !target.revisionName,
    percent: target.percent ?? 0,
  }));
}

// Who made it, and who changed what it wishes for last; the server says so, whatever the body claims.
function signed<T extends Resource & { readonly spec: unknown }>(
  object: T,
  { operation, subresource, old, user }: AdmissionContext<T>,
): T {
  if (subresource !== "") return object;
  const before = old?.metadata.annotations ?? {};
  const changed = operation === "create" || JSON.stringify(old?.spec) !== JSON.stringify(object.spec);
  const signature = {
    [serving.creator]: operation === "create" ? user.name : (before[serving.creator] ?? user.name),
    [serving.lastModifier]: changed ? user.name : (before[serving.lastModifier] ?? user.name),
  };
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...signature } },
  };
}

export function validateTraffic(
  traffic: readonly TrafficTarget[],
  field: string,
  inService: boolean,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const tags = new Map<string, number>();
  let sum = 0;
  traffic.forEach((target, index) => {
    const at = `${field}[${index}]`;
    sum += target.percent ?? 0;
    if (target.revisionName && target.configurationName) {
      errors.push(
        fieldErrors.invalid(at, target, "expected exactly one, got both: configurationName, revisionName"),
      );
    }
    if (inService && target.configurationName)
      errors.push(fieldErrors.forbidden(`${at}.configurationName`, "may not be set in a Service"));
    if (!inService && !target.revisionName && !target.configurationName) {
      errors.push(
        fieldErrors.required(at, "expected exactly one, got neither: configurationName, revisionName"),
      );
    }
    if (target.latestRevision === true && target.revisionName) {
      errors.push(
        fieldErrors.invalid(`${at}.latestRevision`, true, "must be false when revisionName is set"),
      );
    }
    if (target.tag) {
      const first = tags.get(target.tag);
      if (first !== undefined)
        errors.push(fieldErrors.invalid(`${at}.tag`, target.tag, `already used by ${field}[${first}]`));
      tags.set(target.tag, index);
    }
  });
  if (traffic.length > 0 && sum !== 100)
    errors.push(fieldErrors.invalid(field, sum, "traffic targets must add up to 100 percent"));
  return errors;
}

export function validateTemplate(
  template: KnativeService["spec"]["template"],
  field: string,
): readonly FieldError[] {
  if (template === undefined) return [fieldErrors.required(field)];
  const errors: FieldError[] = [];
  const { containers } = template.spec;
  if (containers.length === 0) errors.push(fieldErrors.required(`${field}.spec.containers`));
  containers.forEach((container, index) => {
    const at = `${field}.spec.containers[${index}]`;
    if (!container.image) errors.push(fieldErrors.required(`${at}.image`));
    if ((container.ports?.length ?? 0) > 1)
      errors.push(fieldErrors.tooMany(`${at}.ports`, container.ports?.length ?? 0, 1));
  });
  if (containers.length > 1 && containers.filter((one) => one.ports?.length).length !== 1) {
    errors.push(
      fieldErrors.invalid(
        `${field}.spec.containers`,
        containers,
        "exactly one container must have a port: it serves the requests",
      ),
    );
  }
  const { containerConcurrency = 0, timeoutSeconds = 0 } = template.spec;
  if (containerConcurrency < 0 || containerConcurrency > 1000) {
    errors.push(
      fieldErrors.invalid(
        `${field}.spec.containerConcurrency`,
        containerConcurrency,
        "expected 0 <= value <= 1000",
      ),
    );
  }
  if (timeoutSeconds < 0 || timeoutSeconds > 600) {
    errors.push(
      fieldErrors.invalid(`${field}.spec.timeoutSeconds`, timeoutSeconds, "expected 0 <= value <= 600"),
    );
  }
  return errors;
}

export function validateKnativeService(service: KnativeService): readonly FieldError[] {
  return [
    ...validateTemplate(service.spec.template, "spec.template"),
    ...validateTraffic(service.spec.traffic ?? [], "spec.traffic", true),
  ];
}

export function validateConfiguration(configuration: Configuration): readonly FieldError[] {
  return validateTemplate(configuration.spec.template, "spec.template");
}

export function validateRoute(route: Route): readonly FieldError[] {
  return validateTraffic(route.spec.traffic ?? [], "spec.traffic", false);
}

export function validateRevision(
  revision: Revision,
  { operation, old }: AdmissionContext<Revision>,
): readonly FieldError[] {
  if (operation === "update" && JSON.stringify(old?.spec) !== JSON.stringify(revision.spec)) {
    return [
      fieldErrors.forbidden(
        "spec",
        "a Revision is immutable: change its Configuration or Service to make another",
      ),
    ];
  }
  return validateTemplate({ spec: revision.spec }, "spec").map((error) => ({
    ...error,
    field: error.field.replace(/^spec\.spec/, "spec"),
  }));
}
