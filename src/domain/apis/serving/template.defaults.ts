// What an empty field of a revision template means (knative-serving.md, section 1.5).
import { parseTemplate } from "../config/goTemplate.js";
import type { DefaultsConfig, ServingConfig } from "../config/index.js";
import type { Container } from "../core/container.types.js";
import type { Volume } from "../core/volume.types.js";
import type { ObjectMeta } from "../meta/meta.types.js";
import { applyDefaults, prune } from "../schema/index.js";
import { secured } from "./security.defaults.js";
import { type RevisionSpec, type RevisionTemplate, RevisionTemplateSchema } from "./template.types.js";
import { isWritable } from "./volume.validation.js";

export interface TemplateContext {
  readonly config: ServingConfig;
  /** The object the template is part of: containers may be named after it. */
  readonly parent: Partial<ObjectMeta>;
  readonly creating: boolean;
}

/** A template as admission leaves it when it is new: for those who compare what is stored with what they wish for. */
export function admittedTemplate(
  template: RevisionTemplate,
  context: Omit<TemplateContext, "creating">,
): RevisionTemplate {
  const { value } = prune(RevisionTemplateSchema, template);
  const filled = applyDefaults(RevisionTemplateSchema, value) as RevisionTemplate;
  return defaultTemplate(filled, { ...context, creating: true });
}

export function defaultTemplate(template: RevisionTemplate, context: TemplateContext): RevisionTemplate {
  return { ...template, spec: defaultRevisionSpec(template.spec, context) };
}

export function defaultRevisionSpec(spec: RevisionSpec, context: TemplateContext): RevisionSpec {
  const { defaults } = context.config;
  const timeoutSeconds = spec.timeoutSeconds || defaults.revisionTimeoutSeconds;
  const links = spec.enableServiceLinks ?? (context.creating ? defaults.enableServiceLinks : undefined);
  return {
    ...spec,
    ...defaultContainers(spec, context),
    timeoutSeconds,
    ...shorter(spec, "idleTimeoutSeconds", defaults.revisionIdleTimeoutSeconds, timeoutSeconds),
    ...shorter(
      spec,
      "responseStartTimeoutSeconds",
      defaults.revisionResponseStartTimeoutSeconds,
      timeoutSeconds,
    ),
    containerConcurrency: spec.containerConcurrency ?? defaults.containerConcurrency,
    ...(links === undefined ? {} : { enableServiceLinks: links }),
  };
}

/** A timeout that would never strike before the whole request's is not worth setting. */
function shorter(
  spec: RevisionSpec,
  field: "idleTimeoutSeconds" | "responseStartTimeoutSeconds",
  configured: number,
  timeoutSeconds: number,
): Partial<RevisionSpec> {
  if (spec[field] !== undefined || configured === 0 || configured >= timeoutSeconds) return {};
  return { [field]: configured };
}

function defaultContainers(
  spec: RevisionSpec,
  { config, parent }: TemplateContext,
): Pick<RevisionSpec, "containers" | "initContainers"> {
  const { defaults, features } = config;
  const { containers, initContainers, volumes = [] } = spec;
  const taken = new Set([...containers, ...(initContainers ?? [])].map((one) => one.name));
  const common = (container: Container) =>
    mountedReadOnly(secured(container, spec.securityContext, features), volumes);
  const main = named(containers, nameFrom(defaults.containerNameTemplate, parent), taken);
  const first = named(initContainers ?? [], nameFrom(defaults.initContainerNameTemplate, parent), taken);
  return {
    containers: main.map((container) =>
      common({
        ...container,
        resources: defaultResources(container.resources, defaults),
        // Only what serves is asked whether it is ready.
        ...(containers.length === 1 || container.ports?.length
          ? { readinessProbe: defaultReadiness(container.readinessProbe) }
          : {}),
      }),
    ),
    ...(initContainers === undefined
      ? {}
      : {
          initContainers: first.map((container) =>
            common({ ...container, resources: container.resources ?? {} }),
          ),
        }),
  };
}

/** The template's text for this object. One that cannot be rendered is refused when its ConfigMap is written. */
function nameFrom(
  source: string,
  { name, namespace, generateName, labels, annotations }: Partial<ObjectMeta>,
) {
  const parsed = parseTemplate("container-name-template", source);
  if ("because" in parsed) return source;
  const rendered = parsed.value.render({
    Name: name ?? "",
    GenerateName: generateName ?? "",
    Namespace: namespace ?? "",
    Labels: labels ?? {},
    Annotations: annotations ?? {},
  });
  return "because" in rendered ? source : rendered.value;
}

function named(containers: readonly Container[], wish: string, taken: Set<string>): readonly Container[] {
  let next = 0;
  return containers.map((container) => {
    if (container.name) return container;
    let name = wish;
    if (containers.length > 1 || taken.has(name)) {
      do name = `${wish}-${next++}`;
      while (taken.has(name));
    }
    taken.add(name);
    return { ...container, name };
  });
}

function defaultResources(
  { requests, limits, ...rest }: NonNullable<Container["resources"]> = {},
  defaults: DefaultsConfig,
): NonNullable<Container["resources"]> {
  const all = {
    requests: { ...defaults.requests, ...requests },
    limits: { ...defaults.limits, ...limits },
  };
  return {
    ...rest,
    ...(Object.keys(all.requests).length === 0 && requests === undefined ? {} : { requests: all.requests }),
    ...(Object.keys(all.limits).length === 0 && limits === undefined ? {} : { limits: all.limits }),
  };
}

// No handler means "the port accepts": port 0 stands for the serving port. Period 0 means "as fast as makes sense".
function defaultReadiness(probe: Container["readinessProbe"]): NonNullable<Container["readinessProbe"]> {
  const asked = probe ?? {};
  const handled = asked.httpGet ?? asked.tcpSocket ?? asked.exec ?? asked.grpc;
  return {
    ...asked,
    ...(handled === undefined ? { tcpSocket: { port: 0 } } : {}),
    successThreshold: asked.successThreshold || 1,
    ...(asked.periodSeconds
      ? { failureThreshold: asked.failureThreshold || 3, timeoutSeconds: asked.timeoutSeconds || 1 }
      : {}),
  };
}

function mountedReadOnly(container: Container, volumes: readonly Volume[]): Container {
  const { volumeMounts } = container;
  if (volumeMounts === undefined) return container;
  return {
    ...container,
    volumeMounts: volumeMounts.map((mount) =>
      isWritable(volumes.find((volume) => volume.name === mount.name)) ? mount : { ...mount, readOnly: true },
    ),
  };
}
