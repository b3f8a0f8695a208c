// What an empty field of a revision template means (knative-serving.md, section 1.5).
import type { Container } from "../core/container.types.js";
import type { RevisionSpec, RevisionTemplate } from "./template.types.js";

/** config-defaults as shipped. */
export const templateDefaults = {
  timeoutSeconds: 300,
  containerConcurrency: 0,
  containerName: "user-container",
} as const;

export function defaultTemplate(template: RevisionTemplate): RevisionTemplate {
  return { ...template, spec: defaultRevisionSpec(template.spec) };
}

export function defaultRevisionSpec(spec: RevisionSpec): RevisionSpec {
  const taken = new Set([...spec.containers, ...(spec.initContainers ?? [])].map((one) => one.name));
  const only = spec.containers.length === 1;
  return {
    ...spec,
    containers: spec.containers.map((container, index) => defaultContainer(container, index, only, taken)),
    timeoutSeconds: spec.timeoutSeconds ? spec.timeoutSeconds : templateDefaults.timeoutSeconds,
    containerConcurrency: spec.containerConcurrency ?? templateDefaults.containerConcurrency,
    enableServiceLinks: spec.enableServiceLinks ?? false,
  };
}

function defaultContainer(container: Container, index: number, only: boolean, taken: Set<string>): Container {
  const serving = only || (container.ports?.length ?? 0) > 0;
  return {
    ...container,
    name:
      container.name ||
      freeName(only ? templateDefaults.containerName : `${templateDefaults.containerName}-${index}`, taken),
    resources: container.resources ?? {},
    ...(serving ? { readinessProbe: defaultReadiness(container.readinessProbe) } : {}),
  };
}

function freeName(wish: string, taken: Set<string>): string {
  let name = wish;
  for (let count = 0; taken.has(name); count += 1) name = `${wish}-${count}`;
  taken.add(name);
  return name;
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
