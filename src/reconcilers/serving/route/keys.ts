// Annotations that only routing reads or writes, spelled as Knative spells them.
export const routing = {
  rollout: "networking.internal.knative.dev/rollout",
  tagToHost: "networking.internal.knative.dev/tag-to-host",
  httpOption: "networking.knative.dev/httpOption",
  otherHttpOption: "networking.knative.dev/http-protocol",
  otherIngressClass: "networking.knative.dev/ingress-class",
  otherRolloutDuration: "serving.knative.dev/rolloutDuration",
  /** When the gateway was asked for what the KIngress says now: its deadline runs from here. */
  askedAt: "drydock.dev/traffic-asked-at",
} as const;
