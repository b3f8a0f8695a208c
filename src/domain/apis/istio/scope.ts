/** Policies here are for the whole mesh. */
export const rootNamespace = "istio-system";

/** What the two listeners answer to when something selects them by the labels of their pods. */
export const gatewayLabels: Readonly<
  Record<"external" | "local", Readonly<Record<string, readonly string[]>>>
> = {
  external: {
    istio: ["ingressgateway"],
    app: ["istio-ingressgateway"],
    knative: ["ingressgateway"],
  },
  local: {
    istio: ["cluster-local-gateway", "knative-local-gateway"],
    app: ["cluster-local-gateway", "knative-local-gateway"],
    knative: ["cluster-local-gateway", "knative-local-gateway"],
  },
};
