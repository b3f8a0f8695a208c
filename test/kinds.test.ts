// One schema per kind is the only source: the definitions for clusters and the page for people follow from it.
import { describe, expect, it } from "vitest";
import { memoryStore } from "../src/adapters/store/index.js";
import { createRegistry, localClient } from "../src/apiserver/index.js";
import { CustomResourceDefinition, crdOfKind, kindsOfCrd } from "../src/domain/apis/crd/index.js";
import { apiVersionOf, type Kind } from "../src/domain/apis/kind.js";
import { allKinds, builtinKinds, servingKinds } from "../src/domain/apis/kinds.js";
import type { SchemaNode } from "../src/domain/apis/schema/index.js";

describe("the definitions of our kinds", () => {
  it("are admitted by the API as any user's are", async () => {
    const clock = { now: () => 0, after: () => () => {} };
    const registry = await createRegistry({
      store: memoryStore(),
      clock,
      random: () => 0.5,
      kinds: builtinKinds,
    });
    const client = localClient(registry, { name: "admin", groups: ["system:masters"] });
    for (const kind of servingKinds) {
      const { apiVersion: _version, kind: _kind, ...crd } = crdOfKind(kind);
      const stored = await client.create(CustomResourceDefinition, crd);
      expect(stored.spec.versions.map((version) => version.name)).toEqual([
        kind.version,
        ...kind.alsoServedAs,
      ]);
    }
    await registry.close();
  });

  it.each(servingKinds.map((kind) => [kind.kind, kind] as const))("lead back to %s", (_name, kind) => {
    const [back] = kindsOfCrd(crdOfKind(kind));
    for (const field of [
      "group",
      "version",
      "kind",
      "plural",
      "singular",
      "shortNames",
      "categories",
      "namespaced",
      "hasStatus",
    ] as const) {
      expect([field, back?.[field]]).toEqual([field, kind[field]]);
    }
    expect(back?.columns.map((column) => [column.name, column.jsonPath])).toEqual(
      kind.columns.map((column) => [column.name, column.jsonPath]),
    );
  });
});

describe("docs/kinds.md", () => {
  it("is what the schemas say (npm run golden rewrites it)", async () => {
    await expect(page(allKinds)).toMatchFileSnapshot("../docs/kinds.md");
  });
});

function page(kinds: readonly Kind[]): string {
  return `# Kinds

Every kind the API serves, from the schemas it serves them by. \`kubectl explain\` says the same, field by field.

${kinds.map(section).join("\n\n")}
`;
}

function section(kind: Kind): string {
  const names = [kind.plural, ...kind.shortNames].map((name) => `\`${name}\``).join(", ");
  const versions = [kind.version, ...kind.alsoServedAs]
    .map((version) => `\`${apiVersionOf({ ...kind, version })}\``)
    .join(", ");
  const fields = fieldsOf(kind.schema);
  return [
    `## ${kind.kind} (${kind.group === "" ? "core" : kind.group})`,
    "",
    `${kind.description} ${versions}; ${names}; ${kind.namespaced ? "in a namespace" : "cluster-wide"}.`,
    ...(kind.columns.length === 0
      ? []
      : ["", `Columns: ${kind.columns.map((column) => column.name).join(", ")}.`]),
    ...(fields.length === 0 ? [] : ["", "| field | type | |", "| --- | --- | --- |", ...fields]),
  ].join("\n");
}

/** The members of spec and status, or of the object itself, with what is said about them. */
function fieldsOf(schema: SchemaNode): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).filter(
    ([name]) => !["apiVersion", "kind", "metadata"].includes(name),
  );
  return own.flatMap(([name, node]) => {
    const members = Object.entries(node.properties ?? {});
    if (members.length === 0) return [row(name, node, false)];
    const required = new Set(node.required ?? []);
    return members.map(([member, one]) => row(`${name}.${member}`, one, required.has(member)));
  });
}

function row(path: string, node: SchemaNode, required: boolean): string {
  const preset = node.default === undefined ? "" : ` Default \`${JSON.stringify(node.default)}\`.`;
  return `| \`${path}\`${required ? " (required)" : ""} | ${typeOf(node)} | ${node.description ?? ""}${preset} |`;
}

function typeOf(node: SchemaNode): string {
  if (node["x-kubernetes-int-or-string"])
    return node.format === "quantity" ? "quantity" : "integer or string";
  if (node.items !== undefined) return `list of ${typeOf(node.items)}`;
  if (node.additionalProperties !== undefined) return `map of ${typeOf(node.additionalProperties)}`;
  return node.type ?? "any";
}
