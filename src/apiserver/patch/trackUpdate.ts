// Who owns what after a write that was no apply: what it changed is now the writer's (kubernetes-api.md, section 14).
import type { Resource } from "../../domain/apis/kind.js";
import type { ManagedFieldsEntry } from "../../domain/apis/meta/meta.types.js";
import { diffObjects } from "./fieldDiff.js";
import { union } from "./fields.js";
import type { Obj } from "./json.js";
import { entryOf, fieldsOf, type Identity, isOf, less, sorted } from "./managers.js";
import type { SchemaNode } from "./schemaNode.js";

export interface UpdateToTrack {
  readonly schema: SchemaNode;
  /** undefined on create. */
  readonly before: Resource | undefined;
  readonly after: Resource;
  readonly manager: string;
  readonly apiVersion: string;
  readonly nowIso: string;
  readonly subresource: string;
  readonly operation: "Update" | "Apply";
  /** Whether status has its own endpoint; by default when the schema has one. */
  readonly hasStatus?: boolean;
}

const none: readonly ManagedFieldsEntry[] = [];

/** The entries after the write; the very same list when it changed nothing anyone can own. */
export function trackUpdate(update: UpdateToTrack): readonly ManagedFieldsEntry[] {
  const { schema, before, after, nowIso } = update;
  const given = after.metadata.managedFields;
  // Upstream's agreed sign for "forget who owned what".
  if (given?.length === 1 && given[0] !== undefined && Object.keys(given[0]).length === 0) return none;
  const entries = given !== undefined && given.length > 0 ? given : (before?.metadata.managedFields ?? none);

  const { changed, removed } = diffObjects(
    schema,
    before as unknown as Obj | undefined,
    after as unknown as Obj,
    ignoredMembers(schema, update.subresource, update.hasStatus),
  );
  if (changed === undefined && removed === undefined) return entries;

  const identity: Identity = update;
  const others = entries.flatMap((entry) => {
    if (isOf(entry, identity)) return [];
    const rest = less(entry, changed, removed);
    return rest === undefined ? [] : [rest];
  });
  const mine = entries.find((entry) => isOf(entry, identity));
  const kept = mine === undefined ? undefined : less(mine, removed);
  if (changed === undefined) return sorted(kept === undefined ? others : [...others, kept]);
  return sorted([
    ...others,
    entryOf(identity, union(kept === undefined ? {} : fieldsOf(kept), changed), nowIso),
  ]);
}

/** What a write through one endpoint cannot touch, and so does not own, though the server may have set it meanwhile. */
export function ignoredMembers(
  schema: SchemaNode,
  subresource: string,
  hasStatus: boolean | undefined,
): readonly string[] {
  const separate = hasStatus ?? schema.properties?.["status"] !== undefined;
  if (!separate) return [];
  return subresource === "status" ? ["spec"] : ["status"];
}
