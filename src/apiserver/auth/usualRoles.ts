// The roles every cluster has, so that the usual bindings mean what they mean elsewhere.
import type { PolicyRule } from "../../domain/apis/rbac/rbac.types.js";

/** What anyone who is known may do: look around, and ask about themselves. */
export const usualRules: readonly PolicyRule[] = [
  {
    verbs: ["get"],
    nonResourceURLs: [
      "/api",
      "/api/*",
      "/apis",
      "/apis/*",
      "/healthz",
      "/livez",
      "/openapi",
      "/openapi/*",
      "/readyz",
      "/version",
      "/version/",
    ],
  },
  {
    verbs: ["create"],
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
  },
  { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
];

const reading = ["get", "list", "watch"];
const ours = [
  "",
  "apps",
  "autoscaling",
  "discovery.k8s.io",
  "events.k8s.io",
  "metrics.k8s.io",
  "networking.istio.io",
  "networking.k8s.io",
  "policy",
  "serving.kserve.io",
  "serving.knative.dev",
  "serving.kubeflow.org",
];
const content = [
  "bindings",
  "clusterservingruntimes",
  "configmaps",
  "configurations",
  "deployments",
  "deployments/scale",
  "domainmappings",
  "endpoints",
  "endpointslices",
  "events",
  "gateways",
  "horizontalpodautoscalers",
  "inferencegraphs",
  "inferenceservices",
  "limitranges",
  "namespaces",
  "persistentvolumeclaims",
  "poddisruptionbudgets",
  "pods",
  "pods/log",
  "pods/status",
  "replicasets",
  "replicasets/scale",
  "resourcequotas",
  "revisions",
  "routes",
  "serviceaccounts",
  "services",
  "servingruntimes",
  "trainedmodels",
  "virtualservices",
];

const view: readonly PolicyRule[] = [{ verbs: reading, apiGroups: ours, resources: content }];
const edit: readonly PolicyRule[] = [
  ...view,
  {
    verbs: ["create", "update", "patch", "delete", "deletecollection"],
    apiGroups: ours,
    resources: content.filter(
      (one) => !["namespaces", "limitranges", "resourcequotas", "clusterservingruntimes"].includes(one),
    ),
  },
  {
    verbs: ["*"],
    apiGroups: [""],
    resources: [
      "secrets",
      "pods/exec",
      "pods/attach",
      "pods/portforward",
      "pods/eviction",
      "serviceaccounts/token",
    ],
  },
];

export const usualRoles: { readonly [name: string]: readonly PolicyRule[] } = {
  "cluster-admin": [
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
    { verbs: ["*"], nonResourceURLs: ["*"] },
  ],
  admin: [
    ...edit,
    { verbs: ["*"], apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"] },
    { verbs: ["create"], apiGroups: ["authorization.k8s.io"], resources: ["localsubjectaccessreviews"] },
  ],
  edit,
  view,
};
