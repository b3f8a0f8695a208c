// OpenAPI v3, a document for each group version, made when first asked for and made anew when its kinds change.
import { createHash } from "node:crypto";
import { apiVersionOf, type Kind } from "../../domain/apis/kind.js";
import { openapiV3Document, openapiV3Index } from "../openapi/index.js";
import type { ServedTable } from "../registry/index.js";

export interface OpenApi {
  index(): string;
  /** `groupVersion` as apiVersion spells it: v1, apps/v1. */
  document(groupVersion: string): { readonly text: string; readonly hash: string } | undefined;
}

interface Document {
  readonly kinds: readonly Kind[];
  readonly text: string;
  readonly hash: string;
}

export function makeOpenApi(table: ServedTable): OpenApi {
  const made = new Map<string, Document>();

  function documentOf(groupVersion: string, kinds: readonly Kind[]): Document {
    const known = made.get(groupVersion);
    if (
      known !== undefined &&
      known.kinds.length === kinds.length &&
      known.kinds.every((kind, i) => kind === kinds[i])
    ) {
      return known;
    }
    const text = JSON.stringify(openapiV3Document(groupVersion, kinds));
    const document = { kinds, text, hash: createHash("sha256").update(text).digest("hex").toUpperCase() };
    made.set(groupVersion, document);
    return document;
  }

  function grouped(): Map<string, Kind[]> {
    const groups = new Map<string, Kind[]>();
    for (const { kind } of table.all()) {
      const groupVersion = apiVersionOf(kind);
      groups.set(groupVersion, [...(groups.get(groupVersion) ?? []), kind]);
    }
    return groups;
  }

  return {
    index() {
      const hashes = new Map(
        [...grouped()].map(([name, kinds]) => [name, documentOf(name, kinds).hash] as const),
      );
      return JSON.stringify(openapiV3Index(hashes));
    },
    document(groupVersion) {
      const kinds = grouped().get(groupVersion);
      return kinds === undefined ? undefined : documentOf(groupVersion, kinds);
    },
  };
}
