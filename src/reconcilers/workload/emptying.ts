// Asking everything of one kind to go.
import { keyOf } from "../../controller/index.js";
import type { Kind, Resource } from "../../domain/apis/kind.js";
import { type Client, isPortError, type Within } from "../../ports/index.js";
import { boundedly, firstError } from "./bounded.js";
import { requestsAtOnce } from "./limits.js";

/** The objects of one kind that are still there. */
export interface Remainder {
  readonly kind: Kind;
  readonly objects: readonly Resource[];
}

/** Asks all that are there to go, as the API itself knows them; resolves to those that remain. */
export async function empty(client: Client, kind: Kind, within: Within): Promise<Remainder> {
  const { items } = await client.list(kind, within);
  if (items.length === 0) return { kind, objects: [] };
  const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const results = await boundedly(staying, requestsAtOnce, async (object) => {
    try {
      const { uid } = object.metadata;
      await client.delete(kind, keyOf(object), { propagationPolicy: "Background", preconditions: { uid } });
    } catch (error) {
      if (!isPortError(error, "NotFound") && !isPortError(error, "Conflict")) throw error;
    }
  });
  const error = firstError(results);
  if (error !== undefined) throw error;
  const left = await client.list(kind, within);
  return { kind, objects: left.items };
}
