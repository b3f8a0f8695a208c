import { defaultTemplate } from "../core/pod.defaults.js";
import type { AdmissionContext } from "../kind.js";
import { canonicalQuantities } from "../quantity/index.js";
import {
  type Deployment,
  DeploymentSchema,
  type DeploymentSpec,
  type ReplicaSet,
  ReplicaSetSchema,
} from "./apps.types.js";

export function defaultDeployment(given: Deployment, context: AdmissionContext<Deployment>): Deployment {
  if (context.subresource === "status") return given;
  const { value: deployment } = canonicalQuantities(DeploymentSchema, given);
  const { spec } = deployment;
  if (spec === undefined) return deployment;
  return {
    ...deployment,
    spec: { ...spec, template: defaultTemplate(spec.template), strategy: defaultStrategy(spec.strategy) },
  };
}

function defaultStrategy(strategy: DeploymentSpec["strategy"]): DeploymentSpec["strategy"] {
  const type = strategy?.type ?? "RollingUpdate";
  if (type !== "RollingUpdate") return { ...strategy, type };
  return {
    ...strategy,
    type,
    rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%", ...strategy?.rollingUpdate },
  };
}

export function defaultReplicaSet(given: ReplicaSet, context: AdmissionContext<ReplicaSet>): ReplicaSet {
  if (context.subresource === "status") return given;
  const { value: set } = canonicalQuantities(ReplicaSetSchema, given);
  if (set.spec?.template === undefined) return set;
  return { ...set, spec: { ...set.spec, template: defaultTemplate(set.spec.template) } };
}
