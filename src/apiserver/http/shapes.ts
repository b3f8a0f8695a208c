// The forms an object, a list or an event can take on its way out: itself, a table row, or metadata alone.
import { apiVersionOf } from "../../domain/apis/kind.js";
import type { ListedPage } from "../listing.js";
import { listKindOf, type Served, type Stored } from "../registry/index.js";
import { partialObjectMetadata, tableOf } from "../tables/index.js";
import type { Accepted } from "./accept.js";

export interface TableWishes {
  readonly nowMs: number;
  readonly includeObject: "None" | "Metadata" | "Object";
  /** False after the first event of a watch. */
  readonly columns: boolean;
}

export function tableWishes(query: URLSearchParams, nowMs: number): TableWishes {
  const include = query.get("includeObject");
  return {
    nowMs,
    includeObject: include === "None" || include === "Object" ? include : "Metadata",
    columns: true,
  };
}

/** The text of one object. */
export function shapeObject(served: Served, stored: Stored, accepted: Accepted, wishes: TableWishes): string {
  switch (accepted.as) {
    case "Table": {
      const metadata = { resourceVersion: stored.object.metadata.resourceVersion };
      return JSON.stringify(
        versioned(tableOf(served.kind, [stored.object], { ...wishes, metadata }), accepted),
      );
    }
    case "PartialObjectMetadata":
      return JSON.stringify(versioned(partialObjectMetadata(stored.object), accepted));
    default:
      return stored.json;
  }
}

export function shapeList(served: Served, page: ListedPage, accepted: Accepted, wishes: TableWishes): string {
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.next === undefined ? {} : { continue: page.next }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  switch (accepted.as) {
    case "Table": {
      const objects = page.items.map((stored) => stored.object);
      return JSON.stringify(versioned(tableOf(served.kind, objects, { ...wishes, metadata }), accepted));
    }
    case "PartialObjectMetadata":
    case "PartialObjectMetadataList":
      return JSON.stringify({
        kind: "PartialObjectMetadataList",
        apiVersion: `meta.k8s.io/${accepted.version}`,
        metadata,
        items: page.items.map((stored) => versioned(partialObjectMetadata(stored.object), accepted)),
      });
    default: {
      // The objects' own texts, joined: nothing is made text twice.
      const head = JSON.stringify({
        kind: listKindOf(served.kind),
        apiVersion: apiVersionOf(served.kind),
        metadata,
      });
      return `${head.slice(0, -1)},"items":[${page.items.map((stored) => stored.json).join(",")}]}`;
    }
  }
}

/** A bookmark in the watch's own form: informers drop events of any other kind. */
export function bookmarkText(
  served: Served,
  revision: number,
  accepted: Accepted,
  wishes: TableWishes,
  initialEnd: boolean,
): string {
  const metadata = {
    resourceVersion: String(revision),
    creationTimestamp: null,
    ...(initialEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
  };
  switch (accepted.as) {
    case "Table":
      return JSON.stringify(versioned(tableOf(served.kind, [], { ...wishes, metadata }), accepted));
    case "PartialObjectMetadata":
      return JSON.stringify({
        kind: "PartialObjectMetadata",
        apiVersion: `meta.k8s.io/${accepted.version}`,
        metadata,
      });
    default:
      return JSON.stringify({ kind: served.kind.kind, apiVersion: apiVersionOf(served.kind), metadata });
  }
}

function versioned<T extends { readonly apiVersion: string }>(
  shape: T,
  { version }: Accepted,
): T | (Omit<T, "apiVersion"> & { readonly apiVersion: string }) {
  return version === "v1" ? shape : { ...shape, apiVersion: `meta.k8s.io/${version}` };
}
