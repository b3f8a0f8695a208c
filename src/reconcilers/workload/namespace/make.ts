// What every namespace holds from the start. Pure.
import type { ConfigMap, ServiceAccount } from "../../../domain/apis/core/config.types.js";
import type { Unsaved } from "../../../ports/index.js";

export const accountName = "default";
export const rootCaName = "kube-root-ca.crt";

export function makeAccount(namespace: string): Unsaved<ServiceAccount> {
  return { metadata: { name: accountName, namespace } };
}

export function makeRootCa(namespace: string, pem: string): Unsaved<ConfigMap> {
  return {
    metadata: {
      name: rootCaName,
      namespace,
      annotations: {
        "kubernetes.io/description":
          "Contains a CA bundle that can be used to verify the API when using internal endpoints.",
      },
    },
    data: { "ca.crt": pem },
  };
}
