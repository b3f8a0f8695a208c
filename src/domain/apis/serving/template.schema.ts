/**
 * A pod as Knative's own schema knows it: what is not named here is pruned before any rule sees it
 * (knative-serving.md, section 1.3).
 */
import { embedded } from "../schema/embed.js";
import type { Schema, SchemaNode } from "../schema/index.js";
import { containerFields } from "./container.validation.js";
import { gatedPodFields, openPodFields } from "./podSpec.validation.js";

export function revisionPod<T>(pod: Schema<T>): Schema<T> {
  const { properties = {}, ...rest } = embedded(pod) as SchemaNode;
  const known = only(properties, [...openPodFields, ...Object.keys(gatedPodFields)]);
  return { ...rest, properties: mapped(known, ofPod) } as Schema<T>;
}

type Properties = NonNullable<SchemaNode["properties"]>;

/** What is behind a flag, init containers among it, upstream keeps as it comes. */
function ofPod(node: SchemaNode, name: string): SchemaNode {
  if (Object.hasOwn(gatedPodFields, name)) return node;
  return defaulted(name === "containers" ? ofContainers(node) : node, [name]);
}

function ofContainers(node: SchemaNode): SchemaNode {
  const { properties = {}, ...item } = node.items ?? {};
  return { ...node, items: { ...item, properties: mapped(only(properties, containerFields), ofContainer) } };
}

function ofContainer(node: SchemaNode, name: string): SchemaNode {
  switch (name) {
    case "ports":
      return { ...node, items: { ...node.items, properties: only(node.items?.properties, portFields) } };
    case "securityContext":
      return { ...node, properties: only(node.properties, securityFields) };
    case "volumeMounts":
      return { ...node, items: { ...node.items, properties: only(node.items?.properties, mountFields) } };
    default:
      return node;
  }
}

const portFields = ["containerPort", "name", "protocol"];
const mountFields = ["name", "readOnly", "mountPath", "subPath", "mountPropagation"];
const securityFields = [
  "allowPrivilegeEscalation",
  "capabilities",
  "privileged",
  "readOnlyRootFilesystem",
  "runAsGroup",
  "runAsNonRoot",
  "runAsUser",
  "seccompProfile",
];

function only(properties: Properties = {}, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => names.includes(name)));
}

function mapped(properties: Properties, change: (node: SchemaNode, name: string) => SchemaNode): Properties {
  return Object.fromEntries(Object.entries(properties).map(([name, node]) => [name, change(node, name)]));
}

/** References to other objects by name; a name left out is the empty name. */
const references: ReadonlySet<string> = new Set([
  "configMapRef",
  "secretRef",
  "configMapKeyRef",
  "secretKeyRef",
  "imagePullSecrets",
]);

// The few defaults that upstream's schema has: a port is TCP, a gRPC service and a reference have a name.
function defaulted(node: SchemaNode, path: readonly string[]): SchemaNode {
  const [parent = "", grandparent = ""] = [path.at(-1), path.at(-3)];
  const preset = (name: string): { readonly default?: string } => {
    if (name === "protocol" && parent === "ports") return { default: "TCP" };
    if (name === "service" && parent === "grpc") return { default: "" };
    const projected = grandparent === "projected" && (parent === "secret" || parent === "configMap");
    return name === "name" && (references.has(parent) || projected) ? { default: "" } : {};
  };
  return {
    ...node,
    ...(node.items === undefined ? {} : { items: defaulted(node.items, path) }),
    ...(node.properties === undefined
      ? {}
      : {
          properties: mapped(node.properties, (one, name) => ({
            ...defaulted(one, [...path, name]),
            ...preset(name),
          })),
        }),
  };
}
