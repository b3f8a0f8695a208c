// Pods: they act as a ServiceAccount, which must be there, and keep within the limits of their namespace.
import type { ServiceAccount } from "../../../domain/apis/core/config.types.js";
import type { Pod } from "../../../domain/apis/core/pod.types.js";
import type { Resource } from "../../../domain/apis/kind.js";
import { forbidden } from "../../status.js";
import type { State } from "../state.js";
import { withinLimits } from "./limitRanges.js";
import type { Rule } from "./rule.js";

export const podRule: Rule = {
  admit(object, context, state) {
    if (context.operation !== "create") return object;
    return withinLimits(withAccount(object as Pod & Resource, state), context, state);
  },
};

/** Pods without secrets to pull images with use those of their account. */
function withAccount(pod: Pod & Resource, state: State): Pod & Resource {
  const name = pod.spec?.serviceAccountName ?? "default";
  const { namespace = "" } = pod.metadata;
  const account = state.latest("/serviceaccounts", namespace, name) as ServiceAccount | undefined;
  if (account === undefined) {
    // A namespace's own default account is made a moment after it; its first pods need not wait for that.
    if (name === "default") return pod;
    throw forbidden(
      { group: "", plural: "pods" },
      pod.metadata.name,
      `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
    );
  }
  const { imagePullSecrets = [] } = account;
  if (pod.spec === undefined || imagePullSecrets.length === 0) return pod;
  if ((pod.spec.imagePullSecrets ?? []).length > 0) return pod;
  return { ...pod, spec: { ...pod.spec, imagePullSecrets } };
}
