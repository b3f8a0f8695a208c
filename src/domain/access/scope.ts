// Where a policy applies: to the gateways when it lies in the root namespace, to workloads as their sidecars would.
import { gatewayLabels, rootNamespace } from "../apis/istio/scope.js";

export interface Scoped {
  readonly metadata: { readonly namespace?: string | undefined };
  readonly spec?:
    | {
        readonly selector?:
          | { readonly matchLabels?: { readonly [key: string]: string } | undefined }
          | undefined;
      }
    | undefined;
}

export type Labels = { readonly [key: string]: string };

export function onGateway(policy: Scoped, listener: "external" | "local"): boolean {
  const labels = gatewayLabels[listener];
  return policy.metadata.namespace === rootNamespace && selects(policy, (key) => labels[key] ?? []);
}

export function onWorkload(policy: Scoped, namespace: string, labels: Labels): boolean {
  const { namespace: home } = policy.metadata;
  return (home === rootNamespace || home === namespace) && selects(policy, (key) => [labels[key]]);
}

function selects({ spec }: Scoped, values: (key: string) => readonly (string | undefined)[]): boolean {
  const wanted = Object.entries(spec?.selector?.matchLabels ?? {});
  return wanted.every(([key, value]) => values(key).includes(value));
}
