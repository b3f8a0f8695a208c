// secure-pod-defaults: the safe choice wherever a container leaves one open (knative-serving.md, section 1.5).
import type { FeaturesConfig } from "../config/index.js";
import type { Container, SecurityContext } from "../core/container.types.js";
import type { PodSecurityContext } from "../core/pod.types.js";

export function secured(
  container: Container,
  pod: PodSecurityContext = {},
  { securePodDefaults }: FeaturesConfig,
): Container {
  if (securePodDefaults === "disabled") return container;
  const own: SecurityContext = container.securityContext ?? {};
  const profiled = own.seccompProfile?.type || pod.seccompProfile?.type;
  const unrooted = pod.runAsNonRoot ?? own.runAsNonRoot;
  return {
    ...container,
    securityContext: {
      ...own,
      allowPrivilegeEscalation: own.allowPrivilegeEscalation ?? false,
      ...(profiled ? {} : { seccompProfile: { ...own.seccompProfile, type: "RuntimeDefault" } }),
      capabilities: own.capabilities ?? defaultCapabilities(container),
      ...(unrooted === undefined && securePodDefaults === "enabled" ? { runAsNonRoot: true } : {}),
    },
  };
}

function defaultCapabilities({ ports = [] }: Container): NonNullable<SecurityContext["capabilities"]> {
  const low = ports.some(({ containerPort }) => containerPort < 1024);
  return { drop: ["ALL"], ...(low ? { add: ["NET_BIND_SERVICE"] } : {}) };
}
