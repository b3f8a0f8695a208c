// Admission of rbac.istio.io/v1alpha1, in the words of Istio's webhook.
import type { AdmissionContext, Resource, WebhookAnswer } from "../kind.js";
import { equalJson } from "../schema/index.js";
import type { ClusterRbacConfig, ServiceRole, ServiceRoleBinding } from "./rbac.types.js";
import { denied, under } from "./security.admission.js";

export function judgeClusterRbacConfig(
  object: ClusterRbacConfig,
  context: AdmissionContext<ClusterRbacConfig>,
): WebhookAnswer | undefined {
  if (untouched(object, context)) return undefined;
  const faults: string[] = [];
  const { mode = "OFF", inclusion, exclusion } = object.spec ?? {};
  if (object.metadata.name !== "default")
    faults.push('metadata.name: ClusterRbacConfig must be named "default"');
  if (mode === "ON_WITH_INCLUSION" && inclusion === undefined)
    faults.push("spec: inclusion cannot be null (use 'inclusion: {}' for none)");
  if (mode === "ON_WITH_EXCLUSION" && exclusion === undefined)
    faults.push("spec: exclusion cannot be null (use 'exclusion: {}' for none)");
  return denied(faults);
}

export function judgeServiceRole(
  object: ServiceRole,
  context: AdmissionContext<ServiceRole>,
): WebhookAnswer | undefined {
  if (untouched(object, context)) return undefined;
  const { rules = [] } = object.spec ?? {};
  if (rules.length === 0) return denied(["spec.rules: at least 1 rule must be specified"]);
  return denied(
    rules.flatMap(({ services = [], constraints = [] }, index) =>
      under(`spec.rules[${index}]`, [
        ...(services.length === 0 ? [`at least 1 service must be specified for rule ${index}`] : []),
        ...constraints.flatMap(({ key, values = [] }, at) => [
          ...(key ? [] : [`key cannot be empty for constraint ${at} in rule ${index}`]),
          ...(values.length > 0 && values.every((value) => value !== "")
            ? []
            : [`at least 1 value must be specified for constraint ${at} in rule ${index}`]),
        ]),
      ]),
    ),
  );
}

export function judgeServiceRoleBinding(
  object: ServiceRoleBinding,
  context: AdmissionContext<ServiceRoleBinding>,
): WebhookAnswer | undefined {
  if (untouched(object, context)) return undefined;
  const { subjects = [], roleRef, role } = object.spec ?? {};
  const faults: string[] = [];
  if (subjects.length === 0) faults.push("at least 1 subject must be specified");
  for (const [index, subject] of subjects.entries())
    if (Object.keys(subject).length === 0)
      faults.push(`empty subjects are not allowed. Found an empty subject at index ${index}`);
  if (roleRef === undefined && !role)
    faults.push("exactly one of `roleRef`, `role`, or `actions` must be specified");
  if (roleRef !== undefined && roleRef.kind !== "ServiceRole")
    faults.push(
      `kind set to ${JSON.stringify(roleRef.kind ?? "")}, currently the only supported value is "ServiceRole"`,
    );
  if (roleRef !== undefined && !roleRef.name) faults.push("`name` in `roleRef` cannot be empty");
  return denied(under("spec", faults));
}

function untouched<T extends Resource & { readonly spec?: unknown }>(
  object: T,
  { operation, subresource, old }: AdmissionContext<T>,
): boolean {
  if (subresource !== "" || object.metadata.deletionTimestamp !== undefined) return true;
  return operation === "update" && equalJson(old?.spec as never, object.spec as never);
}
