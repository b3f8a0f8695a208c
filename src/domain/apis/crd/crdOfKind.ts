// The other way round: a kind of ours as the definition that makes a real cluster serve it.
import { type Column, type Kind, qualifiedPlural } from "../kind.js";
import { type SchemaNode, withoutWire } from "../schema/index.js";
import type { CustomResourceDefinition } from "./crd.types.js";

/** All versions share the schema; the kind's own version is the one that is stored. */
export function crdOfKind(kind: Kind): CustomResourceDefinition {
  const schema = definable(withoutWire(kind.schema));
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: qualifiedPlural(kind), ...knativeLabels(kind) },
    spec: {
      group: kind.group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
        ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
      },
      scope: kind.namespaced ? "Namespaced" : "Cluster",
      versions: [kind.version, ...kind.alsoServedAs].map((name) => ({
        name,
        served: true,
        storage: name === kind.version,
        schema: { openAPIV3Schema: schema },
        ...(kind.columns.length === 0 ? {} : { additionalPrinterColumns: kind.columns.map(printed) }),
        subresources: {
          ...(kind.hasStatus ? { status: {} } : {}),
          ...(kind.scale === undefined ? {} : { scale: kind.scale }),
        },
      })),
    },
  } as unknown as CustomResourceDefinition;
}

const addressable: ReadonlySet<string> = new Set(["Service", "Route", "DomainMapping"]);
const podSpecable: ReadonlySet<string> = new Set(["Service", "Configuration"]);

/** Upstream's tools find Knative's definitions, and what may be a sink or carries a pod, by these labels. */
function knativeLabels({ group, kind }: Pick<Kind, "group" | "kind">): {
  readonly labels?: { readonly [key: string]: string };
} {
  const own = group === "serving.knative.dev";
  if (!own && !group.endsWith(".internal.knative.dev")) return {};
  return {
    labels: {
      "app.kubernetes.io/name": "knative-serving",
      "knative.dev/crd-install": "true",
      ...(own && addressable.has(kind) ? { "duck.knative.dev/addressable": "true" } : {}),
      ...(own && podSpecable.has(kind) ? { "duck.knative.dev/podspecable": "true" } : {}),
    },
  };
}

function printed({ name, type, format, description, priority, jsonPath }: Column) {
  return {
    name,
    type,
    jsonPath: jsonPath ?? "",
    ...(format === undefined ? {} : { format }),
    ...(description === undefined ? {} : { description }),
    ...(priority === undefined ? {} : { priority }),
  };
}

// What a definition may say is less than what a schema can: metadata is the server's own, and merge
// strategies and formats of ours mean nothing there.
function definable(node: SchemaNode): SchemaNode {
  return { ...plain(node), properties: { ...plain(node).properties, metadata: { type: "object" } } };
}

function plain(node: SchemaNode): SchemaNode {
  const {
    "x-kubernetes-patch-merge-key": _key,
    "x-kubernetes-patch-strategy": _strategy,
    format,
    properties,
    items,
    additionalProperties,
    ...rest
  } = node;
  return {
    ...rest,
    ...(format === undefined || ownFormats.has(format) ? {} : { format }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, plain(one)])),
        }),
    ...(items === undefined ? {} : { items: plain(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: plain(additionalProperties) }),
  };
}

const ownFormats = new Set(["quantity", "micro-time", "fields-v1"]);
