// From a stored definition to the kinds the API serves.
import { type Column, defineKind, type Kind, type Resource } from "../kind.js";
import { ObjectMetaSchema } from "../meta/meta.types.js";
import { type Schema, type SchemaNode, str, withoutWire } from "../schema/index.js";
import type { CrdVersion, CustomResourceDefinition } from "./crd.types.js";
import { newestFirst } from "./versions.js";

/** One version of a custom kind, as a Kind the API can serve. */
export interface CustomKind extends Kind {
  /** Whether objects are stored in this version. */
  readonly storage: boolean;
  /** Sent as a Warning header with every answer, when the version is deprecated. */
  readonly deprecationWarning: string | undefined;
}

/** A Kind per served version, the storage version's too if it is served. */
export function kindsOfCrd(crd: CustomResourceDefinition): readonly CustomKind[] {
  return crd.spec.versions.filter((version) => version.served).map((version) => kindOf(crd, version));
}

function kindOf(crd: CustomResourceDefinition, version: CrdVersion): CustomKind {
  const { group, names, scope } = crd.spec;
  const published = (version.schema?.openAPIV3Schema ?? { type: "object" }) as SchemaNode;
  const scale = version.subresources?.scale;
  const kind = defineKind<Resource>({
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular || names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === "Namespaced",
    description: published.description ?? "",
    schema: wholeSchema(published),
    columns: (version.additionalPrinterColumns ?? []).map(columnOf),
    flavour: "custom",
    hasStatus: version.subresources?.status !== undefined,
    hasGeneration: true,
    fieldSelectors: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, "")),
    ...(scale === undefined
      ? {}
      : {
          scale: {
            specReplicasPath: scale.specReplicasPath,
            statusReplicasPath: scale.statusReplicasPath,
            ...(scale.labelSelectorPath === undefined ? {} : { labelSelectorPath: scale.labelSelectorPath }),
          },
        }),
  });
  return { ...kind, storage: version.storage, deprecationWarning: deprecation(crd, version) };
}

type PrinterColumn = NonNullable<CrdVersion["additionalPrinterColumns"]>[number];

const columnTypes: readonly string[] = ["boolean", "date", "integer", "number", "string"];

function columnOf({ name, type, format, description, priority, jsonPath }: PrinterColumn): Column {
  return {
    name,
    type: (columnTypes.includes(type) ? type : "string") as Column["type"],
    jsonPath,
    ...(format === undefined ? {} : { format }),
    ...(description === undefined ? {} : { description }),
    ...(priority === undefined ? {} : { priority }),
  };
}

const metaSchema = withoutWire(ObjectMetaSchema as SchemaNode);

/** What every object has beside what its definition says. */
function resourceMembers(): { readonly [name: string]: Schema } {
  return {
    apiVersion: str({ description: "The version of the schema this object is written in." }),
    kind: str({ description: "The kind of the object." }),
    metadata: metaSchema,
  };
}

function wholeSchema(published: SchemaNode): Schema<Resource> {
  const schema = withEmbedded(published);
  return {
    ...schema,
    type: "object",
    properties: { ...schema.properties, ...resourceMembers() },
    required: [...new Set(["apiVersion", "kind", "metadata", ...(schema.required ?? [])])],
  };
}

/** Embedded resources have metadata too, and it is known. What has none within comes back as it was. */
function withEmbedded(node: SchemaNode): SchemaNode {
  const properties = mapped(node.properties, withEmbedded);
  const items = node.items === undefined ? undefined : withEmbedded(node.items);
  const values =
    typeof node.additionalProperties === "object" ? withEmbedded(node.additionalProperties) : undefined;
  const embedded = node["x-kubernetes-embedded-resource"] === true;
  const same =
    properties === node.properties &&
    items === node.items &&
    (values === undefined || values === node.additionalProperties);
  if (same && !embedded) return node;
  return {
    ...node,
    ...(items === undefined ? {} : { items }),
    ...(values === undefined ? {} : { additionalProperties: values }),
    ...(properties === undefined && !embedded
      ? {}
      : { properties: { ...properties, ...(embedded ? resourceMembers() : {}) } }),
  };
}

function mapped(
  properties: { readonly [name: string]: SchemaNode } | undefined,
  change: (node: SchemaNode) => SchemaNode,
): { readonly [name: string]: SchemaNode } | undefined {
  if (properties === undefined) return undefined;
  let copy: Record<string, SchemaNode> | undefined;
  for (const name of Object.keys(properties)) {
    const property = properties[name] as SchemaNode;
    const changed = change(property);
    if (changed === property) continue;
    copy ??= { ...properties };
    copy[name] = changed;
  }
  return copy ?? properties;
}

function deprecation({ spec }: CustomResourceDefinition, version: CrdVersion): string | undefined {
  if (version.deprecated !== true) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const text = `${spec.group}/${version.name} ${spec.names.kind} is deprecated`;
  const current = spec.versions.filter((one) => one.served && one.deprecated !== true).map((one) => one.name);
  const [newest] = [...current].sort(newestFirst);
  return newest === undefined ? text : `${text}; use ${spec.group}/${newest} ${spec.names.kind}`;
}
