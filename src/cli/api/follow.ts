/** One collection as it changes: list, then watch, and again whenever the watch cannot go on. */
import { isPortError } from "../../ports/index.js";
import type { Api, Query } from "../context.js";
import type { ResourceType } from "./discovery.js";
import { type AnyObject, listObjects, pathOf, watchLines } from "./resources.js";

export type Change =
  | { readonly type: "present"; readonly object: AnyObject }
  | { readonly type: "gone"; readonly object: AnyObject };

export interface FollowOptions {
  readonly namespace: string | undefined;
  readonly query?: Query;
  readonly signal: AbortSignal;
}

/** Ends only when it is no longer listened to, or rejects when the API is out of reach. */
export async function* follow(
  api: Api,
  type: ResourceType,
  { namespace, query = {}, signal }: FollowOptions,
): AsyncIterable<Change> {
  const known = new Map<string, AnyObject>();
  while (!signal.aborted) {
    const list = await listObjects(api, type, namespace, query);
    const items = list.items.map((item) => ({ ...item, kind: type.kind }));
    const present = new Set(items.map(uidOf));
    for (const [uid, object] of known) {
      if (present.has(uid)) continue;
      known.delete(uid);
      yield { type: "gone", object };
    }
    for (const object of items) {
      if (known.get(uidOf(object))?.metadata.resourceVersion === object.metadata.resourceVersion) continue;
      known.set(uidOf(object), object);
      yield { type: "present", object };
    }
    const path = pathOf(type, namespace);
    const watch = { ...query, watch: true, resourceVersion: list.metadata.resourceVersion };
    try {
      for await (const event of watchLines(await api.stream({ path, query: watch, signal }))) {
        if (event.type === "ERROR") break;
        if (event.type === "BOOKMARK") continue;
        const object = event.object as AnyObject;
        if (event.type === "DELETED") known.delete(uidOf(object));
        else known.set(uidOf(object), object);
        yield { type: event.type === "DELETED" ? "gone" : "present", object };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isPortError(error, "Expired")) throw error;
    }
  }
}

function uidOf(object: AnyObject): string {
  return object.metadata.uid ?? `${object.metadata.namespace}/${object.metadata.name}`;
}
