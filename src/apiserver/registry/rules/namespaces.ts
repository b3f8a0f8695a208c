// Namespaces: born active, held by their content, and some never to go.

import type { Namespace } from "../../../domain/apis/core/namespace.types.js";
import type { Resource } from "../../../domain/apis/kind.js";
import { forbidden } from "../../status.js";
import type { Rule } from "./rule.js";

export const firstNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"] as const;
const everlasting: readonly string[] = ["default", "kube-system", "kube-public"];

export const namespaceRule: Rule = {
  admit(object, { old, subresource }) {
    const space = object as Namespace & Resource;
    const labels = { ...space.metadata.labels, "kubernetes.io/metadata.name": space.metadata.name };
    const metadata = { ...space.metadata, labels };
    if (old === undefined) {
      return {
        ...space,
        metadata,
        spec: { finalizers: ["kubernetes"] },
        status: { phase: "Active" },
      } as Resource;
    }
    // Only the finalize subresource takes these away: they stand for what is still inside.
    const kept = { ...space, metadata, spec: (old as Namespace).spec } as Resource;
    return subresource === "status" ? { ...kept, metadata: space.metadata } : kept;
  },
  mayDelete({ metadata }) {
    if (!everlasting.includes(metadata.name)) return;
    throw forbidden({ group: "", plural: "namespaces" }, metadata.name, "this namespace may not be deleted");
  },
  deleting(object) {
    const space = object as Namespace & Resource;
    return { ...space, status: { ...space.status, phase: "Terminating" } } as Resource;
  },
  held: (object) => ((object as Namespace).spec?.finalizers ?? []).length > 0,
};
