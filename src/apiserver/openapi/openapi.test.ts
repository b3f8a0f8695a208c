import { describe, expect, it } from "vitest";
import { Deployment } from "../../domain/apis/apps/apps.types.js";
import { Namespace } from "../../domain/apis/core/namespace.types.js";
import { defineKind, type Kind, type Resource } from "../../domain/apis/kind.js";
import { resource } from "../../domain/apis/meta/meta.types.js";
import { obj, str } from "../../domain/apis/schema/index.js";
import { openapiV3Document, openapiV3Index } from "./index.js";

const widget = defineKind<Resource>({
  group: "probe.example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  description: "A thing.",
  schema: resource({ spec: obj({ color: str({ description: "Its color." }) }) }),
}) as Kind;

describe("openapiV3Document", () => {
  it("has what kubectl looks for before it lets us validate", () => {
    const document = openapiV3Document("probe.example.com/v1", [widget]) as {
      paths: Record<
        string,
        { patch: { parameters: { name: string }[]; "x-kubernetes-group-version-kind": object } }
      >;
    };
    const item = document.paths["/apis/probe.example.com/v1/namespaces/{namespace}/widgets/{name}"];
    expect(item?.patch["x-kubernetes-group-version-kind"]).toEqual({
      group: "probe.example.com",
      version: "v1",
      kind: "Widget",
    });
    expect(item?.patch.parameters.map((one) => one.name)).toContain("fieldValidation");
  });

  it("has what kubectl explain reads", () => {
    const { components } = openapiV3Document("probe.example.com/v1", [widget]) as {
      components: { schemas: Record<string, object> };
    };
    expect(components.schemas["com.example.probe.v1.Widget"]).toMatchObject({
      description: "A thing.",
      "x-kubernetes-group-version-kind": [{ group: "probe.example.com", version: "v1", kind: "Widget" }],
      properties: {
        metadata: {
          allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }],
        },
        spec: { properties: { color: { type: "string", description: "Its color." } } },
      },
    });
  });

  it("keeps what is ours to itself", () => {
    const document = openapiV3Document("apps/v1", [Deployment as unknown as Kind]);
    expect(JSON.stringify(document)).not.toContain("x-drydock");
    expect(openapiV3Document("v1", [Namespace as unknown as Kind])["paths"]).toHaveProperty([
      "/api/v1/namespaces/{name}",
    ]);
  });
});

it("lists the documents by their hashes", () => {
  expect(
    openapiV3Index(
      new Map([
        ["v1", "A"],
        ["apps/v1", "B"],
      ]),
    ),
  ).toEqual({
    paths: {
      "api/v1": { serverRelativeURL: "/openapi/v3/api/v1?hash=A" },
      "apis/apps/v1": { serverRelativeURL: "/openapi/v3/apis/apps/v1?hash=B" },
    },
  });
});
