// Pods: they act as a ServiceAccount, and one that is named must be there.

import type { Pod } from "../../../domain/apis/core/pod.types.js";
import type { Resource } from "../../../domain/apis/kind.js";
import { forbidden } from "../../status.js";
import type { Rule } from "./rule.js";

export const podRule: Rule = {
  admit(object, { operation }, state) {
    if (operation !== "create") return object;
    const pod = object as Pod & Resource;
    const account = pod.spec?.serviceAccountName ?? "default";
    const namespace = pod.metadata.namespace ?? "";
    // A namespace's own default account is made a moment after it; its first pods need not wait for that.
    if (account !== "default" && state.latest("/serviceaccounts", namespace, account) === undefined) {
      throw forbidden(
        { group: "", plural: "pods" },
        pod.metadata.name,
        `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
      );
    }
    return object;
  },
};
