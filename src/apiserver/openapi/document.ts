// The OpenAPI v3 documents: what kubectl needs to trust us with validation, and to explain our kinds.
import { apiVersionOf, type Kind } from "../../domain/apis/kind.js";
import { ObjectMetaSchema } from "../../domain/apis/meta/meta.types.js";
import type { SchemaNode } from "../../domain/apis/schema/index.js";

type Json = { readonly [name: string]: unknown };

const metaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** `v1` or `apps/v1`, and the kinds served there. */
export function openapiV3Document(groupVersion: string, kinds: readonly Kind[]): Json {
  const paths: Record<string, Json> = {};
  const schemas: Record<string, Json> = { [metaName]: published(ObjectMetaSchema) };
  for (const kind of kinds) {
    paths[pathOf(groupVersion, kind)] = pathItem(kind);
    schemas[componentName(kind)] = component(kind);
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.32.0" },
    paths,
    components: { schemas },
  };
}

/** From group versions (`v1`, `apps/v1`) to the hashes of their documents. */
export function openapiV3Index(hashes: ReadonlyMap<string, string>): {
  readonly paths: { readonly [path: string]: { readonly serverRelativeURL: string } };
} {
  const paths: Record<string, { readonly serverRelativeURL: string }> = {};
  for (const [groupVersion, hash] of hashes) {
    const path = rootOf(groupVersion);
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return { paths };
}

function rootOf(groupVersion: string): string {
  return groupVersion.includes("/") ? `apis/${groupVersion}` : `api/${groupVersion}`;
}

function pathOf(groupVersion: string, { namespaced, plural }: Kind): string {
  return `/${rootOf(groupVersion)}/${namespaced ? "namespaces/{namespace}/" : ""}${plural}/{name}`;
}

function groupVersionKind({ group, version, kind }: Kind): Json {
  return { group, version, kind };
}

/** kubectl looks for a PATCH that takes fieldValidation; finding it, it leaves validation to us. */
function pathItem(kind: Kind): Json {
  const place = kind.namespaced
    ? [parameter("namespace", "path"), parameter("name", "path")]
    : [parameter("name", "path")];
  const gvk = { "x-kubernetes-group-version-kind": groupVersionKind(kind) };
  const content = { "application/json": { schema: { $ref: reference(componentName(kind)) } } };
  const responses = { "200": { description: "OK", content } };
  const patchTypes = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    ...(kind.flavour === "builtin" ? ["application/strategic-merge-patch+json"] : []),
  ];
  return {
    parameters: place,
    get: { operationId: `read${kind.kind}`, responses, ...gvk, "x-kubernetes-action": "get" },
    patch: {
      operationId: `patch${kind.kind}`,
      parameters: ["dryRun", "fieldManager", "fieldValidation", "force"].map((name) =>
        parameter(name, "query"),
      ),
      requestBody: {
        required: true,
        content: Object.fromEntries(patchTypes.map((type) => [type, { schema: { type: "object" } }])),
      },
      responses,
      ...gvk,
      "x-kubernetes-action": "patch",
    },
  };
}

function parameter(name: string, place: "path" | "query"): Json {
  const type = name === "force" ? "boolean" : "string";
  return { name, in: place, ...(place === "path" ? { required: true } : {}), schema: { type } };
}

/** `com.example.probe.v1.Widget`: the group's domain reversed, then version and kind; built-in kinds have a home of their own. */
function componentName({ flavour, group, version, kind }: Kind): string {
  const domain =
    flavour === "builtin"
      ? `io.k8s.api.${group.split(".")[0] || "core"}`
      : group.split(".").reverse().join(".");
  return `${domain}.${version}.${kind}`;
}

function reference(name: string): string {
  return `#/components/schemas/${name}`;
}

function component(kind: Kind): Json {
  const schema = published(kind.schema as SchemaNode);
  const metadata = {
    description: "Standard metadata of an object.",
    default: {},
    allOf: [{ $ref: reference(metaName) }],
  };
  return {
    ...schema,
    description: kind.description || schema["description"] || `${kind.kind} of ${apiVersionOf(kind)}.`,
    properties: { ...(schema["properties"] as Json | undefined), metadata },
    "x-kubernetes-group-version-kind": [groupVersionKind(kind)],
  };
}

/** A schema without what is ours alone. int-or-string is said in OpenAPI's own way too. */
function published(node: SchemaNode): Json {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(node)) {
    if (name.startsWith("x-drydock-")) continue;
    switch (name) {
      case "properties":
        result[name] = Object.fromEntries(
          Object.entries(value as { readonly [name: string]: SchemaNode }).map(([property, schema]) => [
            property,
            published(schema),
          ]),
        );
        break;
      case "items":
      case "additionalProperties":
      case "not":
        result[name] = typeof value === "object" ? published(value as SchemaNode) : value;
        break;
      case "allOf":
      case "anyOf":
      case "oneOf":
        result[name] = (value as readonly SchemaNode[]).map(published);
        break;
      default:
        result[name] = value;
    }
  }
  if (node["x-kubernetes-int-or-string"] === true && node.anyOf === undefined) {
    result["anyOf"] = [{ type: "integer" }, { type: "string" }];
  }
  return result;
}
